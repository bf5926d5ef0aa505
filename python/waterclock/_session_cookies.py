"""Cookies of a session and of its requests, which most programs never meet.

A jar costs an import of its own, and a call through http.cookiejar for each request and each
response. Where nobody has made a jar so far, or it is a plain one with nothing in it, there is
nothing to send; where a response sets nothing, there is nothing to collect.
"""

from __future__ import annotations

import sys

from . import sessions as _sessions
from ._response_body import HAS_COOKIES, HeadersOnly, own_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .models import PreparedRequest, Response


def _is_plain(jar: Any) -> bool:
    """Say whether a jar is ours and not of a subclass, which may do as it likes."""
    # The class is not there while another thread imports the module.
    kind = getattr(sys.modules.get("waterclock.cookies"), "RequestsCookieJar", None)
    return kind is not None and type(jar) is kind


def has_cookies(owner: Any, name: str) -> bool:
    """Say whether the jar that `owner` has as attribute `name` may hold something."""
    jar = owner.__dict__.get(name)
    if jar is None:
        # The class itself answers only if a subclass put something of its own there.
        return getattr(type(owner), name, None) is not None
    return not _is_plain(jar) or bool(jar._cookies)


def collect_cookies(owner: Any, name: str, request: PreparedRequest, response: Response) -> None:
    """Put what a response sets into the jar that `owner` has as attribute `name`."""
    reply = own_reply(response)
    source: Any
    if reply is None:
        source = response.raw
        if not getattr(source, "_original_response", None):
            return
    else:
        if not reply.flags & HAS_COOKIES:
            jar = owner.__dict__.get(name)
            if jar is None or _is_plain(jar):
                return
        source = HeadersOnly(reply)
    if owner.__dict__.get(name, False) is None:
        # A request that was filled by hand.
        del owner.__dict__[name]
    _sessions.extract_cookies_to_jar(getattr(owner, name), request, source)
