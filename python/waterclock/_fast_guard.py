"""Whether everything on the way of a request is ours: found out by identity, in about a microsecond.

All that the long way calls or looks up by name is remembered as it is, and looked at in one step (`Unchanged`, in
Rust) for each call. Only when something has changed is it found out what that means; the answer is kept for as long as
things stay that way, so a program that replaced something pays for it once.
"""

from __future__ import annotations

import gc
import os
import sys
from time import monotonic
from types import FunctionType

from . import _choice, _environ, models, sessions
from . import adapters as _adapters
from . import utils as _utils
from ._engine import Unchanged
from ._fast_names import (
    ADAPTER_METHODS,
    COOKIE_METHODS,
    GLOBALS,
    LATER,
    PREPARED_METHODS,
    SESSION_ATTRIBUTES,
    SESSION_METHODS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MISSING = object()


def _names(module: str) -> tuple[str, ...]:
    return GLOBALS[module.rpartition(".")[2]]


# Everything of ours, as it was when this module was imported, which is with `sessions`: adapters, models and
# utils may have been there before, and have something replaced in them. `_is_ours_again` sees that.
_OURS: dict[tuple[Any, str], Any] = {
    (owner, name): getattr(owner, name)
    for owner, names in (
        (models.PreparedRequest, PREPARED_METHODS),
        (models.Request, ("__init__", "prepare")),
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
SESSION_ITSELF = sessions.Session


# True while everything is as it was when it was last looked through; what was found then.
_guard: Unchanged | None = None
_reason: str | None = "nothing was looked at"


def is_pristine() -> bool:
    """Say whether nothing on the way of a request was replaced."""
    if _guard:
        return _reason is None
    return _look_through() is None


def why_not() -> str | None:
    """What was replaced, in words; None if nothing was."""
    is_pristine()
    return _reason


def _look_through() -> str | None:
    """Remember everything as it is, and whether all of it is ours."""
    global _guard, _reason
    _guard = None
    _reason = _replaced() or _choice.replaced_below()
    places: list[tuple[Any, list[Any]]] = [
        (models.PreparedRequest, list(PREPARED_METHODS)),
        (models.Request, ["__init__", "prepare"]),
        (models.Response, ["__init__"]),
        (SESSION_ITSELF, list(SESSION_METHODS)),
        (_adapters.HTTPAdapter, list(ADAPTER_METHODS)),
        *((vars(module), list(_names(module.__name__))) for module in _MODULES),
        # A module that is imported later may have something replaced in it.
        (sys.modules, [*_choice._waiting, *LATER]),
    ]
    for name in LATER:
        module = sys.modules.get(name)
        if module is not None and name.startswith("waterclock."):
            places.append((vars(module), list(_names(name))))
    for (home, kind), names in COOKIE_METHODS.items():
        found = getattr(sys.modules.get(home), kind, None)
        if isinstance(found, type):
            places.append((found, list(names)))
    places += [(place.holder, list(place.names)) for place in _choice._places]
    socket = getattr(sys.modules.get("socket"), "socket", None)
    if isinstance(socket, type):
        places.append((socket, ["connect"]))
    # What somebody waits for was not there a moment ago: another thread imports it.
    if sys.modules.keys().isdisjoint(_choice._waiting) and not any(map(_is_being_imported, LATER)):
        _guard = Unchanged([place for each in places for place in _directly(*each)])
    return _reason


def _directly(holder: Any, names: list[Any]) -> list[tuple[Any, list[Any]]]:
    """Where names are found with the least work: what a class has itself, in the class's dictionary."""
    if not isinstance(holder, type):
        return [(holder, names)]
    found = gc.get_referents(vars(holder))
    own = found[0] if len(found) == 1 else None
    if type(own) is not dict:
        return [(holder, names)]
    inherited = [name for name in names if name not in own]
    return [(own, [name for name in names if name in own]), (holder, inherited)]


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
        for (home, kind), methods in COOKIE_METHODS.items():
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


def is_logged() -> bool:
    """Say whether somebody wants urllib3's lines: the long way writes them."""
    global _logger
    if _logger is None:
        logging = sys.modules.get("logging")
        if logging is None or not hasattr(logging, "getLogger"):
            return False
        _logger = logging.getLogger("urllib3.connectionpool")
    return bool(_logger.isEnabledFor(10))


# What requests reads of the environment.
_VARIABLES = tuple(
    name.encode()
    for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in (lower, lower.upper())
) + (b"REQUEST_METHOD", b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE", b"NETRC", b"HOME")

#: Seconds for which a netrc file that is not there is taken for not there.
_NETRC_INTERVAL = 1.0


class Environment:
    """What the environment says, for as long as its variables are what they were."""

    __slots__ = ("ca_bundle", "count", "netrc_at", "proxies", "unchanged", "variables")

    def __init__(self, variables: dict[bytes, bytes]) -> None:
        self.variables = variables
        self.count = len(variables)
        self.unchanged = Unchanged([(variables, list(_VARIABLES))])
        #: Whether anything but a direct connection may be wanted.
        self.proxies = _environ.may_have_proxies()
        self.ca_bundle = _environ.ca_bundle()
        #: When it was last seen that there is no netrc file; for ever ago if there is one.
        self.netrc_at = float("-inf")

    def has_netrc(self) -> bool:
        """Whether there is a netrc file; that there is none is believed for a second."""
        now = monotonic()
        if now - self.netrc_at < _NETRC_INTERVAL:
            return False
        if any(map(os.path.exists, _environ._netrc_paths(tuple(_utils.NETRC_FILES)))):
            return True
        self.netrc_at = now
        return False


_environment: Environment | None = None


def known_environment() -> Environment | None:
    """The environment as it is now; None if somebody put something else in its place."""
    global _environment
    variables: Any = getattr(os.environ, "_data", None)
    known = _environment
    if (
        known is not None
        and known.variables is variables
        and known.count == len(variables)
        and known.unchanged
    ):
        return known
    if type(variables) is not dict:
        return None
    known = _environment = Environment(variables)
    return known
