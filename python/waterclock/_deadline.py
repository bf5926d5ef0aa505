"""`deadline`: one limit for all calls of a block."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

from ._engine import Deadline, ask_for_deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_current: ContextVar[Deadline | None] = ContextVar("waterclock.deadline", default=None)

#: The deadline that calls of this context are under, or None.
current_deadline = _current.get
# Nobody sets one without this module: until it is imported the short way has nothing to ask.
ask_for_deadline(current_deadline)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Ends every call that is made inside, in this thread or task, when `seconds` are over.

    The limit of such a call is named `total`, and what is left of it goes over redirects, retries,
    pauses and bodies. Inside another deadline the earlier one counts. The time is also up for a call that
    has not begun: nothing is sent then. What a call raises is a `Timeout` whose `limit` is "total".

    It belongs to the thread or task that entered it: another thread keeps it by running in a copy of the
    context (`contextvars.copy_context().run`). `left()` of what `with` gives is what is left, in seconds.

    :param seconds: from now on; infinity is no deadline.
    :raises ValueError: if that is negative or not a number.

    >>> import waterclock as requests
    >>> with requests.deadline(0.5):  # doctest: +SKIP
    ...     for page in range(10):
    ...         requests.get(f"https://example.com/?page={page}")
    """
    if isinstance(seconds, bool):
        raise TypeError(f"a deadline is a number of seconds, not {seconds}")
    mine = Deadline(seconds)
    outer = _current.get()
    token = _current.set(mine if outer is None else mine.earlier(outer))
    try:
        yield mine
    finally:
        _current.reset(token)
