"""Functions of the caller that see a response before anybody else does.

There is one event, `response`. A hook gets the response and the keywords of `Session.send`; what
it returns, if not None, takes the response's place.
"""

from __future__ import annotations

from ._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from . import _types as _t
    from .models import Response

HOOKS: list[str] = ["response"]


def default_hooks() -> dict[str, list[_t.HookType]]:
    """Return a new mapping with an empty list for every event."""
    return {event: [] for event in HOOKS}


def dispatch_hook(
    key: str, hooks: _t.HooksInputType | None, hook_data: Response, **kwargs: Any
) -> Response:
    """Call the hooks of event `key` one after the other, and return what the last one left."""
    registered: Any = (hooks or {}).get(key)
    if not registered:
        return hook_data
    chain: Iterable[Any] = [registered] if callable(registered) else registered
    for hook in chain:
        replaced = hook(hook_data, **kwargs)
        if replaced is not None:
            hook_data = replaced
    return hook_data


if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        globals(),
        {
            "Any": "typing:Any",
            "Callable": "collections.abc:Callable",
            "Iterable": "collections.abc:Iterable",
        },
    )
