"""Exceptions for a program that uses the real requests: of its classes, and of ours of the same names.

`except requests.Timeout` catches them, and they have `timeline`, `explain()` and the rest.
"""

from __future__ import annotations

from . import exceptions as _exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_made: dict[type, type] = {}


def as_real(error: _exceptions.RequestException) -> None:
    """Makes an exception of ours one of the real requests too; what it knows stays as it is."""
    error.__class__ = both(type(error))


def both(ours: type) -> type:
    """The class that derives from one of ours, and from the real requests' classes of the same names."""
    known = _made.get(ours)
    if known is not None or hasattr(ours, "_waterclock_ours"):
        return known or ours
    from requests import exceptions as theirs

    real: list[type] = []
    for base in ours.__mro__:
        found = vars(theirs).get(base.__name__)
        if base.__module__ != _exceptions.__name__ or not isinstance(found, type):
            continue
        # Not one that another one derives from.
        if not any(issubclass(other, found) for other in real):
            real.append(found)
    place = theirs if ours.__name__ in vars(theirs) else _exceptions
    members = {
        "__doc__": ours.__doc__,
        "__module__": place.__name__,
        "__qualname__": ours.__name__,
        "__reduce__": _reduce,
        "_waterclock_ours": ours,
    }
    return _made.setdefault(ours, type(ours.__name__, (ours, *real), members))


def _reduce(error: Any) -> tuple[Any, ...]:
    # Its class is found by no name: it is made again from ours.
    ours = error._waterclock_ours
    _, _, *state = ours.__reduce__(error)
    return (_remade, (ours, error.args), *state)


def _remade(ours: type, args: tuple[Any, ...]) -> Any:
    return both(ours)(*args)
