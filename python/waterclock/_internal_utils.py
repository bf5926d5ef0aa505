"""What a header field may consist of, and two helpers for strings. Private to the package."""

from __future__ import annotations

import re

from .compat import builtin_str as builtin_str

# A name has no colon, no line break and no space in front; a value has no line break and no space
# in front, or is empty. `\Z`, because `$` would let a line break at the end pass.
_VALID_HEADER_NAME_RE_STR = re.compile(r"^[^:\s][^:\r\n]*\Z")
_VALID_HEADER_VALUE_RE_STR = re.compile(r"^\S[^\r\n]*\Z|^\Z")
_VALID_HEADER_NAME_RE_BYTE = re.compile(_VALID_HEADER_NAME_RE_STR.pattern.encode())
_VALID_HEADER_VALUE_RE_BYTE = re.compile(_VALID_HEADER_VALUE_RE_STR.pattern.encode())

_HEADER_VALIDATORS_STR = (_VALID_HEADER_NAME_RE_STR, _VALID_HEADER_VALUE_RE_STR)
_HEADER_VALIDATORS_BYTE = (_VALID_HEADER_NAME_RE_BYTE, _VALID_HEADER_VALUE_RE_BYTE)
HEADER_VALIDATORS = {bytes: _HEADER_VALIDATORS_BYTE, str: _HEADER_VALIDATORS_STR}


def to_native_string(string: str | bytes, encoding: str = "ascii") -> str:
    """Return `string` as str, decoding it if it is bytes."""
    return string if isinstance(string, builtin_str) else string.decode(encoding)


def unicode_is_ascii(u_string: str) -> bool:
    """Say whether every character of a str is ASCII."""
    assert isinstance(u_string, str)
    return u_string.isascii()
