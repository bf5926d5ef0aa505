"""`exceptions.JSONDecodeError`, apart because its second base is in json (or simplejson)."""

from __future__ import annotations

from .compat import JSONDecodeError as CompatJSONDecodeError
from .exceptions import InvalidJSONError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class JSONDecodeError(InvalidJSONError, CompatJSONDecodeError):
    """The text is not JSON. `msg`, `doc`, `pos`, `lineno` and `colno` say where it goes wrong."""

    __module__ = "waterclock.exceptions"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The decoder's class takes (msg, doc, pos) and leaves one sentence in `args`. Only that
        # sentence may reach IOError, which takes three arguments for errno, strerror and filename.
        CompatJSONDecodeError.__init__(self, *args)
        InvalidJSONError.__init__(self, *self.args, **kwargs)

    def __reduce__(self) -> str | tuple[Any, ...]:
        # To be made again it needs the decoder's three arguments, not the sentence.
        return CompatJSONDecodeError.__reduce__(self)
