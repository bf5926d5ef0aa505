"""Which engine makes a call: ours, unless somebody replaced what only urllib3 can honour.

A call that our engine made in spite of a replaced socket or connection class would go past a recorder, a mock or a guard
to the real server. So what such programs replace is looked at for every call, by identity.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FunctionType
    from typing import Any

    from .adapters import HTTPAdapter
    from .models import PreparedRequest
else:
    FunctionType = type(lambda: None)

# Methods that shape what urllib3 is told. `send`, `close`, `add_headers` and `proxy_headers` are called by both engines.
# They are remembered by `adapters.original_hooks`.
_adapter_globals: dict[str, Any] = {}
_originals: dict[str, Any] = {}

# What is replaced by recorders, mocks, guards, tracers and cooperative schedulers: module, class in it (or none), names.
_REPLACEABLE: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("socket", None, ("socket", "getaddrinfo", "create_connection")),
    # urllib3 has methods of its own in the place of `connect` and `request`.
    ("http.client", "HTTPConnection", ("endheaders", "getresponse", "putrequest", "send")),
    (
        "urllib3.connectionpool",
        "HTTPConnectionPool",
        ("ConnectionCls", "_get_conn", "_make_request", "_new_conn", "urlopen"),
    ),
    ("urllib3.connectionpool", "HTTPSConnectionPool", ("ConnectionCls", "_new_conn")),
    ("urllib3.connection", "HTTPConnection", ("_new_conn", "connect", "request")),
    ("urllib3.connection", "HTTPSConnection", ("connect",)),
    ("urllib3.util.connection", None, ("allowed_gai_family", "create_connection")),
    ("urllib3.util.ssl_", None, ("SSLContext",)),
    ("ssl", None, ("SSLContext",)),
)


class _Place:
    """Names of a module or class that is loaded."""

    __slots__ = ("holder", "module", "names", "of_tls", "where")

    def __init__(self, module: Any, class_name: str | None, names: tuple[str, ...]) -> None:
        self.module = module
        self.holder = vars(module) if class_name is None else getattr(module, class_name)
        self.names = names
        #: Whether only a call to an https URL comes by it.
        self.of_tls = "SSLContext" in names or (class_name or "").startswith("HTTPS")
        self.where = module.__name__ if class_name is None else f"{module.__name__}.{class_name}"

    def replaced(self) -> str | None:
        """What somebody has replaced, in words."""
        is_class = isinstance(self.holder, type)
        for name in self.names:
            value = getattr(self.holder, name, None) if is_class else self.holder.get(name)
            if not _is_original(value, name, self.module):
                owner = getattr(value, "__module__", None) or type(value).__module__
                return f"{self.where}.{name} was replaced by {owner}"
        return None


# Where a name of a module comes from another module.
_BORROWED = {
    "ConnectionCls": "urllib3.connection",
    ("urllib3.util.ssl_", "SSLContext"): "ssl",
}


def _is_original(value: Any, name: str, module: Any) -> bool:
    if isinstance(value, type):
        home = _BORROWED.get(name) or _BORROWED.get((module.__name__, name)) or module.__name__
        return value.__module__ == home
    # A wrapper may copy the name and the module of what it wraps; it cannot share its globals.
    return type(value) is FunctionType and value.__globals__ is vars(module)


_places: list[_Place] = []
# Modules that nobody has imported so far have nothing replaced in them.
_waiting = list(dict.fromkeys(module for module, _, _ in _REPLACEABLE))
# True as long as everything is as it was when it was last looked through.
_guard: Any = None


def replaced_below() -> str | None:
    """What of the layers below adapters was replaced, in words; None if all is as it was."""
    if _guard:
        return None
    return _look_through()


def _look_through() -> str | None:
    global _guard
    _guard = None
    _see_new_modules()
    waiting, places = [*_waiting], [*_places]
    for place in places:
        reason = place.replaced()
        if reason is not None:
            return reason
    watched: list[tuple[Any, list[Any]]] = [(sys.modules, waiting)]
    watched += [(place.holder, list(place.names)) for place in places]
    socket = None if "socket" in waiting else sys.modules.get("socket")
    if socket is not None:
        # pytest-socket puts a method into the class, which inherits the original.
        if "connect" in vars(socket.socket):
            owner = getattr(socket.socket.connect, "__module__", "somebody")
            return f"socket.socket.connect was replaced by {owner}"
        watched.append((socket.socket, ["connect"]))
    from ._engine import Unchanged

    guard = Unchanged(watched)
    # What is waited for was not there a moment ago: another thread imports it.
    if sys.modules.keys().isdisjoint(waiting):
        _guard = guard
    return None


def _see_new_modules() -> None:
    """Takes over modules that were imported meanwhile."""
    for name in _waiting[:]:
        module = sys.modules.get(name)
        if module is None:
            continue
        # In another thread: it has not all of its names.
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            continue
        _places.extend(
            _Place(module, class_name, names)
            for module_name, class_name, names in _REPLACEABLE
            if module_name == name
        )
        try:
            _waiting.remove(name)
        except ValueError:
            pass  # another thread was quicker: then its places are looked at twice


# True as long as the hooks of a class are ours.
_guards_of_kinds: dict[type, Any] = {}
_MOST_KINDS = 64


def replaced_in(adapter: HTTPAdapter) -> str | None:
    """What of the adapter only urllib3 can honour, in words; None if there is nothing."""
    kind = type(adapter)
    own = adapter.__dict__
    guard = _guards_of_kinds.get(kind)
    if guard is None or not guard:
        reason = _overridden_in(kind)
        if reason is not None:
            return reason
    if not own.keys().isdisjoint(_originals):
        return f"{', '.join(sorted(_originals.keys() & own.keys()))} of this adapter was replaced"
    if "poolmanager" in own and not _is_made_by_us(own):
        return "the adapter has a pool manager of its own"
    if own.get("proxy_manager"):
        return "the adapter has proxy managers of its own"
    if own.get("_pool_connections", 1) < 1 or own.get("_pool_maxsize", 1) < 1:
        return "its pool is to have no connections"
    if "TimeoutSauce" in _adapter_globals and not _is_original_timeout():
        return "waterclock.adapters.TimeoutSauce was replaced"
    return None


def _overridden_in(kind: type) -> str | None:
    """Which hook a class overrides, in words; else remembers that it overrides none."""
    if not _originals:
        _remember_originals()
    for name, original in _originals.items():
        if getattr(kind, name) is not original:
            return f"{kind.__name__}.{name} is overridden"
    from ._engine import Unchanged

    if len(_guards_of_kinds) >= _MOST_KINDS:
        _guards_of_kinds.clear()
    _guards_of_kinds[kind] = Unchanged([(kind, list(_originals))])
    return None


def _remember_originals() -> None:
    from . import adapters

    globals()["_adapter_globals"] = vars(adapters)
    _originals.update(adapters.original_hooks)


def _is_original_timeout() -> bool:
    module = sys.modules.get("urllib3.util.timeout")
    return module is not None and _adapter_globals["TimeoutSauce"] is module.Timeout


def pool_was_made(adapter: HTTPAdapter) -> None:
    """Remembers a pool manager that was made because somebody looked at it, to notice if it is changed."""
    own = adapter.__dict__
    manager = own.get("poolmanager")
    if manager is not None:
        settings = dict(getattr(manager, "connection_pool_kw", {}))
        own["_pool_as_made"] = (manager, settings, manager.pool_classes_by_scheme)


def _is_made_by_us(own: dict[str, Any]) -> bool:
    made = own.get("_pool_as_made")
    if made is None:
        return False
    manager, settings, classes = made
    return (
        own["poolmanager"] is manager
        and manager.connection_pool_kw == settings
        and manager.pool_classes_by_scheme is classes
    )


def reason_for_urllib3(adapter: HTTPAdapter, request: PreparedRequest) -> str | None:
    """Why urllib3 has to make this call, in words; None if our engine can."""
    url = request.url
    if not isinstance(url, str) or not (
        url.startswith(("http://", "https://"))
        or url[:8].lower().startswith(("http://", "https://"))
    ):
        return "the URL is not one of http or https"
    return replaced_in(adapter) or replaced_below()
