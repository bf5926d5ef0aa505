"""Calls that urllib3 makes: for adapters that replace what our engine cannot honour.

This is the way of requests over the real PoolManager, with the deadline around it. Neither the way nor the reason is
a secret: the response's timeline says which engine made the call, and why.
"""

from __future__ import annotations

import time

from . import _engine, _errors, _timeouts
from . import adapters as _adapters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _types as _t
    from ._urllib3_deadline import Watch
    from .adapters import HTTPAdapter
    from .models import PreparedRequest, Response


def send(
    adapter: HTTPAdapter,
    request: PreparedRequest,
    stream: bool,
    timeout: Any,
    verify: _t.VerifyType,
    cert: _t.CertType,
    proxies: dict[str, str] | None,
    reason: str,
) -> Response:
    """Sends the request with urllib3, as requests does, and says in the timeline that it was for `reason`."""
    here: Any = _adapters
    _refuse_what_cannot_be_kept(timeout, reason)
    try:
        pool: Any = adapter.get_connection_with_tls_context(
            request, verify, proxies=proxies, cert=cert
        )
    except here.LocationValueError as e:
        raise here.InvalidURL(e, request=request)
    url: str = request.url  # type: ignore[assignment]
    adapter.cert_verify(pool, url, verify, cert)
    target = adapter.request_url(request, proxies)
    adapter.add_headers(
        request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies
    )
    arguments: dict[str, Any] = {
        "method": request.method,
        "url": target,
        "body": request.body,
        "headers": request.headers,
        "redirect": False,
        "assert_same_host": False,
        "preload_content": False,
        "decode_content": False,
        "retries": adapter.max_retries,
        "timeout": _timeouts.for_urllib3(timeout, here.TimeoutSauce),
        "chunked": not (request.body is None or "Content-Length" in request.headers),
    }
    watch = _watch(timeout, reason)
    if watch is not None:
        watch.prepare(pool, arguments)
    # The engine's clock begins with it, and a call may not begin before that.
    _engine.Deadline(0.0)
    started = time.perf_counter()
    answer: Any = None
    note = f"urllib3 made this call: {reason}"
    try:
        answer = pool.urlopen(**arguments) if watch is None else watch.over(pool.urlopen, arguments)
    except Exception as error:
        known = _errors.from_urllib3(error, request)
        if known is None:
            raise
        if known.timeline is None:
            known.__dict__["timeline"] = _timeline(request, started, None, note, timeout)
            _errors.tell(known)
        raise known
    response = adapter.build_response(request, answer)
    if watch is not None:
        watch.guard(answer)
    with_timeline(response, request, started, answer, note, timeout)
    return response


def _watch(timeout: Any, reason: str) -> Watch | None:
    """What ends the call at its deadline, if it has one."""
    deadline = _timeouts.deadline_in_force()
    total = _timeouts.total_of(timeout)
    if deadline is None and total is None:
        return None
    left = min(
        total if total is not None else float("inf"),
        deadline.left() if deadline is not None else float("inf"),
    )
    if left == float("inf"):
        return None
    from ._urllib3_deadline import Watch

    return Watch(left)


def _refuse_what_cannot_be_kept(timeout: Any, reason: str) -> None:
    names = _timeouts.unsupported_by_urllib3(timeout)
    if names:
        raise ValueError(
            f"The limits {', '.join(names)} cannot be kept here, because urllib3 has to make this call "
            f"({reason}). It can keep total, connect and read."
        )


def _timeline(
    request: PreparedRequest, started: float, status: int | None, note: str, timeout: Any
) -> Any:
    elapsed = time.perf_counter() - started
    limits: Any = None
    try:
        limits = _timeouts.checked(timeout)
    except ValueError:
        pass  # urllib3 took it, so there is nothing to complain about
    return _engine.external_timeline(
        request.method or "", request.url or "", elapsed, status, note, limits
    )


def with_timeline(
    response: Any,
    request: PreparedRequest,
    started: float,
    answer: Any,
    note: str,
    timeout: Any,
) -> None:
    """Gives the response a timeline, unless it is an object that takes none."""
    status = getattr(answer, "status", None)
    own = getattr(response, "__dict__", None)
    if isinstance(own, dict):
        number = status if isinstance(status, int) and 0 < status < 1000 else None
        own["_timeline"] = _timeline(request, started, number, note, timeout)
