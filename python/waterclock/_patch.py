"""`waterclock.patch_requests()`: the real requests stays, and sends through waterclock's engine.

Replaced are `send` and `close` of requests' HTTPAdapter. Sessions, prepared requests, responses, hooks, cookies,
redirects and authentication are requests' own, and every exception is one of requests' classes, so a
program that catches `requests.Timeout` still does. What the engine cannot honour goes the old way.

The other way in, `waterclock.install()`, is the faster one: there the layers above are waterclock's too.
"""

from __future__ import annotations

import sys

from .adapters import HTTPAdapter, original_hooks
from .exceptions import RequestException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ._timeline import Timeline

# What was replaced: (class, name, the original, ours).
_replaced: list[tuple[Any, str, Any, Any]] = []
_ENGINE = "_waterclock_engine"


def patch_requests() -> None:
    """Makes the real requests send with waterclock's engine, in sessions that exist already as well.

    Every wait is then bounded by `timeout=` as requests has it, by `waterclock.Limits` in its place, or by
    `with waterclock.deadline(...)`, and responses and exceptions know where the time went:

        import requests, waterclock
        waterclock.patch_requests()

        with waterclock.deadline(0.5):
            response = requests.get("https://example.org/")
        print(response.explain())

    A second call changes nothing; `unpatch_requests()` takes it back. An adapter that replaces what only
    urllib3 can honour (`init_poolmanager` with an `ssl_context`, say) goes on using urllib3. `Limits(total=...)` is
    for each redirect, because requests makes a call for each; a deadline is for everything in it.

    Raises RuntimeError if `waterclock.install()` was called, or if somebody else has replaced
    `requests.adapters.HTTPAdapter.send`: what they did would be skipped without a word.
    """
    if _replaced:
        return
    import requests
    from requests import adapters, models

    if requests is sys.modules[__package__ or ""]:
        raise RuntimeError(
            "waterclock.patch_requests(): `requests` is waterclock itself, since "
            "waterclock.install() was called: there is no real one to patch."
        )
    theirs = adapters.HTTPAdapter
    if not _is_pristine(theirs.send, adapters):
        raise RuntimeError(
            "waterclock.patch_requests(): requests.adapters.HTTPAdapter.send has been replaced already, by "
            f"{getattr(theirs.send, '__module__', None)}, which would be left out from now on. "
            "Call patch_requests() first."
        )
    _replace(theirs, "send", _sending(theirs.send, adapters))
    _replace(theirs, "close", _closing(theirs.close))
    _replace(models.Response, "timeline", property(_timeline))
    _replace(models.Response, "explain", _explain)


def unpatch_requests() -> None:
    """Takes `patch_requests()` back. Responses that are still being read stay readable."""
    while _replaced:
        owner, name, original, ours = _replaced.pop()
        # Somebody who has put a wrapper around ours keeps it: ours does nothing of its own any more.
        if owner.__dict__.get(name) is not ours:
            continue
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def _replace(owner: Any, name: str, ours: Any) -> None:
    _replaced.append((owner, name, owner.__dict__.get(name), ours))
    setattr(owner, name, ours)


def _is_pristine(function: Any, module: ModuleType) -> bool:
    # A wrapper may copy names of what it wraps; it cannot share its globals.
    return getattr(function, "__globals__", None) is vars(module)


