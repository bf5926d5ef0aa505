"""Taking a URL apart as urllib3 does, without importing it.

Importing urllib3 costs more than a hundred requests, and nearly every URL is plain: nothing in it
has to be encoded, folded or removed. `is_plain` recognises those with one regular expression;
`split` does the rest of what programs use; what is left (a host that needs IDNA, an IPv6 zone,
something that is no URL) goes to urllib3, so that its rules and its messages hold.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# RFC 3986, section 3: what may stand in a component as it is.
_PCHAR = r"A-Za-z0-9\-._~!$&'()*+,;=:@"
# Escapes of characters that need none are undone (section 6.2.2.2), so those are not plain.
_ESCAPE = r"%(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F])"

_PLAIN = re.compile(
    r"(?P<origin>https?://[a-z0-9][a-z0-9.\-_]*(?::(?P<port>[1-9][0-9]{0,4}))?)"
    rf"(?P<path>(?:/(?:[{_PCHAR}/]|{_ESCAPE})*)?)"
    rf"(?P<query>(?:\?(?:[{_PCHAR}/?]|{_ESCAPE})+)?)"
    rf"(?P<fragment>(?:\#(?:[{_PCHAR}/?]|{_ESCAPE})+)?)"
)
_PLAIN_QUERY = re.compile(rf"(?:[{_PCHAR}/?]|{_ESCAPE})*")

_PARTS = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^\\/?#]*)(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?:\#(?P<fragment>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_AUTHORITY = re.compile(
    r"(?:(?P<userinfo>.*)@)?(?P<host>[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{0,5}))?",
    re.DOTALL,
)
_TRIPLET = re.compile(r"%[0-9A-Fa-f]{2}")
_SUB_DELIMS = "!$&'()*+,;="

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: scheme, userinfo, host, port, path, query, fragment
    Parts = tuple[str, str | None, str, int | None, str | None, str | None, str | None]


def plain(url: str) -> re.Match[str] | None:
    """Match a URL in which preparing changes nothing but an empty path, or return None.

    Groups: `origin` (with `port`), `path` (may be empty), `query` and `fragment` (with their
    delimiters).
    """
    match = _PLAIN.fullmatch(url)
    if match is None:
        return None
    port = match["port"]
    # Dot segments have to be removed, and only a path can have them.
    if "/." in match["path"] or (port is not None and len(port) == 5 and port > "65535"):
        return None
    return match


def is_plain_query(text: str) -> bool:
    """Say whether quoting `text` again would leave it as it is."""
    return _PLAIN_QUERY.fullmatch(text) is not None


def split(url: str) -> Parts | None:
    """Return the normalised parts of a URL, or None when urllib3 has to be asked."""
    parts = _PARTS.fullmatch(url)
    authority = parts and _AUTHORITY.fullmatch(parts["authority"])
    if not parts or not authority:
        return None
    host = authority["host"].lower()
    if host[0] == "[" and not _is_ipv6(host[1:-1]):
        return None
    port = int(authority["port"]) if authority["port"] else None
    if port is not None and port > 65535:
        return None
    userinfo, path, query = authority["userinfo"] or None, parts["path"], parts["query"]
    fragment = parts["fragment"]
    if userinfo:
        userinfo = _encode(userinfo, _SUB_DELIMS + ":")
    if path:
        path = _encode(_without_dots(path), _SUB_DELIMS + ":@/")
        if not path.startswith("/"):
            path = "/" + path
    if query:
        query = _encode(query, _SUB_DELIMS + ":@/?")
    if fragment:
        fragment = _encode(fragment, _SUB_DELIMS + ":@/?")
    return parts["scheme"].lower(), userinfo, host, port, path, query, fragment


_SENDABLE = re.compile(rf"[^/?#]*://[^/?#]*(?:[{_PCHAR}/?]|%[0-9A-F]{{2}})*(?:#.*)?", re.DOTALL)


def sendable(url: str) -> str:
    """Encode in path and query what may not stand in a request line.

    Preparing leaves `[` and `]` alone, and a program may put any URL into a prepared request.
    """
    if _SENDABLE.fullmatch(url):
        return url
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return url
    path = _encode(parts["path"], _SUB_DELIMS + ":@/")
    query = parts["query"]
    encoded = path if query is None else f"{path}?{_encode(query, _SUB_DELIMS + ':@/?')}"
    return f"{parts['scheme']}://{parts['authority']}{encoded}"


def _is_ipv6(address: str) -> bool:
    # The module behind `socket`, which is a large import of its own.
    from _socket import AF_INET6, inet_pton

    try:
        inet_pton(AF_INET6, address)
    except OSError:
        return False
    return True


def _encode(component: str, safe: str) -> str:
    """Percent-encode what may not stand in a component.

    A `%` is taken for an escape only if every one in the component can be one (then the hexadecimal
    digits become upper case), else each is taken literally.
    """
    component, escapes = _TRIPLET.subn(lambda match: match[0].upper(), component)
    if escapes == component.count("%"):
        safe += "%"
    return quote(component, safe=safe, encoding="utf-8", errors="surrogatepass")


def _without_dots(path: str) -> str:
    """Remove `.` and `..` segments (RFC 3986, section 5.2.4)."""
    if "/." not in path and not path.startswith("."):
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if path.startswith("/") and (not kept or kept[0]):
        kept.insert(0, "")
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
