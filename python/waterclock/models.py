"""What is sent and what comes back: `Request`, `PreparedRequest` and `Response`.

The classes are written down in private modules beside this one, one idea a file, and belong here:
`__module__`, pickles and `isinstance` say so. They look helpers such as `super_len`, `complexjson`
or `chardet` up in the globals of this module, where programs patch them.
"""

from __future__ import annotations

from ._internal_utils import to_native_string, unicode_is_ascii
from ._lazy import attach
from .exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    HTTPError,
    InvalidJSONError,
    InvalidURL,
    MissingSchema,
    StreamConsumedError,
)
from .exceptions import SSLError as RequestsSSLError
from .hooks import default_hooks
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import (
    check_header_validity,
    get_auth_from_url,
    guess_filename,
    guess_json_utf,
    iter_slices,
    parse_header_links,
    requote_uri,
    stream_decode_response_unicode,
    super_len,
    to_key_val_list,
)

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

    from .auth import HTTPBasicAuth as HTTPBasicAuth
    from .compat import JSONDecodeError as JSONDecodeError
    from .cookies import _copy_cookie_jar as _copy_cookie_jar
    from .cookies import cookiejar_from_dict as cookiejar_from_dict
    from .cookies import get_cookie_header as get_cookie_header
    from .exceptions import ContentDecodingError as ContentDecodingError
    from .exceptions import JSONDecodeError as RequestsJSONDecodeError

    LocationParseError: Any
    chardet: Any
    complexjson: Any
    cookielib: Any

#: Statuses that send the client elsewhere, when the response has a Location.
REDIRECT_STATI: Final[tuple[int, ...]] = (301, 302, 303, 307, 308)

DEFAULT_REDIRECT_LIMIT: int = 30
CONTENT_CHUNK_SIZE: int = 10 * 1024
ITER_CHUNK_SIZE: int = 512

# Names that only some calls need, or only other people's code.
_LATER: Final = {
    "Any": "typing:Any",
    "Callable": "collections.abc:Callable",
    "ContentDecodingError": ".exceptions:ContentDecodingError",
    "DecodeError": "urllib3.exceptions:DecodeError",
    "Final": "typing:Final",
    "Generator": "collections.abc:Generator",
    "HTTPBasicAuth": ".auth:HTTPBasicAuth",
    "Iterable": "collections.abc:Iterable",
    "Iterator": "collections.abc:Iterator",
    "JSONDecodeError": ".compat:JSONDecodeError",
    "Literal": "typing:Literal",
    "LocationParseError": "urllib3.exceptions:LocationParseError",
    "Mapping": "collections.abc:Mapping",
    "ProtocolError": "urllib3.exceptions:ProtocolError",
    "ReadTimeoutError": "urllib3.exceptions:ReadTimeoutError",
    "RequestField": "urllib3.fields:RequestField",
    "RequestsJSONDecodeError": ".exceptions:JSONDecodeError",
    "SSLError": "urllib3.exceptions:SSLError",
    "UnsupportedOperation": "io:UnsupportedOperation",
    "_SupportsRead": "._types:SupportsRead",
    "_copy_cookie_jar": ".cookies:_copy_cookie_jar",
    "basestring": ".compat:basestring",
    "builtin_str": ".compat:builtin_str",
    "cast": "typing:cast",
    "chardet": ".compat:chardet",
    "complexjson": ".compat:json",
    "cookiejar_from_dict": ".cookies:cookiejar_from_dict",
    "cookielib": "http.cookiejar",
    "datetime": "datetime",
    "encode_multipart_formdata": "urllib3.filepost:encode_multipart_formdata",
    "encodings": "encodings",
    "get_cookie_header": ".cookies:get_cookie_header",
    "overload": "typing:overload",
    "parse_url": "urllib3.util:parse_url",
    "urlencode": "urllib.parse:urlencode",
    "urlsplit": "urllib.parse:urlsplit",
    "urlunparse": "urllib.parse:urlunparse",
}
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(globals(), _LATER)

# Last, because they take what they need from this module.
from ._encoding import RequestEncodingMixin, RequestHooksMixin
from ._prepared import PreparedRequest, Request
from ._response import Response

if TYPE_CHECKING:
    __all__ = [
        "CONTENT_CHUNK_SIZE",
        "DEFAULT_REDIRECT_LIMIT",
        "ITER_CHUNK_SIZE",
        "REDIRECT_STATI",
        "CaseInsensitiveDict",
        "ChunkedEncodingError",
        "ConnectionError",
        "HTTPError",
        "InvalidJSONError",
        "InvalidURL",
        "MissingSchema",
        "PreparedRequest",
        "Request",
        "RequestEncodingMixin",
        "RequestHooksMixin",
        "RequestsJSONDecodeError",
        "RequestsSSLError",
        "Response",
        "StreamConsumedError",
        "check_header_validity",
        "codes",
        "default_hooks",
        "get_auth_from_url",
        "guess_filename",
        "guess_json_utf",
        "iter_slices",
        "parse_header_links",
        "requote_uri",
        "stream_decode_response_unicode",
        "super_len",
        "to_key_val_list",
        "to_native_string",
        "unicode_is_ascii",
    ]
