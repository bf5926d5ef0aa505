"""Sessions: what requests have in common, from settings and cookies to connections.

What only some requests need is imported when it is asked for: `_session` and others look it up here.
"""

from __future__ import annotations

import os
import sys
import time

from ._lazy import attach
from .hooks import default_hooks, dispatch_hook
from .models import DEFAULT_REDIRECT_LIMIT, REDIRECT_STATI
from .structures import CaseInsensitiveDict as CaseInsensitiveDict
from .structures import OrderedDict as OrderedDict
from .utils import DEFAULT_PORTS, default_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Mapping
    from datetime import timedelta as timedelta
    from typing import Any
    from urllib.parse import urljoin as urljoin
    from urllib.parse import urlparse as urlparse

    from . import _fast_cookies as _fast_cookies
    from . import _prepared as _prepared
    from . import _response_body as _response_body
    from . import _session_cookies as _session_cookies
    from ._internal_utils import to_native_string as to_native_string
    from ._settings import merge_hooks as merge_hooks
    from ._settings import merge_setting as merge_setting
    from .adapters import HTTPAdapter as HTTPAdapter
    from .auth import _basic_auth_str as _basic_auth_str
    from .cookies import RequestsCookieJar as RequestsCookieJar
    from .cookies import cookiejar_from_dict as cookiejar_from_dict
    from .cookies import extract_cookies_to_jar as extract_cookies_to_jar
    from .cookies import merge_cookies as merge_cookies
    from .exceptions import ChunkedEncodingError as ChunkedEncodingError
    from .exceptions import ContentDecodingError as ContentDecodingError
    from .exceptions import InvalidSchema as InvalidSchema
    from .exceptions import TooManyRedirects as TooManyRedirects
    from .models import PreparedRequest as PreparedRequest
    from .models import Request as Request
    from .models import Response as Response
    from .status_codes import codes as codes
    from .utils import get_auth_from_url as get_auth_from_url
    from .utils import get_environ_proxies as get_environ_proxies
    from .utils import get_netrc_auth as get_netrc_auth
    from .utils import requote_uri as requote_uri
    from .utils import resolve_proxies as resolve_proxies
    from .utils import rewind_body as rewind_body
    from .utils import should_bypass_proxies as should_bypass_proxies
    from .utils import to_key_val_list as to_key_val_list

    cookielib: Any

# Monotonic everywhere: a clock that is set back must not make `elapsed` negative.
preferred_clock = time.perf_counter

# From where they were written, and not from where somebody may have something else in their place for a while.
_LATER = {
    "_fast_cookies": "._fast_cookies",
    "_is_prepared": "._types:is_prepared",
    "_prepared": "._prepared",
    "_response_body": "._response_body",
    "_session_cookies": "._session_cookies",
    "cookielib": "http.cookiejar",
}
_MODULES = {
    "._internal_utils": "to_native_string",
    "._prepared": "PreparedRequest Request",
    "._response": "Response",
    "._settings": "merge_hooks merge_setting",
    "._util_body": "rewind_body",
    "._util_mappings": "to_key_val_list",
    "._util_netrc": "get_netrc_auth",
    "._util_proxies": "get_environ_proxies resolve_proxies should_bypass_proxies",
    "._util_urls": "get_auth_from_url requote_uri",
    ".adapters": "HTTPAdapter",
    ".auth": "_basic_auth_str",
    ".cookies": "RequestsCookieJar cookiejar_from_dict extract_cookies_to_jar merge_cookies",
    ".exceptions": "ChunkedEncodingError ContentDecodingError InvalidSchema TooManyRedirects",
    ".status_codes": "codes",
    "collections.abc": "Generator Mapping MutableMapping",
    "datetime": "timedelta",
    "typing": "Any cast",
    "urllib.parse": "urljoin urlparse",
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(globals(), _LATER, _MODULES)

# Last, because they take what they need from this module.
from ._redirects import SessionRedirectMixin
from ._session import Session

# It notes what is ours before anybody can patch it.
from . import _fast  # isort: skip

# After that, so that the short way sees what it puts in place.
if os.environ.get("WATERCLOCK_EXPLAIN"):
    from . import _explain

    if _explain.is_on():
        _explain.begin()


def session() -> Session:
    """Return a new `Session`; calling the class does the same."""
    return Session()


if TYPE_CHECKING:
    __all__ = [
        "DEFAULT_PORTS",
        "DEFAULT_REDIRECT_LIMIT",
        "REDIRECT_STATI",
        "CaseInsensitiveDict",
        "OrderedDict",
        "Session",
        "SessionRedirectMixin",
        "_fast",
        "default_headers",
        "default_hooks",
        "dispatch_hook",
        "os",
        "preferred_clock",
        "session",
        "sys",
    ]
