"""Modules that notice when something in them is replaced.

`mock.patch("requests.sessions.preferred_clock")` and its like assign to a module. The short way has to know of it before
the next call, and to look at sixty names each time would cost more than a microsecond. So the modules that matter
say when they were assigned to ("Customizing module attribute access" in Python's reference).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
else:
    ModuleType = type(sys)

#: Another object after each change.
latest_change = object()


class WatchedModule(ModuleType):
    """A module that notices assignments and deletions; what its own code does to its globals is not among them."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        _note_change()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _note_change()


def _note_change() -> None:
    global latest_change
    latest_change = object()


def watch(name: str) -> None:
    """Have a module that is loaded notice changes from now on."""
    module = sys.modules[name]
    if type(module) is ModuleType:
        module.__class__ = WatchedModule
