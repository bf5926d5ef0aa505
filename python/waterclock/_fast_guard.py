"""Whether everything on the way of a request is ours: found out by identity, in about a microsecond.

Methods that the long way calls, and what is replaced below it, are remembered as they are and looked at in one step
(`Unchanged`, in Rust) for each call; our modules say themselves when a name in them was replaced (`_watched`). Only when
something has changed is it found out what that means; the answer is kept for as long as things stay that way, so a
program that replaced something pays for it once.
"""

from __future__ import annotations

import gc
import os
import sys
from time import monotonic

from . import _choice, _environ, _watched, models, sessions
from . import adapters as _adapters
from . import utils as _utils
from ._engine import Unchanged
from ._fast_names import (
    ADAPTER_METHODS,
    EXTRA_METHODS,
    GLOBALS,
    LATER,
    LATER_METHODS,
    SESSION_ATTRIBUTES,
    SESSION_METHODS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FunctionType
    from typing import Any
else:
    FunctionType = type(lambda: None)

_MISSING = object()


def _names(module: str) -> tuple[str, ...]:
    return GLOBALS[module.rpartition(".")[2]]


# Everything of ours, as it was when this module was imported, which is with `sessions`: adapters, models and
# utils may have been there before, and have something replaced in them. `_is_ours_again` sees that.
_OURS: dict[tuple[Any, str], Any] = {
    (owner, name): getattr(owner, name)
    for owner, names in (
        (models.Response, ("__init__",)),
        (sessions.Session, SESSION_METHODS),
        (_adapters.HTTPAdapter, ADAPTER_METHODS),
    )
    for name in names
}
_MODULES: list[Any] = [sessions, models, _utils, _adapters]
_OUR_GLOBALS = {
    (module.__name__, name): vars(module).get(name, _MISSING)
    for module in _MODULES
    for name in _names(module.__name__)
}
for _module in _MODULES:
    _watched.watch(_module.__name__)
SESSION_ITSELF = sessions.Session


# True while everything is as it was when it was last looked through, and what was found then.
_guard: Unchanged | None = None
# The same for what only TLS, cookies and credentials need.
_extra: Unchanged | None = None
_reason: str | None = "nothing was looked at"


def is_pristine() -> bool:
    """Say whether nothing on the way of a request was replaced; the rest says `has_usual_extras`."""
    if _guard:
        if _reason is None:
            return True
        if _extra:
            return False
    return _look_through() is None


def has_usual_extras() -> bool:
    """Say whether nothing was replaced either that only TLS, cookies and credentials need."""
    return is_pristine() and (bool(_extra) or _look_through() is None)


def why_not() -> str | None:
    """What was replaced, in words; None if nothing was."""
    has_usual_extras()
    return _reason


def _look_through() -> str | None:
    """Remember everything as it is, and whether all of it is ours."""
    global _extra, _guard, _reason
    _guard = _extra = None
    before = _watched.latest_change
    for name in LATER:
        if name.startswith("waterclock.") and name in sys.modules:
            _watched.watch(name)
    _reason = _replaced() or _choice.replaced_below()
    places: list[tuple[Any, Iterable[Any]]] = [
        (models.Response, ("__init__",)),
        (SESSION_ITSELF, SESSION_METHODS),
        (_adapters.HTTPAdapter, ADAPTER_METHODS),
    ]
    # A module that is imported later may have something replaced in it.
    waiting = [*_choice._waiting, *(name for name in LATER if name not in sys.modules)]
    places.append((sys.modules, waiting))
    places += _loaded(LATER_METHODS)
    places += [(place.holder, place.names) for place in _choice._places if not place.of_tls]
    extras = [(place.holder, place.names) for place in _choice._places if place.of_tls]
    socket = getattr(sys.modules.get("socket"), "socket", None)
    if isinstance(socket, type):
        places.append((socket, ("connect",)))
    # What somebody waits for was not there a moment ago: another thread imports it.
    if sys.modules.keys().isdisjoint(waiting) and not any(map(_is_being_imported, LATER)):
        guard = _unchanged([(vars(_watched), ("latest_change",)), *places])
        # What was replaced meanwhile counts as not looked at.
        if _watched.latest_change is before:
            _guard = guard
            _extra = _unchanged([*extras, *_loaded(EXTRA_METHODS)])
    return _reason


def guards(kind: type, with_extras: bool) -> list[Unchanged] | None:
    """What is true while a class of sessions, and all below it, is ours; None if that is not known."""
    if _reason is not None:
        return None
    known = [_guard, _extra] if with_extras else [_guard]
    if kind is not SESSION_ITSELF:
        known.append(_session_classes.get(kind))
    return None if None in known else known  # type: ignore[return-value]


def _loaded(methods: Mapping[tuple[str, str], tuple[str, ...]]) -> list[tuple[Any, Iterable[str]]]:
    """The classes that are there, with their methods."""
    places: list[tuple[Any, Iterable[str]]] = []
    for (home, kind), names in methods.items():
        found = getattr(sys.modules.get(home), kind, None)
        if isinstance(found, type):
            places.append((found, names))
    return places


def _unchanged(places: list[tuple[Any, Iterable[Any]]], sized: Iterable[Any] = ()) -> Unchanged:
    direct = [place for each in places for place in _directly(*each)]
    return Unchanged(direct, sized=[*sized])


_HEAP_TYPE = 1 << 9


def _directly(holder: Any, names: Iterable[str]) -> list[tuple[Any, list[str]]]:
    """Where names are found with the least work: in the dictionaries of a class and of those it inherits from."""
    if not isinstance(holder, type):
        return [(holder, [*names])]
    wanted = [*names]
    found: list[tuple[Any, list[str]]] = []
    for base in holder.__mro__:
        if not base.__flags__ & _HEAP_TYPE:
            # Written in C: nobody can replace anything in it.
            break
        referred = gc.get_referents(vars(base))
        if len(referred) != 1 or type(referred[0]) is not dict:
            return [*found, (holder, wanted)]
        own = referred[0]
        found.append((own, wanted))
        wanted = [name for name in wanted if name not in own]
        if not wanted:
            break
    return found


def _is_being_imported(name: str) -> bool:
    """Say whether another thread is importing a module, which has not all of its names then."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _replaced() -> str | None:
    """What of our own was replaced, in words."""
    for (owner, name), value in _OURS.items():
        if not _is_ours_again(getattr(owner, name), value):
            return f"{owner.__name__}.{name} was replaced"
    for (module, name), value in _OUR_GLOBALS.items():
        now = vars(sys.modules[module]).get(name, _MISSING)
        if now is not _MISSING and not _is_ours_again(now, value):
            return f"{module}.{name} was replaced"
    return _replaced_later()


def _is_ours_again(now: Any, remembered: Any) -> bool:
    """Say whether something is original, though what is remembered of it may not be."""
    if now is not remembered and remembered is not _MISSING and _is_written_here(remembered):
        return False
    return _is_written_here(now)


def _is_written_here(value: Any) -> bool:
    # A wrapper may copy the name and the module of what it wraps; it cannot share its globals.
    if type(value) is FunctionType:
        home: str = value.__globals__.get("__name__", "")
        return home.partition(".")[0] in _HOMES
    return _is_from_its_table(value)


def _replaced_later() -> str | None:
    """The same of modules that are not there from the start: a wrapper does not share their globals."""
    for name in LATER:
        module = sys.modules.get(name)
        if module is None or _is_being_imported(name):
            continue
        if name.startswith("waterclock."):
            for wanted in _names(name):
                if not _is_from_its_table(vars(module).get(wanted)):
                    return f"{name}.{wanted} was replaced"
        for (home, kind), methods in (*LATER_METHODS.items(), *EXTRA_METHODS.items()):
            if home != name:
                continue
            for method in methods:
                function = getattr(getattr(module, kind, None), method, None)
                origin = sys.modules.get(getattr(function, "__module__", None) or "")
                if (
                    getattr(function, "__globals__", None) is not getattr(origin, "__dict__", None)
                    or origin is None
                    or not _is_from_its_table(function)
                ):
                    return f"{name}.{kind}.{method} was replaced"
    return None


def _is_from_its_table(value: Any) -> bool:
    """Say whether a name that is filled in late has what its table says, by where that is from."""
    home: Any = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return isinstance(home, str) and home.partition(".")[0] in _HOMES


_HOMES = (
    "waterclock",
    "urllib3",
    "urllib",
    "json",
    "simplejson",
    "http",
    "base64",
    "datetime",
    "time",
)


# Classes of sessions that override nothing that the long way calls.
_session_classes: dict[type, Unchanged] = {}


def is_our_session(kind: type) -> bool:
    """Say whether a class of sessions, another than `Session`, overrides nothing that the long way calls."""
    guard = _session_classes.get(kind)
    if guard:
        return True
    for name in SESSION_METHODS:
        if getattr(kind, name) is not getattr(SESSION_ITSELF, name):
            return False
    for base in kind.__mro__:
        # Session's own are made when they are looked at, and can be assigned to.
        if base is not SESSION_ITSELF and not vars(base).keys().isdisjoint(SESSION_ATTRIBUTES):
            return False
    if len(_session_classes) > 64:
        _session_classes.clear()
    _session_classes[kind] = Unchanged([(kind, list(SESSION_METHODS))])
    return True


# The logger of urllib3's lines, once somebody has imported logging.
_logger: Any = None
_DEBUG = 10


def is_logged() -> bool:
    """Say whether somebody wants urllib3's lines: the long way writes them."""
    global _logger
    if _logger is None:
        logging = sys.modules.get("logging")
        if logging is None or not hasattr(logging, "getLogger"):
            return False
        _logger = logging.getLogger("urllib3.connectionpool")
    return bool(_logger.isEnabledFor(_DEBUG))


def where_logging_is_decided() -> tuple[dict[Any, Any], list[Any]] | None:
    """What changes before `is_logged` does: the logger remembers what it decided until something is set elsewhere."""
    if _logger is None:
        return None if "logging" in sys.modules else (sys.modules, ["logging"])
    decided = getattr(_logger, "_cache", None)
    return (decided, [_DEBUG]) if type(decided) is dict and _DEBUG in decided else None


# What requests reads of the environment; other variables matter only where one of these names a proxy.
_VARIABLES = tuple(
    name.encode()
    for lower in ("http_proxy", "https_proxy", "all_proxy")
    for name in (lower, lower.upper())
) + (b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE", b"NETRC", b"HOME")

#: Seconds for which a netrc file that is not there is taken for not there.
_NETRC_INTERVAL = 1.0


class Environment:
    """What the environment says, for as long as its variables are what they were."""

    __slots__ = ("ca_bundle", "no_netrc_until", "proxies", "unchanged")

    def __init__(self, variables: dict[bytes, bytes]) -> None:
        where: list[tuple[Any, Iterable[Any]]] = [
            (vars(os), ("environ",)),
            (vars(os.environ), ("_data",)),
            (variables, _VARIABLES),
        ]
        self.unchanged = _unchanged(where, [variables])
        #: Whether anything but a direct connection may be wanted.
        self.proxies = _environ.may_have_proxies()
        self.ca_bundle = _environ.ca_bundle()
        #: Till when it is believed that there is no netrc file.
        self.no_netrc_until = float("-inf")

    def has_netrc(self) -> bool:
        """Whether there is a netrc file; that there is none is believed for a second."""
        now = monotonic()
        if now < self.no_netrc_until:
            return False
        if any(map(os.path.exists, _environ._netrc_paths(tuple(_utils.NETRC_FILES)))):
            return True
        self.no_netrc_until = now + _NETRC_INTERVAL
        return False


_environment: Environment | None = None


def known_environment() -> Environment | None:
    """The environment as it is now; None if somebody put something else in its place."""
    global _environment
    known = _environment
    if known is not None and known.unchanged:
        return known
    variables: Any = getattr(os.environ, "_data", None)
    if type(variables) is not dict:
        return None
    known = _environment = Environment(variables)
    return known
