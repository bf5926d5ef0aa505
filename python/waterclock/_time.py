"""The deadline that calls are under."""

from __future__ import annotations

# The module behind contextvars, which takes longer to import.
from _contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._engine import Deadline

_current: ContextVar[Deadline | None] = ContextVar("waterclock.deadline", default=None)

#: The deadline that calls of this context are under, or None.
current_deadline = _current.get
