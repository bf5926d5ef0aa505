"""Reading and writing header fields."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .structures import CaseInsensitiveDict

# Members of a list: a quoted string (closed or not), text outside quotes, or a comma.
_LIST_PIECE = r'(?s)"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^",]+|,'
_QUOTED_PAIR = r"(?s)\\(.?)"


def _split_list(value: str) -> list[str]:
    """Split at the commas outside quotes, and take backslashes out of quotes.

    This is `urllib.request.parse_http_list`, whose module takes longer to import than most calls
    take.
    """
    # Here, because most that come for another function need no regular expressions.
    import re

    members = [""]
    for piece in re.findall(_LIST_PIECE, value):
        if piece == ",":
            members.append("")
        elif piece[0] == '"':
            members[-1] += re.sub(_QUOTED_PAIR, r"\1", piece)
        else:
            members[-1] += piece
    if not members[-1]:
        members.pop()
    return [member.strip() for member in members]


def _is_quoted(value: str) -> bool:
    return value[:1] == value[-1:] == '"'


def parse_list_header(value: str) -> list[str]:
    """Return the members of a comma-separated field, without their quotes.

    >>> parse_list_header('token, "quoted, value"')
    ['token', 'quoted, value']
    """
    from . import utils

    return [
        utils.unquote_header_value(member[1:-1]) if _is_quoted(member) else member
        for member in _split_list(value)
    ]


def parse_dict_header(value: str) -> dict[str, Any]:
    """Return the `name=value` members of a field; what has no value is None.

    >>> parse_dict_header('realm="a, b", stale')
    {'realm': 'a, b', 'stale': None}
    """
    from . import utils

    found: dict[str, str | None] = {}
    for member in _split_list(value):
        name, equals, text = member.partition("=")
        if not equals:
            found[member] = None
        elif _is_quoted(text):
            found[name] = utils.unquote_header_value(text[1:-1])
        else:
            found[name] = text
    return found


def unquote_header_value(value: str, is_filename: bool = False) -> str:
    r"""Take the quotes off a value, the way browsers do and not RFC 9110.

    Only `\\` and `\"` are escapes. With `is_filename`, a Windows share (`\\host\file`) keeps its
    two backslashes in front, because browsers do not escape them.
    """
    if not value or not value[0] == value[-1] == '"':
        return value
    inner = value[1:-1]
    if is_filename and inner.startswith("\\\\"):
        return inner
    return inner.replace("\\\\", "\\").replace('\\"', '"')


def parse_header_links(value: str) -> list[dict[str, str]]:
    """Return the links of a `Link` field, each a mapping of `url` and its parameters.

    >>> parse_header_links('<https://a.example/2>; rel=next')
    [{'url': 'https://a.example/2', 'rel': 'next'}]
    """
    around = " '\""
    value = value.strip(around)
    if not value:
        return []
    import re

    links = []
    for text in re.split(", *<", value):
        url, _, parameters = text.partition(";")
        link = {"url": url.strip("<> '\"")}
        for parameter in parameters.split(";"):
            if parameter.count("=") != 1:
                # Not `name=value`: this and what follows is no parameter.
                break
            name, _, content = parameter.partition("=")
            link[name.strip(around)] = content.strip(around)
        links.append(link)
    return links


def _parse_content_type_header(header: str) -> tuple[str, dict[str, Any]]:
    """Split a `Content-Type` field into the type and its parameters, names in lower case."""
    content_type, *parameters = header.split(";")
    around = "\"' "
    found: dict[str, Any] = {}
    for parameter in parameters:
        name, equals, text = parameter.strip().partition("=")
        if equals:
            found[name.strip(around).lower()] = text.strip(around)
    return content_type.strip(), found


def get_encoding_from_headers(headers: CaseInsensitiveDict[str]) -> str | None:
    """Return the encoding that `Content-Type` names or implies, or None."""
    field = headers.get("content-type")
    if not field:
        return None
    content_type, parameters = _parse_content_type_header(field)
    if "charset" in parameters:
        charset: str = parameters["charset"].strip("'\"")
        return charset
    if "text" in content_type:
        return "ISO-8859-1"
    if "application/json" in content_type:
        return "utf-8"  # RFC 8259, section 8.1
    return None


def check_header_validity(header: tuple[str | bytes, str | bytes]) -> None:
    """Raise `InvalidHeader` if name or value could be taken for something else by a server."""
    name, value = header
    _validate_header_part(header, name, 0)
    _validate_header_part(header, value, 1)


def _validate_header_part(
    header: tuple[str | bytes, str | bytes],
    header_part: str | bytes,
    header_validator_index: int,
) -> None:
    """Check the name (index 0) or the value (index 1) of `header`."""
    from . import utils

    matched: Any
    if isinstance(header_part, str):
        matched = utils._HEADER_VALIDATORS_STR[header_validator_index].match(header_part)
    elif isinstance(header_part, bytes):
        matched = utils._HEADER_VALIDATORS_BYTE[header_validator_index].match(header_part)
    else:
        raise utils.InvalidHeader(
            f"Header part ({header_part!r}) from {header} "
            f"must be of type str or bytes, not {type(header_part)}"
        )
    if not matched:
        kind = ("name", "value")[header_validator_index]
        raise utils.InvalidHeader(
            "Invalid leading whitespace, reserved character(s), or return "
            f"character(s) in header {kind}: {header_part!r}"
        )