def _sending(original: Callable[..., Any], adapters: ModuleType) -> Callable[..., Any]:
    from functools import wraps

    from . import _native, _timeouts, _urllib3
    from ._patched_errors import as_real

    reason_for_urllib3 = _choosing(adapters)

    def is_bounded(timeout: Any) -> bool:
        # Of both, requests knows nothing.
        return _timeouts._is_limits(timeout) or _timeouts.deadline_in_force() is not None

    @wraps(original)
    def send(
        self: Any,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Any:
        reason = reason_for_urllib3(self, request) if _replaced else "the patch was taken back"
        if reason is not None and not (_replaced and is_bounded(timeout)):
            return original(self, request, stream, timeout, verify, cert, proxies)
        try:
            if reason is not None:
                # requests' way over urllib3, within the time there is.
                return _urllib3.send(self, request, stream, timeout, verify, cert, proxies, reason)
            # Streamed, because requests reads bodies itself, and adapters above look at `raw` first.
            ours = _native.send(_Stand(self), request, True, timeout, verify, cert, proxies)
        except RequestException as error:
            as_real(error)
            raise
        # Left there for our own Session, and not to be pickled: here every hop is a call.
        request.__dict__.pop("_after", None)
        response = self.build_response(request, ours.raw)
        if hasattr(response, "__dict__"):
            response.__dict__["_reply"] = ours._reply
        return response

    return send


def _choosing(adapters: ModuleType) -> Callable[[Any, Any], str | None]:
    """`reason_for_urllib3` for the real requests: why the engine cannot make a call, or None."""
    from urllib3 import poolmanager
    from urllib3.util import Timeout

    from . import utils
    from ._choice import replaced_below

    theirs: Any = adapters
    # `build_response` is called, whatever it is.
    hooks = {
        name: hook if _is_pristine(hook, adapters) else None
        for name in original_hooks
        if name != "build_response"
        for hook in [getattr(theirs.HTTPAdapter, name)]
    }

    def reason_for_urllib3(adapter: Any, request: Any) -> str | None:
        url = request.url
        if not isinstance(url, str) or not url[:8].lower().startswith(("http://", "https://")):
            return "the URL is not one of http or https"
        kind, own = type(adapter), adapter.__dict__
        for name, hook in hooks.items():
            if getattr(kind, name) is not hook or name in own:
                return f"{kind.__name__}.{name} is overridden"
        manager = own.get("poolmanager")
        if (
            type(manager) is not poolmanager.PoolManager
            or not manager.connection_pool_kw.keys() <= {"maxsize", "block"}
            or manager.pool_classes_by_scheme is not poolmanager.pool_classes_by_scheme
        ):
            return "the adapter has a pool manager of its own"
        if own.get("proxy_manager"):
            return "the adapter has proxy managers of its own"
        if own.get("_pool_connections", 0) < 1 or own.get("_pool_maxsize", 0) < 1:
            return "its pool is to have no connections"
        if theirs.TimeoutSauce is not Timeout:
            return "requests.adapters.TimeoutSauce was replaced"
        if theirs.DEFAULT_CA_BUNDLE_PATH != utils.DEFAULT_CA_BUNDLE_PATH:
            return "requests.adapters.DEFAULT_CA_BUNDLE_PATH was replaced"
        return replaced_below()

    return reason_for_urllib3


def _closing(original: Callable[..., Any]) -> Callable[..., Any]:
    from functools import wraps

    @wraps(original)
    def close(self: Any) -> None:
        engine = self.__dict__.get(_ENGINE)
        if engine is not None:
            engine.close()
        original(self)

    return close


class _Stand(HTTPAdapter):
    """Stands for an adapter of the real requests where an adapter of ours is wanted.

    Made for each call, as a lasting one and the real one would keep each other alive.
    """

    def __init__(self, real: Any) -> None:
        own = self.__dict__
        self.real = real
        for name in ("config", "_pool_connections", "_pool_maxsize", "_pool_block"):
            own[name] = getattr(real, name)
        if _is_no_retry(real.max_retries):
            own["_retries_given"] = 0
        else:
            own["max_retries"] = real.max_retries
        own["proxy_manager"] = {}
        engine = real.__dict__.get(_ENGINE)
        if engine is None:
            # Two threads may come here: the engine that is there first stays.
            engine = real.__dict__.setdefault(_ENGINE, self._engine)
        own["_engine"] = engine

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        self.real.add_headers(request, **kwargs)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        headers: dict[str, str] = self.real.proxy_headers(proxy)
        return headers


def _is_no_retry(retries: Any) -> bool:
    """Whether it is what requests makes by default: then there is nothing to ask it."""
    from urllib3.util.retry import Retry

    if "_default" not in _retries:
        _retries["_default"] = vars(Retry(0, read=False))
    return type(retries) is Retry and vars(retries) == _retries["_default"]


_retries: dict[str, Any] = {}


def _timeline(response: Any) -> Timeline | None:
    """Where the time of this hop went; None if that is not known: requests sent it by itself."""
    own = response.__dict__
    reply = own.get("_reply")
    timeline: Timeline | None = own.get("_timeline") if reply is None else reply.timeline()
    return timeline


def _explain(response: Any) -> str:
    """Says in sentences where the time went."""
    timeline: Timeline | None = response.timeline
    if timeline is None:
        return "There is no timeline: waterclock had no part in this call."
    return timeline.explain()
