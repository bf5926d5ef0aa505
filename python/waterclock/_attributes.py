"""Attributes that are made when somebody looks at them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Lazy:
    """A non-data descriptor: `make(instance)` gives the value, which stays in the instance.

    There is no `__set__`, so what is in the instance's `__dict__` comes first: assigning,
    deleting, `vars()` and filling an object by hand work as with plain attributes. As with plain
    attributes that only instances have, the class itself does not answer to the name.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make
        self.name = make.__name__
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            raise AttributeError(f"type object {owner.__name__!r} has no attribute {self.name!r}")  # type: ignore[union-attr]
        # Of two threads that come here at the same time both get the first one's value.
        return instance.__dict__.setdefault(self.name, self.make(instance))


def missing(instance: object, name: str) -> AttributeError:
    """Return the error of an attribute that was never set and cannot be made."""
    return AttributeError(
        f"{type(instance).__name__!r} object has no attribute {name!r}", name=name, obj=instance
    )
