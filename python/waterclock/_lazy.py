"""Attributes that are made when somebody looks at them: of modules, and of objects.

Importing waterclock has to be cheap, and most programs need few of the names that requests has. A
module that would pull in something heavy lists such names in a table instead, and `attach` makes
the two functions of PEP 562 from it. What was asked for once is an ordinary global from then on,
so that patching, `vars()` and identity work as with any other module.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    #: "module:attribute", "module", both relative to the package with a leading dot, or a function.
    Source = str | Callable[[], Any]


def find(source: str, package: str = "waterclock") -> Any:
    """Import what `"module:attribute"` or `"module"` names and return it."""
    module_name, _, attribute = source.partition(":")
    if module_name.startswith("."):
        module_name = package + module_name
    # The package first: a thread that begins with a part of it holds that part's lock while it imports the
    # package, and another one that begins with the package waits for that part (a deadlock, which
    # Python resolves by an ImportError).
    __import__(module_name.partition(".")[0])
    __import__(module_name)
    module = sys.modules[module_name]
    return getattr(module, attribute) if attribute else module


def attach(
    namespace: dict[str, Any],
    table: Mapping[str, Source],
    modules: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for the module that has `namespace` as its globals.

    `table` says where each name is from, `modules` the same with less to build: what is from each module, with spaces
    between the names.
    """
    by_module = modules or {}

    def source_of(name: str) -> Source | None:
        if name in table:
            return table[name]
        for module, names in by_module.items():
            # Most are asked for something else: cutting all of them up would take longer.
            if name in names and name in names.split():
                return f"{module}:{name}"
        return None

    def module_getattr(name: str) -> Any:
        source = source_of(name)
        if source is None:
            if name == "__all__":
                # `from module import *` would see only what was asked for before.
                return [known for known in module_dir() if not known.startswith("_")]
            message = f"module {namespace['__name__']!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules.get(namespace["__name__"]))
        value = find(source) if isinstance(source, str) else source()
        if getattr(getattr(value, "__spec__", None), "_initializing", False):
            # A module that this thread is importing, further up: others have to wait for it, and would not if it was here.
            return value
        # Two threads may come here at once: the first value stays, so that a class exists once.
        return namespace.setdefault(name, value)

    def module_dir() -> list[str]:
        return sorted({*namespace, *table, *" ".join(by_module.values()).split()})

    return module_getattr, module_dir


class Later:
    """Stands for a module that is imported when something of it is asked for; what was asked for stays here."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(find(self._source), name)
        return value


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
