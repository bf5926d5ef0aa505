"""Helpers that programs import too.

What a session starts with is here. The others are written in modules of one idea each (`_util_*`), which are imported
when one of their names is asked for. Those call one another through this module, because programs replace names here
and expect the others to notice.
"""

from __future__ import annotations

import codecs as codecs
import io as io
import os as os
import sys as sys
from builtins import bytes as bytes
from builtins import str as str

from .__version__ import __version__ as __version__
from ._lazy import attach, find
from .structures import CaseInsensitiveDict as CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    import contextlib as contextlib
    import re as re
    import socket as socket
    import struct as struct
    import tempfile as tempfile
    import warnings as warnings
    import zipfile as zipfile
    from collections import OrderedDict as OrderedDict
    from collections.abc import Generator as Generator
    from collections.abc import Iterable as Iterable
    from collections.abc import Mapping as Mapping
    from typing import Any as Any
    from urllib.parse import quote as quote
    from urllib.parse import unquote as unquote
    from urllib.parse import urlparse as urlparse
    from urllib.parse import urlunparse as urlunparse

    from urllib3.util import make_headers as make_headers
    from urllib3.util import parse_url as parse_url

    from . import certs as certs
    from ._internal_utils import _HEADER_VALIDATORS_BYTE as _HEADER_VALIDATORS_BYTE
    from ._internal_utils import _HEADER_VALIDATORS_STR as _HEADER_VALIDATORS_STR
    from ._internal_utils import HEADER_VALIDATORS as HEADER_VALIDATORS
    from ._internal_utils import to_native_string as to_native_string
    from ._util_body import guess_filename as guess_filename
    from ._util_body import rewind_body as rewind_body
    from ._util_body import super_len as super_len
    from ._util_files import atomic_open as atomic_open
    from ._util_files import extract_zipped_paths as extract_zipped_paths
    from ._util_headers import _parse_content_type_header as _parse_content_type_header
    from ._util_headers import _validate_header_part as _validate_header_part
    from ._util_headers import check_header_validity as check_header_validity
    from ._util_headers import get_encoding_from_headers as get_encoding_from_headers
    from ._util_headers import parse_dict_header as parse_dict_header
    from ._util_headers import parse_header_links as parse_header_links
    from ._util_headers import parse_list_header as parse_list_header
    from ._util_headers import unquote_header_value as unquote_header_value
    from ._util_mappings import add_dict_to_cookiejar as add_dict_to_cookiejar
    from ._util_mappings import dict_from_cookiejar as dict_from_cookiejar
    from ._util_mappings import dict_to_sequence as dict_to_sequence
    from ._util_mappings import from_key_val_list as from_key_val_list
    from ._util_mappings import to_key_val_list as to_key_val_list
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
    from .compat import getproxies as getproxies
    from .compat import getproxies_environment as getproxies_environment
    from .compat import is_urllib3_1 as is_urllib3_1
    from .compat import parse_http_list
    from .compat import proxy_bypass as proxy_bypass
    from .compat import proxy_bypass_environment as proxy_bypass_environment
    from .cookies import cookiejar_from_dict as cookiejar_from_dict
    from .exceptions import FileModeWarning as FileModeWarning
    from .exceptions import InvalidHeader as InvalidHeader
    from .exceptions import InvalidURL as InvalidURL
    from .exceptions import UnrewindableBodyError as UnrewindableBodyError

    _parse_list_header = parse_http_list

    #: Path of the trusted certificates that come with certifi.
    DEFAULT_CA_BUNDLE_PATH: str
    #: What `Accept-Encoding` a session starts with.
    DEFAULT_ACCEPT_ENCODING: str

    def proxy_bypass_registry(host: str) -> bool: ...


integer_types = (int,)

NETRC_FILES = (".netrc", "_netrc")
DEFAULT_PORTS = {"http": 80, "https": 443}


def _is_installed(module: str) -> bool:
    """Say whether `import module` would find something, without the cost of importing it."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return any(
        finder.find_spec(module, None) is not None
        for finder in sys.meta_path
        if hasattr(finder, "find_spec")
    )


def _imports(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def _accepted_encodings() -> str:
    """Return the `Accept-Encoding` that urllib3 would send: what `response.raw` can decode."""
    codings = ["gzip", "deflate"]
    # The one that more people have first.
    if _is_installed("brotli") or _is_installed("brotlicffi"):
        codings.append("br")
    parent, zstd = (
        ("compression", "compression.zstd")
        if sys.version_info >= (3, 14)
        else ("backports", "backports.zstd")
    )
    if _is_installed(parent) and _imports(zstd):
        codings.append("zstd")
    return ", ".join(codings)


def default_user_agent(name: str = "python-requests") -> str:
    """Return the `User-Agent` that a session starts with."""
    return f"{name}/{__version__}"


def default_headers() -> CaseInsensitiveDict[str]:
    """Return the fields that a session starts with."""
    accepted: str = sys.modules[__name__].DEFAULT_ACCEPT_ENCODING
    return CaseInsensitiveDict(
        {
            "User-Agent": default_user_agent(),
            "Accept-Encoding": accepted,
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
    )


if not TYPE_CHECKING:
    _modules = {
        "._internal_utils": "HEADER_VALIDATORS _HEADER_VALIDATORS_BYTE _HEADER_VALIDATORS_STR to_native_string",
        "._util_body": "guess_filename rewind_body super_len",
        "._util_files": "atomic_open extract_zipped_paths",
        "._util_headers": "_parse_content_type_header _validate_header_part check_header_validity"
        " get_encoding_from_headers parse_dict_header parse_header_links parse_list_header"
        " unquote_header_value",
        "._util_mappings": "add_dict_to_cookiejar dict_from_cookiejar dict_to_sequence from_key_val_list"
        " to_key_val_list",
        "._util_netrc": "get_netrc_auth",
        "._util_proxies": "address_in_network dotted_netmask get_environ_proxies is_ipv4_address"
        " is_valid_cidr resolve_proxies select_proxy set_environ should_bypass_proxies",
        "._util_text": "_null _null2 _null3 get_encodings_from_content get_unicode_from_response"
        " guess_json_utf iter_slices stream_decode_response_unicode",
        "._util_urls": "UNRESERVED_SET get_auth_from_url prepend_scheme_if_needed requote_uri"
        " unquote_unreserved urldefragauth",
        ".compat": "getproxies getproxies_environment is_urllib3_1 proxy_bypass proxy_bypass_environment",
        ".cookies": "cookiejar_from_dict",
        ".exceptions": "FileModeWarning InvalidHeader InvalidURL UnrewindableBodyError",
        "collections": "OrderedDict",
        "collections.abc": "Generator Iterable Mapping",
        "typing": "Any Final TypeVar cast overload",
        "urllib.parse": "quote unquote urlparse urlunparse",
        "urllib3.util": "make_headers parse_url",
    }
    _sources = {
        "DEFAULT_CA_BUNDLE_PATH": lambda: find(".certs").where(),
        "DEFAULT_ACCEPT_ENCODING": _accepted_encodings,
        "_parse_list_header": ".compat:parse_http_list",
        "_SupportsItems": "._types:SupportsItems",
        "certs": ".certs",
        **{
            name: name
            for name in ("contextlib", "re", "socket", "struct", "tempfile", "warnings", "zipfile")
        },
    }
    if sys.platform == "win32":
        _sources["proxy_bypass"] = "._util_proxies:proxy_bypass"
        _sources["proxy_bypass_registry"] = "._util_proxies:proxy_bypass_registry"
    __getattr__, __dir__ = attach(globals(), _sources, _modules)
