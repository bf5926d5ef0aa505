"""The lines that urllib3 writes to its log, which programs read and tests look for."""

from __future__ import annotations

from .adapters import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import EngineError, Reply
    from ._native import Call


_found: Any = None


def _logger() -> Any:
    """The logger, if somebody wants its lines."""
    global _found
    if _found is None:
        # Somebody has imported it, or is about to in another thread: then this waits.
        import logging

        _found = logging.getLogger("urllib3.connectionpool")
    return _found if _found.isEnabledFor(10) else None


def _place(call: Call) -> tuple[str, str, int]:
    """Scheme, host and port of the pool that urllib3 would have used."""
    url: str = call.request.url  # type: ignore[assignment]
    proxy = call.proxy
    forwards = proxy is not None and url[:5].lower() == "http:" and proxy[:5].lower() != "socks"
    place = proxy if forwards and proxy is not None else url
    return (place.partition("://")[0].lower(), *host_and_port(place))


def reply(call: Call, reply: Reply) -> None:
    """The lines of a request that was answered."""
    logger = _logger()
    if logger is None:
        return
    scheme, host, port = _place(call)
    connection = reply.connection
    own = call.adapter.__dict__
    # Connections are counted: a higher number than ever before is a new one.
    if connection is not None and connection["number"] > own.get("_last_connection", 0):
        own["_last_connection"] = connection["number"]
        _log_new_connection(logger, scheme, host, port, connection["number"])
    logger.debug(
        '%s://%s:%s "%s %s %s" %s %s',
        scheme,
        host,
        port,
        call.request.method,
        call.described().shown_target(),
        "HTTP/1.1",
        reply.status,
        _length(call, reply),
    )


def failure(call: Call, error: EngineError) -> None:
    """The line of a connection that did not come about."""
    logger = _logger()
    if logger is not None and error.phase in ("resolve", "connect", "tls", "tunnel"):
        _log_new_connection(logger, *_place(call), 1)


def _log_new_connection(logger: Any, scheme: str, host: str, port: int, number: int) -> None:
    logger.debug(f"Starting new {scheme.upper()} connection (%d): %s:%s", number, host, port)


def _length(call: Call, reply: Reply) -> int | None:
    """The length that urllib3 logs: what Content-Length says."""
    status = reply.status
    if status in (204, 304) or status < 200 or call.request.method == "HEAD":
        return 0
    return None if reply.is_chunked else reply.expected
