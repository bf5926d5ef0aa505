"""`waterclock.install()`: from now on, `import requests` gives waterclock.

`requests` and everything below it become second names of the module objects of waterclock, so a class
exists once, whichever name it was reached by. Nothing outside this process changes: no file, no `.pth`;
the distribution called requests stays what it is (`importlib.metadata.version("requests")` is that one's).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType
    from typing import Any

_OURS = "waterclock"
_THEIRS = "requests"
_PACKAGES = "requests.packages."
# More names than that help nobody.
_NAMED = 8


def install() -> None:
    """Makes every later `import requests`, or of anything below it, give waterclock.

    Call it before anything imports requests:

        import waterclock
        waterclock.install()

        import some_library_that_uses_requests

    A second call changes nothing. Interpreters that this one starts begin with the real requests, as always.

    Raises RuntimeError, which says who holds it, if the real requests has been imported already.
    """
    ours = importlib.import_module(_OURS)
    if sys.modules.get(_THEIRS) is not ours:
        real = _real_modules()
        if real:
            raise RuntimeError(_refusal(real))
        sys.modules[_THEIRS] = ours
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def uninstall() -> None:
    """Takes `install()` back, for tests. What was imported in between keeps what it has."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    for name in [name for name in list(sys.modules) if _is_theirs(name) and _is_ours(name)]:
        del sys.modules[name]


class Finder:
    """Finds `requests.x` where `waterclock.x` is, and `requests.packages.y` where `y` is."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not _is_theirs(fullname):
            return None
        name = _name_of(fullname)
        found = importlib.util.find_spec(name) if name is not None else None
        if name is None or found is None:
            return None
        is_package = found.submodule_search_locations is not None
        # Without its abstract base, which is slow to import.
        loader: Any = _Alias(name)
        spec = ModuleSpec(fullname, loader, origin=found.origin, is_package=is_package)
        # The code may be run as a program, which wants to know the place of its file.
        spec.cached = found.cached
        return spec


class _Alias:
    """Loads nothing: another module takes the place of the empty one that the import system made.

    That module keeps its own spec and loader; the import system looks into `sys.modules` once more
    after `exec_module` for exactly this purpose.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The spec and not `__name__`: that is what the import system registered it under.
        assert module.__spec__ is not None
        name = module.__spec__.name
        sys.modules[name] = ours = importlib.import_module(self._name)
        if name == _PACKAGES[:-1]:
            # It is no folder, but things are below it: without this nobody would be asked for them.
            ours.__dict__.setdefault("__path__", [])

    def get_code(self, fullname: str) -> CodeType | None:
        """For `python -m waterclock run -m requests.help`."""
        found = importlib.util.find_spec(self._name)
        get_code = getattr(found and found.loader, "get_code", None)
        code: CodeType | None = get_code(self._name) if get_code is not None else None
        return code


def _is_theirs(name: str) -> bool:
    return name == _THEIRS or name.startswith(_THEIRS + ".")


def _name_of(theirs: str) -> str | None:
    """What a module that is called so really is called; `None` if requests has no such name."""
    if not theirs.startswith(_PACKAGES):
        return _OURS + theirs[len(_THEIRS) :]
    top, dot, rest = theirs[len(_PACKAGES) :].partition(".")
    if top in ("urllib3", "idna"):
        return top + dot + rest
    # Whichever of the two is there has both names.
    detector = getattr(importlib.import_module(_OURS + ".compat"), "chardet", None)
    if detector is not None and top in ("chardet", detector.__name__):
        return f"{detector.__name__}{dot}{rest}"
    return None


def _is_ours(name: str) -> bool:
    module = sys.modules[name]
    return module is None or module is sys.modules.get(_name_of(name) or "")


def _real_modules() -> list[str]:
    """Names of the modules of the real requests that are loaded."""
    return sorted(name for name in list(sys.modules) if _is_theirs(name) and not _is_ours(name))


def _refusal(real: list[str]) -> str:
    place = getattr(sys.modules[real[0]], "__file__", None) or "an unknown place"
    holders = _holders({id(sys.modules[name]) for name in real})
    named = ", ".join(holders[:_NAMED])
    if len(holders) > _NAMED:
        named += f" and {len(holders) - _NAMED} more"
    held = f"and held by: {named}" if named else "though no module holds it now"
    return (
        f"waterclock.install(): the real requests is imported already (from {place}), {held}. "
        "Call install() before anything imports requests, or start the program with "
        "`python -m waterclock run`, or keep the real requests and change only how it sends: "
        "waterclock.patch_requests()."
    )


def _holders(real: set[int]) -> list[str]:
    """The modules that have one of `real`, or something from it, under a name of their own."""

    def comes_from_it(value: object) -> bool:
        if id(value) in real:
            return True
        # By `type()`, because `isinstance` asks proxies, and they may answer with an error.
        if not issubclass(type(value), (type, FunctionType)):
            return False
        home = getattr(value, "__module__", None)
        return isinstance(home, str) and _is_theirs(home)

    return sorted(
        name
        for name, module in list(sys.modules.items())
        if not _is_theirs(name)
        and issubclass(type(module), ModuleType)
        and any(comes_from_it(value) for value in list(vars(module).values()))
    )
