"""Encodings of bodies."""

from __future__ import annotations

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import overload

    from .models import Response

# requests kept these names of bytes that JSON in UTF-16 or UTF-32 has.
_null = b"\x00"
_null2 = _null * 2
_null3 = _null * 3

_BYTE_ORDER_MARKS = (
    # The marks of UTF-32 begin with those of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# JSON begins with two ASCII characters, so that its first four bytes show where zeros are.
_ZEROS: dict[tuple[bool, ...], str] = {
    (False, False, False, False): "utf-8",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
}


def guess_json_utf(data: bytes) -> str | None:
    """Return the UTF that a document in JSON is written in, or None if it looks like no UTF."""
    sample = data[:4]
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    zeros = tuple(byte == 0 for byte in sample)
    if not any(zeros):
        return "utf-8"
    if len(zeros) < 4:
        return _guess_short(sample)
    return _ZEROS.get(zeros)


def _guess_short(sample: bytes) -> str | None:
    """Tell the encoding of less than four bytes, some of them zero."""
    if sample == _null3:
        return "utf-32-be"
    if len(sample) == 3 and sample[::2] == _null2 and sample[1]:
        return "utf-16-be"
    return None


def get_encodings_from_content(content: str) -> list[str]:
    """Return the encodings that a document in HTML or XML says it has (deprecated)."""
    import re
    import warnings

    warnings.warn(
        "In requests 3.0, get_encodings_from_content will be removed. For "
        "more information, please see the discussion on issue #2266. (This"
        " warning should only appear once.)",
        DeprecationWarning,
        stacklevel=2,
    )
    places = (
        re.compile(r'<meta.*?charset=["\']*(.+?)["\'>]', re.IGNORECASE),
        re.compile(r'<meta.*?content=["\']*;?charset=(.+?)["\'>]', re.IGNORECASE),
        re.compile(r'^<\?xml.*?encoding=["\']*(.+?)["\'>]'),
    )
    return [encoding for place in places for encoding in place.findall(content)]


def get_unicode_from_response(r: Response) -> str | bytes | None:
    """Return the body as text, by the encoding of `Content-Type` or else UTF-8 (deprecated)."""
    import warnings

    from . import utils

    warnings.warn(
        "In requests 3.0, get_unicode_from_response will be removed. For "
        "more information, please see the discussion on issue #2266. (This"
        " warning should only appear once.)",
        DeprecationWarning,
        stacklevel=2,
    )
    content = r.content
    if content is None:  # a response filled by hand
        return None
    encoding = utils.get_encoding_from_headers(r.headers)
    if encoding:
        try:
            return str(content, encoding)
        except UnicodeError:
            pass
    try:
        return str(content, encoding or "utf-8", errors="replace")
    except TypeError:
        return content


def stream_decode_response_unicode(
    iterator: Iterable[bytes], r: Response
) -> Generator[str | bytes, None, None]:
    """Decode the pieces of a body by `r.encoding`; without one they stay bytes."""
    if r.encoding is None:
        yield from iterator
        return
    decoder = codecs.getincrementaldecoder(r.encoding)(errors="replace")
    for piece in iterator:
        text = decoder.decode(piece)
        if text:
            yield text
    text = decoder.decode(b"", final=True)
    if text:
        yield text


if TYPE_CHECKING:

    @overload
    def iter_slices(string: bytes, slice_length: int | None) -> Generator[bytes, None, None]: ...

    @overload
    def iter_slices(string: str, slice_length: int | None) -> Generator[str, None, None]: ...


def iter_slices(
    string: bytes | str, slice_length: int | None
) -> Generator[bytes | str, None, None]:
    """Yield pieces of `slice_length`, or all at once if that is None or not positive."""
    if slice_length is None or slice_length <= 0:
        slice_length = len(string)
    for start in range(0, len(string), slice_length or 1):
        yield string[start : start + slice_length]
