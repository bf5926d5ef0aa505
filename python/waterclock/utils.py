"""Helpers that programs import too.

They are written in modules of one idea each (`_util_*`). Those call one another through this
module, because programs replace names here and expect the others to notice.
"""

from __future__ import annotations

import codecs as codecs
import contextlib as contextlib
import io as io
import os as os
import re as re
import sys as sys
import warnings as warnings
from builtins import bytes as bytes
from builtins import str as str
from collections import OrderedDict
from collections.abc import Generator as Generator
from collections.abc import Iterable
from collections.abc import Mapping as Mapping
from urllib.parse import quote as quote
from urllib.parse import unquote as unquote
from urllib.parse import urlparse as urlparse
from urllib.parse import urlunparse as urlunparse

from . import certs as certs
from .__version__ import __version__ as __version__
from ._internal_utils import _HEADER_VALIDATORS_BYTE as _HEADER_VALIDATORS_BYTE
from ._internal_utils import _HEADER_VALIDATORS_STR as _HEADER_VALIDATORS_STR
from ._internal_utils import HEADER_VALIDATORS as HEADER_VALIDATORS
from ._internal_utils import to_native_string as to_native_string
from ._lazy import attach
from ._util_body import guess_filename as guess_filename
from ._util_body import rewind_body as rewind_body
from ._util_body import super_len as super_len
from ._util_files import atomic_open as atomic_open
from ._util_files import extract_zipped_paths as extract_zipped_paths
from ._util_headers import _parse_content_type_header as _parse_content_type_header
from ._util_headers import _validate_header_part as _validate_header_part
from ._util_headers import accepted_encodings as _accepted_encodings
from ._util_headers import check_header_validity as check_header_validity
from ._util_headers import default_headers as default_headers
from ._util_headers import default_user_agent as default_user_agent
from ._util_headers import get_encoding_from_headers as get_encoding_from_headers
from ._util_headers import parse_dict_header as parse_dict_header
from ._util_headers import parse_header_links as parse_header_links
from ._util_headers import parse_list_header as parse_list_header
from ._util_headers import unquote_header_value as unquote_header_value
from ._util_netrc import get_netrc_auth as get_netrc_auth
from ._util_proxies import address_in_network as address_in_network
from ._util_proxies import dotted_netmask as dotted_netmask
from ._util_proxies import get_environ_proxies as get_environ_proxies
from ._util_proxies import is_ipv4_address as is_ipv4_address
from ._util_proxies import is_valid_cidr as is_valid_cidr
from ._util_proxies import resolve_proxies as resolve_proxies
from ._util_proxies import select_proxy as select_proxy
from ._util_proxies import set_environ as set_environ
from ._util_proxies import should_bypass_proxies as should_bypass_proxies
from ._util_text import _null as _null
from ._util_text import _null2 as _null2
from ._util_text import _null3 as _null3
from ._util_text import get_encodings_from_content as get_encodings_from_content
from ._util_text import get_unicode_from_response as get_unicode_from_response
from ._util_text import guess_json_utf as guess_json_utf
from ._util_text import iter_slices as iter_slices
from ._util_text import stream_decode_response_unicode as stream_decode_response_unicode
from ._util_urls import UNRESERVED_SET as UNRESERVED_SET
from ._util_urls import get_auth_from_url as get_auth_from_url
from ._util_urls import prepend_scheme_if_needed as prepend_scheme_if_needed
from ._util_urls import requote_uri as requote_uri
from ._util_urls import unquote_unreserved as unquote_unreserved
from ._util_urls import urldefragauth as urldefragauth
from .exceptions import FileModeWarning as FileModeWarning
from .exceptions import InvalidHeader as InvalidHeader
from .exceptions import InvalidURL as InvalidURL
from .exceptions import UnrewindableBodyError as UnrewindableBodyError
from .structures import CaseInsensitiveDict as CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as socket
    import struct as struct
    import tempfile as tempfile
    import zipfile as zipfile
    from http.cookiejar import CookieJar
    from typing import Any, TypeVar, overload

    from urllib3.util import make_headers as make_headers
    from urllib3.util import parse_url as parse_url

    from . import _types as _t
    from .compat import getproxies as getproxies
    from .compat import getproxies_environment as getproxies_environment
    from .compat import is_urllib3_1 as is_urllib3_1
    from .compat import parse_http_list
    from .compat import proxy_bypass as proxy_bypass
    from .compat import proxy_bypass_environment as proxy_bypass_environment
    from .cookies import cookiejar_from_dict as cookiejar_from_dict

    _parse_list_header = parse_http_list

    _KT = TypeVar("_KT")
    _VT = TypeVar("_VT")

    #: Path of the trusted certificates that come with certifi.
    DEFAULT_CA_BUNDLE_PATH: str
    #: What `Accept-Encoding` a session starts with.
    DEFAULT_ACCEPT_ENCODING: str

    def proxy_bypass_registry(host: str) -> bool: ...


