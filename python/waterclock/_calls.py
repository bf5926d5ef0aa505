"""Who wants to know of every call: the variable WATERCLOCK_EXPLAIN, and `python -m waterclock run --trace`.

`watch` puts a function of its own in the place of `Session.send`. The short way notices that and stays closed, so
that all calls come through here; without a listener nothing is there, and nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import sessions as _sessions

if TYPE_CHECKING:
    from typing import Protocol

    from .models import PreparedRequest, Response

    class Listener(Protocol):
        """What is told of each call; what `began` gives comes back with its end."""

        def began(self) -> Any: ...
        def answered(self, key: Any, response: Response) -> None: ...
        def failed(self, key: Any, error: Exception) -> None: ...
        def body_failed(self, response: Response, error: Exception) -> None: ...


_listeners: list[Listener] = []
_send = _sessions.Session.send


def watch(listener: Listener) -> None:
    """Tell it of all calls from now on."""
    _listeners.append(listener)
    _sessions.Session.send = send  # type: ignore[method-assign]


def send(self: Any, request: PreparedRequest, **kwargs: Any) -> Response:
    """Send a prepared request and return the response."""
    if "_next_of" in getattr(request, "__dict__", ()):
        # A redirect: a part of the call that is listened to already.
        return _send(self, request, **kwargs)
    told = [(listener, listener.began()) for listener in _listeners]
    try:
        response = _send(self, request, **kwargs)
    except Exception as error:
        for listener, key in told:
            listener.failed(key, error)
        raise
    for listener, key in told:
        listener.answered(key, response)
    return response


def body_failed(response: Response, error: Exception) -> None:
    """Tell of a body that fails after its response was handed over, or before."""
    for listener in _listeners:
        listener.body_failed(response, error)


def timeline_of(response: Any) -> Any:
    """The timeline of the call that ended with a response; None if our engine had no part in it."""
    timeline = getattr(response, "timeline", None)
    history = getattr(response, "history", None)
    if history and response.__dict__.get("_reply") is None:
        # Another client's hops have a timeline each, and the later ones were told of already.
        return getattr(history[0], "timeline", None)
    return timeline
