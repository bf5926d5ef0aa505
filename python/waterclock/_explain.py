"""WATERCLOCK_EXPLAIN: the waterfall of requests on standard error, without a change to the program.

`1` explains the requests that fail; a number of seconds (`0.5`, `2s`, `300ms`) also those that take longer; `all` every
one. It is read once: for failures with the first of them, else when sessions are imported. Of a body that is left to be read
later, only a failure is explained after the head.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._timeline import Timeline
    from .models import Response

VARIABLE = "WATERCLOCK_EXPLAIN"
_NEVER = float("inf")
_OFF = ("", "0", "no", "off", "false")
_FAILURES = ("1", "yes", "on", "true", "failed", "failures")

# The one that was explained last: an exception may be made of another one.
_last: Any = None


def patience(value: str) -> float | None:
    """How many seconds a request may take before it is explained; None if the value is none of ours."""
    value = value.strip().lower()
    if value in _FAILURES:
        return _NEVER
    if value == "all":
        return 0.0
    factor = 1.0
    if value.endswith("ms"):
        value, factor = value[:-2], 0.001
    elif value.endswith("s"):
        value = value[:-1]
    try:
        seconds = float(value) * factor
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


class _Slow:
    """Explains what took longer."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def began(self) -> None:
        pass

    def failed(self, key: None, error: Exception) -> None:
        pass  # `failed` below knows of it already

    def body_failed(self, response: Response, error: Exception) -> None:
        pass

    def answered(self, key: None, response: Response) -> None:
        from ._calls import timeline_of

        timeline: Timeline | None = timeline_of(response)
        if timeline is not None and timeline.elapsed >= self.seconds:
            show(timeline, f"took {timeline.elapsed:.3f} s")


def is_on() -> bool:
    """Whether the variable asks for anything."""
    return os.environ.get(VARIABLE, "").strip().lower() not in _OFF


def begin() -> None:
    """Explain what the variable asks for, but for failures, which `failed` is told of."""
    value = os.environ.get(VARIABLE, "")
    seconds = patience(value)
    if seconds is None:
        text = f"{VARIABLE}={value!r} is neither 1, all nor a number of seconds; taken for 1"
        _print(f"waterclock: {text}\n")
    elif seconds < _NEVER:
        from . import _calls

        _calls.watch(_Slow(seconds))


def failed(error: Any) -> None:
    """Explain the call that ended with an exception."""
    global _last
    timeline = error.timeline
    if timeline is None or timeline is _last:
        return
    _last = timeline
    show(timeline, f"failed: {type(error).__name__}")


def show(timeline: Timeline, how: str) -> None:
    """Print the waterfall of a call, all at once."""
    try:
        request = timeline.to_dict()["request"]
        # Some methods have nothing to escape, and a URL has none of it.
        head = f"waterclock: {request['method']} {request['url']} {how}"
        width, color = _screen()
        _print(f"\n{head}\n{timeline.explain(width, color)}\n")
    except Exception as error:  # noqa: BLE001 - the request itself is none the worse for it
        _print(f"waterclock: a request could not be explained: {error!r}\n")


def _screen() -> tuple[int, bool]:
    """Columns, and whether there are colours."""
    try:
        if not sys.stderr.isatty():
            return 80, False
        return os.get_terminal_size(sys.stderr.fileno()).columns, not os.environ.get("NO_COLOR")
    except (AttributeError, OSError, ValueError):
        return 80, False


def _print(text: str) -> None:
    stream = sys.stderr
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except (AttributeError, OSError, ValueError):
        pass  # nobody is there to read it
