"""Module attributes that are looked for when somebody asks for them.

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


def listed(modules: Mapping[str, str]) -> dict[str, str]:
    """Return a table for `attach`, of modules and what is from each: names, with spaces between them."""
    return {name: f"{module}:{name}" for module, names in modules.items() for name in names.split()}


def attach(
    namespace: dict[str, Any], table: Mapping[str, Source] | str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for the module that has `namespace` as its globals.

    A table that is large may be in a module of its own: then `table` says where.
    """

    def sources() -> Mapping[str, Source]:
        return find(table) if isinstance(table, str) else table

    def module_getattr(name: str) -> Any:
        try:
            source = sources()[name]
        except KeyError:
            if name == "__all__":
                # `from module import *` would see only what was asked for before.
                return [known for known in module_dir() if not known.startswith("_")]
            message = f"module {namespace['__name__']!r} has no attribute {name!r}"
            raise AttributeError(
                message, name=name, obj=sys.modules.get(namespace["__name__"])
            ) from None
        value = find(source) if isinstance(source, str) else source()
        if getattr(getattr(value, "__spec__", None), "_initializing", False):
            # A module that this thread is importing, further up: others have to wait for it, and would not if it was here.
            return value
        # Two threads may come here at once: the first value stays, so that a class exists once.
        return namespace.setdefault(name, value)

    def module_dir() -> list[str]:
        return sorted({*namespace, *sources()})

    return module_getattr, module_dir
