"""Sessions: what requests have in common, from settings and cookies to connections."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Mapping

from ._internal_utils import to_native_string
from ._lazy import attach
from .exceptions import ChunkedEncodingError, InvalidSchema, TooManyRedirects
from .hooks import default_hooks, dispatch_hook
from .models import (
    DEFAULT_REDIRECT_LIMIT,
    REDIRECT_STATI,
    PreparedRequest,
    Request,
    Response,
)
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import (
    DEFAULT_PORTS,
    default_headers,
    get_auth_from_url,
    get_environ_proxies,
    get_netrc_auth,
    requote_uri,
    resolve_proxies,
    rewind_body,
    should_bypass_proxies,
    to_key_val_list,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta as timedelta
    from typing import Any
    from urllib.parse import urljoin as urljoin
    from urllib.parse import urlparse as urlparse

    from . import _types as _t
    from .adapters import HTTPAdapter as HTTPAdapter
    from .auth import _basic_auth_str as _basic_auth_str
    from .cookies import RequestsCookieJar as RequestsCookieJar
    from .cookies import cookiejar_from_dict as cookiejar_from_dict
    from .cookies import extract_cookies_to_jar as extract_cookies_to_jar
    from .cookies import merge_cookies as merge_cookies
    from .exceptions import ContentDecodingError as ContentDecodingError

    cookielib: Any

# Monotonic everywhere: a clock that is set back must not make `elapsed` negative.
preferred_clock = time.perf_counter

_LATER = {
    "Any": "typing:Any",
    "ContentDecodingError": ".exceptions:ContentDecodingError",
    "Generator": "collections.abc:Generator",
    "HTTPAdapter": ".adapters:HTTPAdapter",
    "MutableMapping": "collections.abc:MutableMapping",
    "RequestsCookieJar": ".cookies:RequestsCookieJar",
    "_basic_auth_str": ".auth:_basic_auth_str",
    "_is_prepared": "._types:is_prepared",
    "cast": "typing:cast",
    "cookiejar_from_dict": ".cookies:cookiejar_from_dict",
    "cookielib": "http.cookiejar",
    "extract_cookies_to_jar": ".cookies:extract_cookies_to_jar",
    "merge_cookies": ".cookies:merge_cookies",
    "sys": "sys",
    "timedelta": "datetime:timedelta",
    "urljoin": "urllib.parse:urljoin",
    "urlparse": "urllib.parse:urlparse",
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(globals(), _LATER)


def merge_setting(
    request_setting: Any, session_setting: Any, dict_class: type = OrderedDict
) -> Any:
    """Return the request's setting or, if it has none, the session's; of two mappings, both.

    Where both have a key the request's value counts, and None takes the key away.
    """
    if session_setting is None:
        return request_setting
    if request_setting is None:
        return session_setting
    if type(request_setting) is bool:
        # The most frequent one that is no mapping, which takes long to find out in general.
        return request_setting
    if type(request_setting) is dict and type(session_setting) is dict:
        if not request_setting and not session_setting:
            return dict_class()
    elif not (isinstance(session_setting, Mapping) and isinstance(request_setting, Mapping)):
        return request_setting
    if dict_class is CaseInsensitiveDict and type(session_setting) is CaseInsensitiveDict:
        merged: Any = CaseInsensitiveDict()
        # The items of the session's mapping, without folding each name again.
        merged._store.update(session_setting._store)
        if type(request_setting) is dict:
            for name, value in request_setting.items():
                merged[name] = value
            return _without_none(merged)
    else:
        merged = dict_class(to_key_val_list(session_setting))
    if request_setting:
        merged.update(to_key_val_list(request_setting))
    return _without_none(merged)


def _without_none(merged: Any) -> Any:
    is_ours = type(merged) is CaseInsensitiveDict
    items = merged._store.values() if is_ours else merged.items()
    for key in [key for key, value in items if value is None]:
        del merged[key]
    return merged


def merge_hooks(
    request_hooks: _t.HooksType, session_hooks: _t.HooksType, dict_class: type = OrderedDict
) -> _t.HooksType:
    """Merge the hooks of request and session; a side without a response hook does not count."""
    if session_hooks is None or session_hooks.get("response") == []:
        return request_hooks
    if request_hooks is None or request_hooks.get("response") == []:
        return session_hooks
    merged: _t.HooksType = merge_setting(request_hooks, session_hooks, dict_class)
    return merged


# Last, because they take what they need from this module.
from ._redirects import SessionRedirectMixin
from ._session import Session

# It notes what is ours before anybody can patch it.
from . import _fast  # isort: skip


def session() -> Session:
    """Return a new `Session`; calling the class does the same."""
    return Session()


if TYPE_CHECKING:
    __all__ = [
        "DEFAULT_PORTS",
        "DEFAULT_REDIRECT_LIMIT",
        "REDIRECT_STATI",
        "CaseInsensitiveDict",
        "ChunkedEncodingError",
        "InvalidSchema",
        "OrderedDict",
        "PreparedRequest",
        "Request",
        "Response",
        "Session",
        "SessionRedirectMixin",
        "TooManyRedirects",
        "_fast",
        "codes",
        "default_headers",
        "default_hooks",
        "dispatch_hook",
        "get_auth_from_url",
        "get_environ_proxies",
        "get_netrc_auth",
        "merge_hooks",
        "merge_setting",
        "os",
        "preferred_clock",
        "requote_uri",
        "resolve_proxies",
        "rewind_body",
        "session",
        "should_bypass_proxies",
        "to_key_val_list",
        "to_native_string",
    ]
