"""`exceptions.ContentDecodingError`, apart because its second base is in urllib3."""

from __future__ import annotations

import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
from urllib3.exceptions import HTTPError as BaseHTTPError

from .exceptions import RequestException


class ContentDecodingError(RequestException, BaseHTTPError):
    """A content coding of the response (gzip, br, ...) could not be undone."""

    __module__ = "waterclock.exceptions"
