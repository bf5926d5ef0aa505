"""How long a body is, what it is called, and how to bring it back to its beginning."""

from __future__ import annotations

import io
import os
import warnings

from .exceptions import FileModeWarning, UnrewindableBodyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .models import PreparedRequest


def _length_of_file(file: Any) -> int | None:
    """Ask the system how long an open file is; None if `file` is not backed by one."""
    try:
        descriptor = file.fileno()
    except (io.UnsupportedOperation, AttributeError):
        # What `TarFile.extractfile` returns has a fileno that raises AttributeError when called.
        return None
    length = os.fstat(descriptor).st_size
    if "b" not in file.mode:
        # requests adds this filter when it is imported. Adding it twice does nothing.
        warnings.simplefilter("default", FileModeWarning, append=True)
        warnings.warn(
            "Requests has determined the content-length for this "
            "request using the binary size of the file: however, the "
            "file has been opened in text mode (i.e. without the 'b' "
            "flag in the mode). This may lead to an incorrect "
            "content-length. In Requests 3.0, support will be removed "
            "for files in text mode.",
            FileModeWarning,
            stacklevel=3,
        )
    return length


def super_len(o: Any) -> int:
    """Return how many bytes of `o` are left to send; 0 also when nobody knows."""
    from . import utils

    text: Any = o
    if isinstance(text, str) and not utils.__dict__.get("is_urllib3_1"):
        # It will be sent as UTF-8.
        return len(text) if text.isascii() else len(text.encode("utf-8"))

    total: int | None = None
    if hasattr(o, "__len__"):
        total = len(o)
    elif hasattr(o, "len"):
        total = o.len
    elif hasattr(o, "fileno"):
        total = _length_of_file(o)

    if not hasattr(o, "tell"):
        return max(0, total or 0)
    position: int | None = 0
    try:
        position = o.tell()
    except OSError:
        # Standard input and the like have a position nobody can tell. Counting nothing as left
        # makes the body go out in chunks.
        if total is not None:
            position = total
    else:
        if total is None and hasattr(o, "seek"):
            # StringIO and BytesIO: no descriptor, but the end can be visited.
            try:
                o.seek(0, os.SEEK_END)
                total = o.tell()
                o.seek(position or 0)
            except OSError:
                total = 0
    return max(0, (total or 0) - (position or 0))


def guess_filename(obj: Any) -> str | None:
    """Return the last part of `obj.name`, unless that is no name of a file (`<stdin>`)."""
    name = getattr(obj, "name", None)
    if not name or not isinstance(name, (str, bytes)):
        return None
    # Of bytes these are numbers, which never equal a bracket: such a name is always taken.
    if name[0] == "<" or name[-1] == ">":
        return None
    return os.path.basename(name)  # type: ignore[return-value]


def rewind_body(prepared_request: PreparedRequest) -> None:
    """Bring the body back to where it stood when it was first sent."""
    seek = getattr(prepared_request.body, "seek", None)
    position = prepared_request._body_position
    if seek is None or not isinstance(position, int):
        raise UnrewindableBodyError("Unable to rewind request body for redirect.")
    try:
        seek(position)
    except OSError:
        raise UnrewindableBodyError(
            "An error occurred when rewinding request body for redirect."
        ) from None