integer_types = (int,)

NETRC_FILES = (".netrc", "_netrc")
DEFAULT_PORTS = {"http": 80, "https": 443}


def dict_to_sequence(
    d: _t.SupportsItems[Any, Any] | Iterable[tuple[Any, Any]],
) -> Iterable[tuple[Any, Any]]:
    """Return the items of a mapping; anything else is taken to be items already."""
    items = getattr(d, "items", None)
    return items() if callable(items) else d  # type: ignore[return-value]


def _refuse_scalars(value: Any) -> None:
    if isinstance(value, (str, bytes, int)):
        raise ValueError("cannot encode objects that are not 2-tuples")  # noqa: TRY004


def from_key_val_list(
    value: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None,
) -> dict[Any, Any] | None:
    """Make an ordered mapping of a mapping or of pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    return OrderedDict(value)


if TYPE_CHECKING:

    @overload
    def to_key_val_list(value: None) -> None: ...

    @overload
    def to_key_val_list(
        value: _t.SupportsItems[_KT, _VT] | Iterable[tuple[_KT, _VT]],
    ) -> list[tuple[_KT, _VT]]: ...


def to_key_val_list(
    value: _t.SupportsItems[_KT, _VT] | Iterable[tuple[_KT, _VT]] | None,
) -> list[tuple[_KT, _VT]] | None:
    """Make a list of pairs of a mapping or of pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    return list(dict_to_sequence(value))


def dict_from_cookiejar(cj: CookieJar) -> dict[str, str | None]:
    """Return names and values of the cookies in a jar; of two with one name, the last one."""
    return {cookie.name: cookie.value for cookie in cj}


def add_dict_to_cookiejar(cj: CookieJar, cookie_dict: dict[str, str]) -> CookieJar:
    """Put cookies with these names and values into a jar, and return the jar."""
    return sys.modules[__name__].cookiejar_from_dict(cookie_dict, cj)  # type: ignore[no-any-return]


if not TYPE_CHECKING:
    _sources = {
        "DEFAULT_CA_BUNDLE_PATH": lambda: certs.where(),
        "DEFAULT_ACCEPT_ENCODING": _accepted_encodings,
        "make_headers": "urllib3.util:make_headers",
        "parse_url": "urllib3.util:parse_url",
        "cookiejar_from_dict": ".cookies:cookiejar_from_dict",
        "_parse_list_header": ".compat:parse_http_list",
        "_SupportsItems": "._types:SupportsItems",
        "getproxies": ".compat:getproxies",
        "getproxies_environment": ".compat:getproxies_environment",
        "is_urllib3_1": ".compat:is_urllib3_1",
        "proxy_bypass": ".compat:proxy_bypass",
        "proxy_bypass_environment": ".compat:proxy_bypass_environment",
        **{name: name for name in ("socket", "struct", "tempfile", "zipfile")},
        **{name: f"typing:{name}" for name in ("Any", "Final", "TypeVar", "cast", "overload")},
    }
    if sys.platform == "win32":
        _sources["proxy_bypass"] = "._util_proxies:proxy_bypass"
        _sources["proxy_bypass_registry"] = "._util_proxies:proxy_bypass_registry"
    __getattr__, __dir__ = attach(globals(), _sources)
