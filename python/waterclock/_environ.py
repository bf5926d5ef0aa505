"""What the environment says, found out again only after it changed."""

from __future__ import annotations

import os
import sys

from . import sessions as _sessions
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


def may_have_proxies() -> bool:
    """Say whether it is worth asking for proxies: not if no variable names one.

    Not asked elsewhere than on systems whose settings are all in the environment.
    """
    return not ENVIRONMENT_ONLY or remember("proxies", _has_proxy_variables)


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
