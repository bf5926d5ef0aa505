"""What the environment says, found out again only after it changed."""

from __future__ import annotations

import os
import sys

from . import utils as _utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

# The variables as they were, and what was found out from them.
_known: tuple[dict[Any, Any] | None, dict[str, Any]] = (None, {})

# Windows and macOS have proxy settings of their own.
ENVIRONMENT_ONLY = os.name == "posix" and sys.platform != "darwin"


def remember(name: str, find: Callable[[], _T]) -> _T:
    """Return `find()`, or what it returned before if no variable has changed since.

    Comparing two dictionaries that hold the same objects takes less time than looking for two
    variables in `os.environ`, which encodes each name and decodes each value.
    """
    global _known
    variables = getattr(os.environ, "_data", None)
    if type(variables) is not dict:
        # Somebody put something else in its place.
        return find()
    snapshot, found = _known
    if variables != snapshot:
        found = {}
        _known = (variables.copy(), found)
    try:
        return found[name]  # type: ignore[no-any-return]
    except KeyError:
        value = found[name] = find()
        return value


_OURS = ("get_environ_proxies", "resolve_proxies", "should_bypass_proxies")
_SYSTEMS = ("getproxies", "proxy_bypass", "proxy_bypass_environment", "getproxies_environment")


def may_have_proxies() -> bool:
    """Say whether it is worth asking for proxies: not if no variable names one.

    Worth it always where the system has settings elsewhere, or where somebody answers in our place.
    """
    return not ENVIRONMENT_ONLY or remember("proxies", _has_proxy_variables) or _is_patched()


def is_original(name: str, function: Any) -> bool:
    """Say whether a function for proxies is the one of its name that was written here."""
    return function is getattr(sys.modules.get("waterclock._util_proxies"), name, None)


def _is_patched() -> bool:
    now = vars(_utils)
    # None of them is there before somebody asks for it.
    for name in _OURS:
        if name in now and not is_original(name, now[name]):
            return True
    for name in _SYSTEMS:
        if name in now and getattr(now[name], "__module__", None) != "urllib.request":
            return True
    return False


def resolve_proxies(
    request: Any, proxies: dict[str, str] | None, trust_env: bool
) -> dict[str, str]:
    """Return `proxies` with what the environment has for the request's URL."""
    resolve = _sessions.resolve_proxies
    if is_original("resolve_proxies", resolve) and not (trust_env and may_have_proxies()):
        return {} if proxies is None else proxies.copy()
    return resolve(request, proxies, trust_env)


def _has_proxy_variables() -> bool:
    return any(name.lower().endswith("_proxy") for name in os.environ)


def ca_bundle() -> str | None:
    """Return the file or folder of CA certificates that the environment names."""
    return remember("ca_bundle", _ca_bundle)


def _ca_bundle() -> str | None:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")


def netrc_auth(url: Any) -> tuple[str, str] | None:
    """Look the host of `url` up in the user's netrc file; most users have none."""
    find = _sessions.get_netrc_auth
    if find is _utils.get_netrc_auth:
        names = tuple(_utils.NETRC_FILES)
        paths = remember(f"netrc {names}", lambda: _netrc_paths(names))
        if not any(map(os.path.exists, paths)):
            return None
    return find(url)


def _netrc_paths(names: tuple[str, ...]) -> tuple[str, ...]:
    named = os.environ.get("NETRC")
    candidates = (named,) if named is not None else tuple(f"~/{name}" for name in names)
    return tuple(map(os.path.expanduser, candidates))


# Last: sessions needs what is above when it is this module that is imported first.
from . import sessions as _sessions
