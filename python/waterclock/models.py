"""What is sent and what comes back: `Request`, `PreparedRequest` and `Response`.

The classes are written down in private modules beside this one, one idea a file, and belong here: `__module__`, pickles
and `isinstance` say so. They look helpers such as `super_len`, `complexjson` or `chardet` up in this module, where
programs patch them, and which imports each when it is asked for.
"""

from __future__ import annotations

from ._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import UnsupportedOperation as UnsupportedOperation
    from typing import Any, Final
    from urllib.parse import urlencode as urlencode
    from urllib.parse import urlsplit as urlsplit
    from urllib.parse import urlunparse as urlunparse

    from urllib3.fields import RequestField as RequestField
    from urllib3.filepost import encode_multipart_formdata as encode_multipart_formdata
    from urllib3.util import parse_url as parse_url

    from . import exceptions as _exceptions
    from ._encoding import RequestEncodingMixin as RequestEncodingMixin
    from ._encoding import RequestHooksMixin as RequestHooksMixin
    from ._internal_utils import to_native_string as to_native_string
    from ._internal_utils import unicode_is_ascii as unicode_is_ascii
    from ._prepared import PreparedRequest as PreparedRequest
    from ._prepared import Request as Request
    from ._response import Response as Response
    from .auth import HTTPBasicAuth as HTTPBasicAuth
    from .compat import JSONDecodeError as JSONDecodeError
    from .cookies import _copy_cookie_jar as _copy_cookie_jar
    from .cookies import cookiejar_from_dict as cookiejar_from_dict
    from .cookies import get_cookie_header as get_cookie_header
    from .exceptions import ChunkedEncodingError as ChunkedEncodingError
    from .exceptions import ConnectionError as ConnectionError
    from .exceptions import ContentDecodingError as ContentDecodingError
    from .exceptions import HTTPError as HTTPError
    from .exceptions import InvalidJSONError as InvalidJSONError
    from .exceptions import InvalidURL as InvalidURL
    from .exceptions import MissingSchema as MissingSchema
    from .exceptions import StreamConsumedError as StreamConsumedError
    from .hooks import default_hooks as default_hooks
    from .status_codes import codes as codes
    from .structures import CaseInsensitiveDict as CaseInsensitiveDict
    from .utils import check_header_validity as check_header_validity
    from .utils import get_auth_from_url as get_auth_from_url
    from .utils import guess_filename as guess_filename
    from .utils import guess_json_utf as guess_json_utf
    from .utils import iter_slices as iter_slices
    from .utils import parse_header_links as parse_header_links
    from .utils import requote_uri as requote_uri
    from .utils import stream_decode_response_unicode as stream_decode_response_unicode
    from .utils import super_len as super_len
    from .utils import to_key_val_list as to_key_val_list

    RequestsJSONDecodeError = _exceptions.JSONDecodeError
    RequestsSSLError = _exceptions.SSLError
    LocationParseError: Any
    chardet: Any
    complexjson: Any
    cookielib: Any

#: Statuses that send the client elsewhere, when the response has a Location.
REDIRECT_STATI: Final[tuple[int, ...]] = (301, 302, 303, 307, 308)

DEFAULT_REDIRECT_LIMIT: int = 30
CONTENT_CHUNK_SIZE: int = 10 * 1024
ITER_CHUNK_SIZE: int = 512

# From where they were written, and not from where somebody may have something else in their place for a while.
_LATER = {
    "RequestsJSONDecodeError": ".exceptions:JSONDecodeError",
    "RequestsSSLError": ".exceptions:SSLError",
    "_SupportsRead": "._types:SupportsRead",
    "complexjson": ".compat:json",
    "cookielib": "http.cookiejar",
    "datetime": "datetime",
    "encodings": "encodings",
}
_MODULES = {
    "._encoding": "RequestEncodingMixin RequestHooksMixin",
    "._internal_utils": "to_native_string unicode_is_ascii",
    "._prepared": "PreparedRequest Request",
    "._response": "Response",
    "._util_body": "guess_filename super_len",
    "._util_headers": "check_header_validity parse_header_links",
    "._util_mappings": "to_key_val_list",
    "._util_text": "guess_json_utf iter_slices stream_decode_response_unicode",
    "._util_urls": "get_auth_from_url requote_uri",
    ".auth": "HTTPBasicAuth",
    ".compat": "JSONDecodeError basestring builtin_str chardet",
    ".cookies": "_copy_cookie_jar cookiejar_from_dict get_cookie_header",
    ".exceptions": "ChunkedEncodingError ConnectionError ContentDecodingError HTTPError InvalidJSONError"
    " InvalidURL MissingSchema StreamConsumedError",
    ".hooks": "default_hooks",
    ".status_codes": "codes",
    ".structures": "CaseInsensitiveDict",
    "collections.abc": "Callable Generator Iterable Iterator Mapping",
    "io": "UnsupportedOperation",
    "typing": "Any Final Literal cast overload",
    "urllib.parse": "urlencode urlsplit urlunparse",
    "urllib3.exceptions": "DecodeError LocationParseError ProtocolError ReadTimeoutError SSLError",
    "urllib3.fields": "RequestField",
    "urllib3.filepost": "encode_multipart_formdata",
    "urllib3.util": "parse_url",
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(globals(), _LATER, _MODULES)
