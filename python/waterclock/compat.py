"""Names that once differed between versions of Python and of dependencies.

They are kept because programs import them from here. Nearly all are found when somebody asks for
one: together they would pull in half of the standard library, and urllib3.
"""

from __future__ import annotations

import sys
from builtins import bytes as bytes
from builtins import str as str

from ._lazy import attach, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    import importlib as importlib
    import json as json
    from collections import OrderedDict as OrderedDict
    from collections.abc import Callable as Callable
    from collections.abc import Mapping as Mapping
    from collections.abc import MutableMapping as MutableMapping
    from http import cookiejar
    from http.cookies import Morsel as Morsel
    from io import StringIO as StringIO
    from json import JSONDecodeError as JSONDecodeError
    from types import ModuleType
    from typing import Any
    from urllib.parse import quote as quote
    from urllib.parse import quote_plus as quote_plus
    from urllib.parse import unquote as unquote
    from urllib.parse import unquote_plus as unquote_plus
    from urllib.parse import urldefrag as urldefrag
    from urllib.parse import urlencode as urlencode
    from urllib.parse import urljoin as urljoin
    from urllib.parse import urlparse as urlparse
    from urllib.parse import urlsplit as urlsplit
    from urllib.parse import urlunparse as urlunparse
    from urllib.request import getproxies as getproxies
    from urllib.request import getproxies_environment as getproxies_environment
    from urllib.request import parse_http_list as parse_http_list
    from urllib.request import proxy_bypass as proxy_bypass

    cookielib = cookiejar
    has_simplejson: bool
    is_urllib3_1: bool
    urllib3_version: str
    chardet: ModuleType | None

    def proxy_bypass_environment(host: str, proxies: Any = None) -> bool: ...


_ver = sys.version_info
is_py2 = _ver[0] == 2
is_py3 = _ver[0] == 3

builtin_str = str
basestring = (str, bytes)
numeric_types = (int, float)
integer_types = (int,)


def _resolve_char_detection() -> ModuleType | None:
    """Return chardet, else charset_normalizer, else None."""
    for name in ("chardet", "charset_normalizer"):
        try:
            module: ModuleType = find(name)
        except ImportError:
            continue
        return module
    return None


def _resolve_json() -> ModuleType:
    """Return simplejson if it is installed, else json."""
    try:
        module: ModuleType = find("simplejson")
    except ImportError:
        module = find("json")
    return module


def _is_urllib3_1() -> bool:
    try:
        return int(find("urllib3:__version__").split(".")[0]) == 1
    except (TypeError, AttributeError):
        return True


if not TYPE_CHECKING:
    _parse = "urllib.parse:"
    _request = "urllib.request:"
    __getattr__, __dir__ = attach(
        globals(),
        {
            "urllib3_version": "urllib3:__version__",
            "is_urllib3_1": _is_urllib3_1,
            "chardet": _resolve_char_detection,
            "json": _resolve_json,
            "has_simplejson": lambda: _resolve_json().__name__ == "simplejson",
            "JSONDecodeError": lambda: _resolve_json().JSONDecodeError,
            "OrderedDict": "collections:OrderedDict",
            "Callable": "collections.abc:Callable",
            "Mapping": "collections.abc:Mapping",
            "MutableMapping": "collections.abc:MutableMapping",
            "cookielib": "http.cookiejar",
            "Morsel": "http.cookies:Morsel",
            "StringIO": "io:StringIO",
            "ModuleType": "types:ModuleType",
            "importlib": "importlib",
            "quote": _parse + "quote",
            "quote_plus": _parse + "quote_plus",
            "unquote": _parse + "unquote",
            "unquote_plus": _parse + "unquote_plus",
            "urldefrag": _parse + "urldefrag",
            "urlencode": _parse + "urlencode",
            "urljoin": _parse + "urljoin",
            "urlparse": _parse + "urlparse",
            "urlsplit": _parse + "urlsplit",
            "urlunparse": _parse + "urlunparse",
            "getproxies": _request + "getproxies",
            "getproxies_environment": _request + "getproxies_environment",
            "parse_http_list": _request + "parse_http_list",
            "proxy_bypass": _request + "proxy_bypass",
            "proxy_bypass_environment": _request + "proxy_bypass_environment",
        },
    )
