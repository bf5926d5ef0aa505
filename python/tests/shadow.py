"""What one way sent and got is played back to the other way, and what came of both is compared.

Nothing is sent a second time: the second way gets an engine that compares what it is told with what the first engine
was told, and answers with what that one answered.
"""

from __future__ import annotations

import copy
import io
import sys
import threading
from collections import OrderedDict
from typing import Any

import waterclock.adapters
import waterclock.models
import waterclock.sessions
from waterclock import _fast, _fast_way, _timeouts
from waterclock._engine import EngineError, Surface
from waterclock.structures import CaseInsensitiveDict


class Incomparable(Exception):
    """It cannot be told whether the two ways differ."""


class Differs(Exception):
    """The second way sends something else."""


# Threads that share an adapter put their recorders over each other, and take them out in any order.
_watching = threading.Lock()


class _Recorder:
    """An engine that keeps what it is told and what it answers."""

    def __init__(self, engine: Any, tape: Tape) -> None:
        self._engine, self._tape = engine, tape

    def send(self, method: str, url: str, headers: Any, own: Any, body: Any, **rest: Any) -> Any:
        told = {**rest, "method": method, "url": url, "body": body}
        told["headers"] = as_pairs(headers)
        return self._tape.keep(
            told, lambda: self._engine.send(method, url, headers, own, body, **rest)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class Tape:
    """The calls of the engine, in order: what it was told, and its reply or failure."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], Any]] = []
        # Others may use the same adapter meanwhile.
        self._thread = threading.get_ident()
        self._adapters: list[Any] = []

    def watch(self, adapter: Any) -> None:
        if type(adapter) is waterclock.adapters.HTTPAdapter:
            with _watching:
                adapter.__dict__["_engine"] = _Recorder(adapter._engine, self)
            self._adapters.append(adapter)

    def stop(self) -> None:
        for adapter in self._adapters:
            with _watching:
                self._take_out(adapter)

    def _take_out(self, adapter: Any) -> None:
        # Another thread's may lie over it, which has to stay.
        above, engine = None, adapter.__dict__["_engine"]
        while isinstance(engine, _Recorder):
            if engine._tape is self:
                if above is None:
                    adapter.__dict__["_engine"] = engine._engine
                else:
                    above._engine = engine._engine
                return
            above, engine = engine, engine._engine

    def keep(self, told: dict[str, Any], make: Any) -> Any:
        try:
            answer = make()
        except EngineError as error:
            self.note(told, error)
            raise
        self.note(told, answer)
        return answer

    def note(self, told: dict[str, Any], answer: Any) -> None:
        if threading.get_ident() == self._thread:
            self.calls.append((told, answer))


class _RecordedWay:
    """The way of one call over an engine that keeps what it is told."""

    def __init__(self, recorder: _Recorder, kind: type, adapter: Any, *rest: Any) -> None:
        # Those of threads that share the adapter lie over each other; each tape keeps what its own thread does.
        self._tapes = [recorder._tape]
        engine = recorder._engine
        while isinstance(engine, _Recorder):
            self._tapes.append(engine._tape)
            engine = engine._engine
        self._told: dict[str, Any] | None = None
        surface = Surface(
            waterclock.Response,
            CaseInsensitiveDict,
            waterclock.Session.request,
            sys.audit,
            self._failed,
            self._finish,
        )
        self._trusted, self._stream = rest[7:9]
        self._way = _Way(surface, kind, adapter, engine, *rest[:9])

    def go(self, *args: Any) -> Any:
        _, method, url, target, _, body, _, timeout, stream, _, _ = args
        deadlines = sys.modules.get("waterclock._deadline")
        self._told = {
            "method": method,
            "url": target or url,
            "body": body,
            "timeout": timeout,
            "total_until": deadlines.current_deadline() if deadlines else None,
            "verify": self._trusted,
            "cert": None,
            "after": None,
            "stream": self._stream if stream is None else stream,
        }
        response = self._way.go(*args)
        if response is not None:
            self._note(response._reply)
        return response

    def again(self, *_: Any) -> None:
        """It was the way of one call."""

    get = again

    def _failed(self, session: Any, adapter: Any, error: Any, *rest: Any) -> Any:
        if isinstance(error, EngineError):
            self._note(error)
        return _fast._failure(session, adapter, error, *rest)

    def _finish(self, session: Any, response: Any, *rest: Any) -> Any:
        # Before the next hop is sent.
        self._note(response._reply)
        return _fast._finish(session, response, *rest)

    def _note(self, answer: Any) -> None:
        told, self._told = self._told, None
        if told is not None:
            for tape in self._tapes:
                tape.note(told, answer)


_Way = _fast_way.Way


def _way(surface: Any, kind: type, adapter: Any, engine: Any, *rest: Any) -> Any:
    if isinstance(engine, _Recorder):
        return _RecordedWay(engine, kind, adapter, *rest)
    return _Way(surface, kind, adapter, engine, *rest)


_fast_way.Way = _way  # type: ignore[assignment, misc]


class _Player:
    """An engine that answers as it did before, if it is told the same."""

    def __init__(self, tape: Tape, contents: dict[int, Any]) -> None:
        self._calls = list(tape.calls)
        self._contents = contents

    def send(self, method: str, url: str, headers: Any, own: Any, body: Any, **rest: Any) -> Any:
        if not self._calls:
            raise Differs(f"the long way sends more: {method} {url}")
        before, answer = self._calls.pop(0)
        now = {**rest, "method": method, "url": url, "body": body}
        if isinstance(answer, EngineError):
            url_before = before["url"]
        else:
            url_before = answer.url
            sent, to_send = sent_by(answer), sent_as(headers, now)
            if sent != to_send:
                raise Differs(f"sent {sent}\n      long {to_send}")
        for name, was, now_is in (
            ("method", before["method"], method),
            ("url", url_before, url),
            ("body", as_bytes(before["body"]), as_bytes(body)),
            ("limits", limits_of(before.get("timeout")), limits_of(rest.get("timeout"))),
            ("deadline", before.get("total_until"), rest.get("total_until")),
            ("client certificate", before.get("cert"), rest.get("cert")),
        ):
            if was != now_is and not (name == "url" and isinstance(answer, EngineError)):
                raise Differs(f"{name}: short {was!r}, long {now_is!r}")
        if url.startswith("https:") and before.get("verify") != rest.get("verify"):
            raise Differs(f"verify: short {before.get('verify')!r}, long {rest.get('verify')!r}")
        if isinstance(answer, EngineError):
            raise answer
        return _Replayed(answer, self._contents.get(id(answer)))

    def close(self) -> None:
        pass


class _Replayed:
    """A reply whose body is read once more."""

    def __init__(self, reply: Any, content: bytes | None) -> None:
        self._reply = reply
        self.is_known = content is not None
        self._rest = io.BytesIO(content or b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)

    def read(self, amt: int | None = None, fill: bool = True) -> bytes:
        return self._rest.read(-1 if amt is None else amt)

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)

    def content(self) -> bytes:
        return self._rest.read()

    def keep_coded(self) -> bool:
        # It has no coded bytes.
        return False

    def close(self) -> None:
        pass

    drain = close


class Before:
    """A session as it was before a call."""

    def __init__(self, session: Any) -> None:
        self.kind = type(session)
        self.state = dict(session.__dict__)
        for name in ("headers", "cookies", "hooks", "params", "proxies"):
            if name in self.state:
                value = self.state[name]
                # A jar that is copied by copy.copy shares its cookies.
                self.state[name] = value.copy() if hasattr(value, "copy") else copy.copy(value)

    def record(self, session: Any) -> Tape:
        tape = Tape()
        for adapter in {id(one): one for one in session.adapters.values()}.values():
            tape.watch(adapter)
        return tape

    def again(self, player: Any) -> Any:
        """A session like it, whose adapters play back."""
        session = self.kind.__new__(self.kind)
        session.__dict__.update(self.state)
        adapters = OrderedDict()
        for prefix in self.state.get("adapters", ("https://", "http://")):
            adapters[prefix] = waterclock.adapters.HTTPAdapter()
            adapters[prefix].__dict__["_engine"] = player
        session.__dict__["adapters"] = adapters
        return session


NAMES = (
    "method", "url", "params", "data", "headers", "cookies", "files", "auth", "timeout", "allow_redirects",
    "proxies", "hooks", "stream", "verify", "cert", "json",
)  # fmt: skip


def differences(
    before: Before,
    tape: Tape,
    args: tuple[Any, ...],
    session: Any,
    response: Any,
    failure: BaseException | None,
) -> list[str]:
    """Go the long way over what the short one saw; what differs, in words."""
    given = dict(zip(NAMES, args, strict=True))
    responses = [] if response is None else [*response.history, response]
    contents = {
        id(one.__dict__.get("_reply")): one._content
        for one in responses
        if isinstance(one._content, bytes)
    }
    last = tape.calls[-1][1] if tape.calls else None
    if failure is not None and last is not None and not isinstance(last, EngineError):
        raise Incomparable("it failed after the head")
    if isinstance(last, EngineError) and last.status is not None:
        raise Incomparable("it failed after the head")
    again = before.again(_Player(tape, contents))
    try:
        theirs = waterclock.sessions.Session.request(again, **given)
    except Differs as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        if failure is None:
            return [f"only the long way fails: {error!r}"]
        return _compared(failure_state(failure), failure_state(error))
    if failure is not None:
        return [f"only the short way fails: {failure!r}"]
    before_looking = [(one, set(one.__dict__)) for one in responses]
    found = _compared(state(response), state(theirs))
    for one, names in before_looking:
        # Tests look whether something was made that nobody needed.
        for name in set(one.__dict__) - names:
            del one.__dict__[name]
    return found + _compared({"jar": jar_of(session)}, {"jar": jar_of(again)})


def _compared(short: dict[str, Any], long: dict[str, Any]) -> list[str]:
    return [
        f"{name}: short {short[name]!r}\n      long {long[name]!r}"
        for name in short
        if short[name] != long[name]
    ]


def state(response: Any, shallow: bool = False) -> dict[str, Any]:
    """Everything about a response that a program can see."""
    content = response._content
    seen = {
        "class": type(response).__name__,
        "status_code": response.status_code,
        "reason": response.reason,
        "url": response.url,
        "headers": list(response.headers.items()),
        "encoding": response.encoding,
        "elapsed": type(response.elapsed).__name__,
        "cookies": cookies_of(response.cookies),
        "request": request_state(response.request),
        "ok": response.ok,
        "is_redirect": response.is_redirect,
        "is_permanent_redirect": response.is_permanent_redirect,
        "links": response.links,
        "repr": repr(response),
        "connection": type(response.connection).__name__,
    }
    if not shallow:
        seen["content"] = content
        seen["consumed"] = response._content_consumed
        seen["next"] = None if response.next is None else request_state(response.next)
        seen["history"] = [state(one, True) for one in response.history]
    return seen


def request_state(request: Any) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.url,
        "headers": list(request.headers.items()),
        "body": request.body if isinstance(request.body, (str, bytes, type(None))) else "a stream",
        "body type": type(request.body).__name__,
        "hooks": {name: len(hooks) for name, hooks in request.hooks.items()},
        "cookies": cookies_of(request._cookies),
        "path_url": request.path_url,
    }


def cookies_of(jar: Any) -> list[Any]:
    return sorted((c.domain, c.path, c.name, str(c.value), bool(c.secure)) for c in jar or ())


def jar_of(session: Any) -> list[Any]:
    return cookies_of(session.__dict__.get("cookies"))


def failure_state(error: BaseException) -> dict[str, Any]:
    """Everything about an exception that a program can see; objects by their class."""
    request, response = getattr(error, "request", None), getattr(error, "response", None)
    return {
        "class": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__],
        "str": without_addresses(str(error)),
        "args": [type(arg).__name__ for arg in error.args],
        "request": None if request is None else request_state(request),
        "response": None if response is None else state(response, True),
        "limit": getattr(error, "limit", None),
        "phase": getattr(error, "phase", None),
        "request_sent": getattr(error, "request_sent", None),
        "notes": [without_numbers(note) for note in getattr(error, "__notes__", ())],
    }


def without_addresses(text: str) -> str:
    import re

    return re.sub(r"0x[0-9a-f]+", "0x", text)


def without_numbers(text: str) -> str:
    import re

    return re.sub(r"[0-9.]+", "N", text)


def as_pairs(headers: Any) -> list[tuple[str, bytes]]:
    """Header fields, as they go over the wire."""
    pairs = headers.values() if isinstance(headers, dict) else headers
    return [(_name(name), as_bytes(value)) for name, value in pairs]


def _name(name: Any) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else name


def as_bytes(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("latin-1" if all(ord(c) < 256 for c in value) else "utf-8")
    return value


def sent_by(reply: Any) -> list[tuple[str, bytes]]:
    return as_pairs(reply.request_headers)


def sent_as(headers: Any, told: dict[str, Any]) -> list[tuple[str, bytes]]:
    return as_pairs(headers)


def limits_of(timeout: Any) -> Any:
    """Limits by name, for every sort of timeout."""
    timeout = _timeouts.checked(timeout)
    if timeout is None:
        return (None, None)
    if isinstance(timeout, (int, float)):
        return (timeout, timeout)
    return timeout.to_dict() if hasattr(timeout, "to_dict") else tuple(timeout)
