"""Escaping, user information and schemes of URLs."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlparse, urlunparse

from .exceptions import InvalidURL

#: What RFC 3986 (section 2.3) calls unreserved: escaped or not, it means the same.
UNRESERVED_SET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# Reserved characters, which mean something where they stand and are left alone.
_RESERVED = "!#$&'()*+,/:;=?@[]~"

# A URL that comes out of urllib3's parser as it went in. Anything else is left to that parser,
# which is slow to import.
_PLAIN_URL = re.compile(
    r"[a-z][a-z0-9+-]*://"
    r"(?:[A-Za-z0-9._~-]+(?::[A-Za-z0-9._~-]*)?@)?"
    r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?/?"
)


def unquote_unreserved(uri: str) -> str:
    """Undo escapes of unreserved characters, and leave all others as they are."""
    first, *rest = uri.split("%")
    parts = [first]
    for part in rest:
        digits = part[:2]
        if len(digits) == 2 and digits.isalnum():
            try:
                character = chr(int(digits, 16))
            except ValueError:
                raise InvalidURL(f"Invalid percent-escape sequence: '{digits}'") from None
            if character in UNRESERVED_SET:
                parts.append(character + part[2:])
                continue
        parts.append("%" + part)
    return "".join(parts)


def requote_uri(uri: str) -> str:
    """Escape what has to be escaped, and only that, whatever was escaped before."""
    from . import utils

    try:
        return quote(utils.unquote_unreserved(uri), safe=_RESERVED + "%")
    except InvalidURL:
        # A percent sign that begins no escape stands for itself, and so do all others.
        return quote(uri, safe=_RESERVED)


def prepend_scheme_if_needed(url: str, new_scheme: str) -> str:
    """Put `new_scheme` in front of a URL that has none."""
    if _PLAIN_URL.fullmatch(url):
        return url

    from . import utils

    parsed = utils.parse_url(url)
    netloc, path = parsed.netloc, parsed.path
    if not netloc:
        # "host/path" was taken for a path alone.
        netloc, path = path, netloc
    if parsed.auth:
        # Without a host (a TypeError in requests) the adapter will say that the URL is no good.
        netloc = f"{parsed.auth}@{netloc or ''}"
    scheme = new_scheme if parsed.scheme is None else parsed.scheme
    return urlunparse((scheme, netloc, path or "", "", parsed.query, parsed.fragment))


def get_auth_from_url(url: str) -> tuple[str, str]:
    """Return user and password of a URL, unescaped; both empty unless both are there."""
    parsed = urlparse(url)
    if parsed.username is None or parsed.password is None:
        return "", ""
    return unquote(parsed.username), unquote(parsed.password)


def urldefragauth(url: str) -> str:
    """Return the URL without fragment and user information."""
    scheme, netloc, path, params, query, _ = urlparse(url)
    if not netloc:
        netloc, path = path, netloc
    return urlunparse((scheme, netloc.rpartition("@")[2], path, params, query, ""))
