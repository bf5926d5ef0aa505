"""The Cookie header of a session's jar, as http.cookiejar makes it, for cookies and URLs as most are.

The long way copies every cookie into a new jar, which asks its policy six questions about each. The copy's policy is
the default one whatever the session's is (that one says what is taken from responses), so the answers are known here.
What is not covered (RFC 2965, ports, odd values, odd URLs) is left to the long way.
"""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.cookiejar import Cookie
    from typing import Any

    from .cookies import RequestsCookieJar


# Before Python 3.11 a jar was copied in the order of domains, paths and names.
_COPIES_BY_NAME = sys.version_info < (3, 11)


class Unusual(Exception):
    """Only http.cookiejar knows what to send."""


def snapshot(jar: Any) -> list[Cookie]:
    """All cookies in the order in which a copy of the jar has them."""
    cookies: list[Cookie] = []
    with jar._cookies_lock:
        if _COPIES_BY_NAME:
            given: Any = jar
            return list(given)
        for by_path in jar._cookies.values():
            for by_name in by_path.values():
                cookies += by_name.values()
    return cookies


def header(cookies: list[Cookie], url: str) -> str | None:
    """What these cookies come to for a prepared URL; None for nothing, and `Unusual` is raised."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    host, _, port = authority.partition(":")
    if not host or "@" in authority or "[" in authority or not (port.isdigit() or not port):
        raise Unusual
    host = host.lower()
    # A host without a dot counts as one of the domain "local".
    dotted_host = f".{host}"
    effective = dotted_host if "." in host else f"{dotted_host}.local"
    is_secure = scheme == "https"
    path = None
    now = int(time.time())
    chosen: list[Cookie] = []
    for cookie in cookies:
        domain: Any = cookie.domain
        if (
            type(domain) is not str
            or type(cookie.name) is not str
            or cookie.version != 0
            or cookie.port is not None
        ):
            raise Unusual
        if domain and domain[0] != ".":
            domain = f".{domain}"
        # The policy compares with either name first, and with the effective one for each cookie.
        if not effective.endswith(domain):
            continue
        if cookie.path != "/":
            if path is None:
                path = _path(rest, authority)
            if not _covers(cookie.path, path):
                continue
        if cookie.secure and not is_secure:
            continue
        if cookie.expires is not None and cookie.expires <= now:
            continue
        chosen.append(cookie)
    if not chosen:
        return None
    chosen.sort(key=_length_of_path, reverse=True)
    parts = []
    for cookie in chosen:
        value: Any = cookie.value
        if value is None:
            parts.append(cookie.name)
        elif type(value) is not str or "\\" in value:
            raise Unusual
        else:
            parts.append(f"{cookie.name}={value}")
    text = "; ".join(parts)
    if not text.isascii():
        raise Unusual
    return text


def _length_of_path(cookie: Cookie) -> int:
    return len(cookie.path)


def _path(rest: str, authority: str) -> str:
    path = rest[len(authority) :].partition("#")[0].partition("?")[0]
    if "%" in path or "[" in path or "]" in path:
        # Escapes are compared in upper case, and some characters escaped.
        raise Unusual
    return path or "/"


def _covers(path: Any, wanted: str) -> bool:
    """Say whether a cookie of `path` goes to `wanted`."""
    if type(path) is not str:
        raise Unusual
    if not wanted.startswith(path):
        return False
    return path == wanted or path.endswith("/") or wanted[len(path)] == "/"


def jar_of(cookies: list[Cookie]) -> RequestsCookieJar:
    """The jar that the long way would have made of them for the request."""
    from copy import copy

    from .cookies import RequestsCookieJar

    jar = RequestsCookieJar()
    for cookie in cookies:
        jar.set_cookie(copy(cookie))
    # As it is after the header was made.
    jar.clear_expired_cookies()
    return jar
