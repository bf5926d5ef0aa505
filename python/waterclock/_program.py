"""`python -m waterclock run --trace FILE`: all calls of a program in one file, written when it ends."""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from . import _calls, _engine
from ._exports import page_in_python

if TYPE_CHECKING:
    from ._engine import Followed, Reply
    from ._timeline import Timeline
    from .models import Response

#: So many calls are kept, the first ones; the rest is counted. A call needs some kilobytes, however long its body is.
MOST_CALLS = 1_000

#: What a file is, by the end of its name; the longest one counts.
FORMATS = {
    ".html": "html",
    ".htm": "html",
    ".otlp.json": "otlp",
    ".json": "trace",
    ".har": "har",
}


def format_of(path: str) -> str | None:
    """The format that the name of a file asks for; None if it asks for none."""
    name = path.lower()
    ends = sorted(FORMATS, key=len, reverse=True)
    return next((FORMATS[end] for end in ends if name.endswith(end)), None)


class _Streamed(NamedTuple):
    """A call whose body was left to be read later: what is known of it now, and where to ask later."""

    reply: ref[Reply]
    followed: Followed
    begun: Timeline


class Program:
    """Keeps the timelines of the calls of this process."""

    def __init__(self, path: str, name: str) -> None:
        self._path = os.path.abspath(path)
        self._name = name
        self._process = os.getpid()
        self._lock = Lock()
        self._begun = 0
        #: By the order in which they began; None while they go on.
        self._calls: list[Timeline | _Streamed | None] = []

    def began(self) -> int | None:
        with self._lock:
            self._begun += 1
            if self._begun > MOST_CALLS:
                return None
            self._calls.append(None)
            return self._begun - 1

    def answered(self, key: int | None, response: Response) -> None:
        if key is None:
            return
        reply = response.__dict__.get("_reply")
        timeline = _calls.timeline_of(response)
        if reply is None or reply.is_done or timeline is None:
            self._calls[key] = timeline
        else:
            self._calls[key] = _Streamed(ref(reply), reply.follow(), timeline)

    def failed(self, key: int | None, error: Exception) -> None:
        if key is not None:
            timeline = getattr(error, "timeline", None)
            answered = getattr(error, "response", None)
            self._calls[key] = timeline or _calls.timeline_of(answered)

    def body_failed(self, response: Response, error: Exception) -> None:
        reply = response.__dict__.get("_reply")
        timeline = getattr(error, "timeline", None)
        for key, call in enumerate(self._calls):
            if reply is not None and isinstance(call, _Streamed) and call.reply() is reply:
                self._calls[key] = timeline

    def write(self) -> None:
        """Write the file; what goes wrong is said and not raised, because the program is over."""
        if os.getpid() != self._process:
            # A child that was forked: its parent writes the file.
            return
        try:
            records = [call._the_record() for call in map(_latest, self._calls) if call is not None]
            left_out = max(0, self._begun - MOST_CALLS)
            kind = format_of(self._path) or "html"
            text = _engine.export_program(kind, self._name, records, left_out)
            _write_at_once(self._path, page_in_python(text).encode())
        except Exception as error:  # noqa: BLE001
            print(f"waterclock: cannot write {self._path}: {error}", file=sys.stderr)


def _latest(call: Timeline | _Streamed | None) -> Timeline | None:
    if not isinstance(call, _Streamed):
        return call
    reply = call.reply()
    try:
        now = reply.timeline() if reply is not None else call.followed.timeline()
    except RuntimeError:
        # Another thread reads it at this moment.
        now = None
    return now or call.begun


def _write_at_once(path: str, content: bytes) -> None:
    """Nobody ever sees half a file."""
    if os.path.exists(path) and not os.path.isfile(path):
        # A device or a pipe, of which there is only one.
        with open(path, "wb") as file:
            file.write(content)
        return
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        with open(beside, "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def begin(path: str, name: str) -> None:
    """Keep all calls from now on, and write them to `path` when the interpreter ends."""
    import atexit

    program = Program(path, name)
    _calls.watch(program)
    # What is registered first is called last: calls that other functions make at the end are in it.
    atexit.register(program.write)
