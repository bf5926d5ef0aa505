"""No panic of the engine crosses into Python, whatever its private functions are given.

A panic would be a `PanicException`, which is no `Exception`, and words on standard error.
"""

from __future__ import annotations

import array
import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from loopback import Server, answer
from programs import environment, python

import waterclock as requests
from waterclock import _engine, _fast, _fast_way


class Refuses:
    """Raises whatever it is asked."""

    def __bool__(self) -> bool:
        raise ValueError("no truth")

    def __index__(self) -> int:
        raise ValueError("no number")

    def __float__(self) -> float:
        raise ValueError("no number either")

    def __iter__(self) -> Iterator[Any]:
        raise ValueError("nothing in it")

    def __len__(self) -> int:
        raise ValueError("no length")

    def __getattr__(self, name: str) -> Any:
        raise ValueError(f"no {name}")

    def __str__(self) -> str:
        raise ValueError("no words")

    def __repr__(self) -> str:
        return "Refuses()"

    def __hash__(self) -> int:
        raise ValueError("no hash")


class Reads:
    """A file whose read() does what it is told."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)

    def read(self, amount: int = -1) -> Any:
        result = self.results.pop(0) if self.results else b""
        if isinstance(result, BaseException):
            raise result
        return result


class Text(str):
    """A string that is not quite one."""


def endless() -> list[Any]:
    inside: list[Any] = []
    inside.append(inside)
    return inside


def odd_values() -> list[Any]:
    # No memoryview that was released: CPython's own iter() of it is in error.
    return [
        None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 2**200, -(2**63), 0.0, -0.0, 1.5, 1e-300, 1e300,
        float("nan"), float("inf"), float("-inf"), 1j,
        "", " ", "\0", "\r\n", "\ud800", "é" * 50, "x" * 100_000, Text("text"), "http://", "http://[::", "http://a:b/",
        "https://\x7f/", "://", "socks5://", "http://u:p@", "http://a:99999999999", "/", "-", "é://é",
        b"", b"\xff\0", b"GET", bytearray(b"ab"), memoryview(b"abc")[::2], array.array("i", [1]),
        [], [1], [None], endless(), [("a",)], [("a", "b", "c")], [(b"\xff", "\ud800")], [("A\r\n", "b")], [("a", 1)],
        {}, {"a": 1}, {1: 2}, {"a": ("b",)}, {"a": ("b", None)}, {None: None},
        (), (1,), (1, 2), (1, 2, 3), (0.5, None), (None, None), ("a", "b"), ("", None), (float("nan"), -1), (b"", b""),
        set(), object(), object, Refuses(), Reads(None), Reads(1), Reads("\ud800"), Reads(ValueError("broken")), Reads(b"x" * 300_000),
        (x for x in [b"a", None, "b", bytearray(b"c")]), (x for x in [1]), iter([endless()]),
        lambda *_: None, sys, NotImplemented, ..., range(3), _engine.Limits(), _engine.Deadline(0.0), _engine.Deadline(1e300),
        _engine.EngineError("by hand"), requests.Timeout("by hand"),
    ]  # fmt: skip


COUNT = len(odd_values())


@pytest.fixture
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is said on standard error: a panic says much."""
    yield
    captured = capfd.readouterr()
    assert "panicked" not in captured.err
    assert "defect of waterclock" not in captured.err


def attempt(call: Callable[[], Any]) -> Any:
    """What a call returns; it may raise, but only what is an Exception, and no defect of ours."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - all of them are fine, save one
        with contextlib.suppress(ValueError):  # some have no words
            assert "defect of waterclock" not in str(error), error
        return error


def way_of(engine: Any, url: str) -> list[Any]:
    """The arguments of `Way`."""
    headers = {"user-agent": ("User-Agent", "a"), "accept-encoding": ("Accept-Encoding", "b")}
    return [
        _fast._SURFACE, requests.Session, None, engine, url, ("127.0.0.1", 80), headers,
        None, None, None, True, None, False, None, 1.0,
    ]  # fmt: skip


def call_of(url: str) -> list[Any]:
    """The arguments of `Way.go`."""
    return [requests.Session(), "GET", url, None, None, None, None, 5.0, False, True, None]


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve(answer("hello", 200, [("X-A", "é")]))


def works(engine: Any, server: Server) -> bool:
    url = server.url + "/"
    response = _engine.Way(*way_of(engine, url)).go(*call_of(url))
    return bool(response.status_code == 200 and response.content == b"hello")


@pytest.mark.parametrize("position", range(11))
def test_go(position: int, server: Server, quiet: None) -> None:
    engine, url = _engine.Engine(), server.url + "/"
    for value in odd_values():
        arguments = call_of(url)
        arguments[position] = value
        attempt(lambda arguments=arguments: _engine.Way(*way_of(engine, url)).go(*arguments))
    assert works(engine, server)


@pytest.mark.parametrize("position", range(15))
def test_ways(position: int, server: Server, quiet: None) -> None:
    engine, url = _engine.Engine(), server.url + "/"
    for value in odd_values():
        arguments = way_of(engine, url)
        arguments[position] = value
        attempt(lambda arguments=arguments: _engine.Way(*arguments).go(*call_of(url)))
    assert works(engine, server)


def test_again(server: Server, quiet: None) -> None:
    session, url = requests.Session(), server.url + "/"
    given = {"timeout": 5.0}
    for _ in range(3):
        session.get(url, **given)
    way = session.__dict__[_fast_way.NAME]
    usual = call_of(url)
    usual[0] = session
    for value in odd_values():
        attempt(lambda value=value: way.get(value, url, given))
        attempt(lambda value=value: way.get(session, value, given))
        attempt(lambda value=value: way.get(session, url, value))
        for name in ("timeout", "headers", "stream", "allow_redirects", "hooks"):
            attempt(lambda value=value, name=name: way.get(session, url, {name: value}))
        for position in range(11):
            arguments = [*usual]
            arguments[position] = value
            del arguments[3]
            attempt(lambda arguments=arguments: way.again(*arguments))
    assert way.get(session, url, given).content == b"hello"


SEND = [
    name for name in inspect.signature(_engine.Engine.send).parameters if name not in ("self", "/")
]


@pytest.mark.parametrize("name", SEND)
def test_send(name: str, server: Server, quiet: None) -> None:
    engine = _engine.Engine()
    for value in odd_values():
        arguments = {
            "method": "POST",
            "url": server.url + "/",
            "headers": {},
            "timeout": 5.0,
            "body": b"x",
        }
        arguments[name] = value
        attempt(lambda arguments=arguments: engine.send(**arguments))
        if name == "body":
            arguments["chunked"] = True
            attempt(lambda arguments=arguments: engine.send(**arguments))
    assert works(engine, server)


METHODS = [
    "read",
    "readinto",
    "header",
    "content",
    "keep_coded",
    "timeline",
    "header_store",
    "drain",
    "close",
]


def reply_of(server: Server) -> Any:
    return _engine.Engine().send("GET", server.url + "/", {}, timeout=5.0, stream=True)


@pytest.mark.parametrize("method", METHODS)
def test_replies(method: str, server: Server, quiet: None) -> None:
    used = reply_of(server)
    for value in odd_values():
        reply = reply_of(server)
        for one in (reply, used):
            function = getattr(one, method)
            for arguments in ((value,), (value, value), (1, value), ()):
                attempt(partial(function, *arguments))
            for name in dir(one):
                attempt(partial(getattr, one, name))
        attempt(partial(reply.readinto, value))
    assert used.status == 200


def test_everything_else(server: Server, quiet: None) -> None:
    engine = _engine.Engine()
    reply = engine.send("GET", server.url + "/", {}, timeout=5.0)
    functions: list[Callable[..., Any]] = [
        _engine.Engine, _engine.Limits, _engine.Deadline, _engine.EngineError, _engine.Unchanged, _engine.Attributes, _engine.Paused,
        _engine.Record, _engine.Reply, _engine.Continuation, _engine.simple_url, _engine.external_timeline,
        _engine.Limits._restore, _engine.Deadline(1.0).earlier, engine.pause, engine.close,
    ]  # fmt: skip
    unchanged = _engine.Unchanged([])
    for value in odd_values():
        for function in functions:
            for count in range(1, 7):
                attempt(partial(function, *[value] * count))
        attempt(lambda value=value: _engine.Limits(total=value))
        attempt(lambda value=value: _engine.Limits(**{str(value): 1}))
        attempt(lambda value=value: engine.pause(0.0, value))
        attempt(lambda value=value: engine.pause(value, _engine.EngineError("by hand")))
        attempt(
            lambda value=value: _engine.external_timeline("GET", "http://a/", value, 200, "note")
        )
        attempt(
            lambda value=value: _engine.external_timeline("GET", value, 1.0, value, value, value)
        )
        attempt(lambda value=value: bool(_engine.Unchanged([({}, [value])])))
        attempt(lambda value=value: bool(_engine.Unchanged([(value, ["a"])])))
        attempt(lambda value=value: bool(_engine.Unchanged([], [value])))
        attempt(lambda value=value: bool(_engine.Unchanged([], [], [value], [value])))
        attempt(lambda value=value: _engine.Attributes({}, {"a"}, unchanged).are_in(value))
        attempt(lambda value=value: _engine.Attributes({value: value}, {"a"}, unchanged))
        attempt(lambda value=value: _engine.Limits() == value)
    attempt(lambda: engine.pause(0.0, reply))
    assert works(engine, server)


def test_records(server: Server, quiet: None) -> None:
    error = attempt(lambda: _engine.Engine().send("GET", "http://127.0.0.1:1/", {}, timeout=5.0))
    assert error.kind == "connect"
    record = error.timeline._record
    for value in odd_values():
        for name in ("explain", "to_json", "headline"):
            attempt(partial(getattr(record, name), value))
            attempt(partial(getattr(record, name), value, value))
        attempt(partial(error.timeline.explain, value))
        attempt(partial(error.timeline.explain, width=value))


class Outside(BaseException):
    """Not an Exception, like KeyboardInterrupt and SystemExit."""


@pytest.mark.parametrize(
    "raised", [ValueError("mine"), Outside("mine"), SystemExit(3), StopIteration(4)]
)
@pytest.mark.parametrize("kind", ["file", "generator"])
def test_what_bodies_raise(raised: BaseException, kind: str, server: Server, quiet: None) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise raised

    body: Any = Reads(b"one", raised) if kind == "file" else pieces()
    engine = _engine.Engine()
    wanted: Any = type(raised)
    if kind == "generator" and wanted is StopIteration:
        wanted = RuntimeError  # PEP 479
    with pytest.raises(wanted):
        engine.send("POST", server.url + "/", {}, body=body, chunked=True, timeout=5.0)
    assert works(engine, server)


def test_bodies_that_make_calls_themselves(server: Server, quiet: None) -> None:
    session = requests.Session()

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield session.get(server.url, timeout=60).content
            session.close()

    assert session.post(server.url, data=pieces(), timeout=60).text == "hello"
    assert {one.body for one in server.requests if one.method == "POST"} == {b"hello" * 3}


def test_arguments_of_the_program(quiet: None) -> None:
    for words in (
        ["\udcff"],
        ["--json", "http://[::"],
        ["", "-"],
        ["-m", "nan", "http://127.0.0.1:1/"],
    ):
        done = python("-m", "waterclock", *words, env=environment())
        assert "panicked" not in done.stderr
        assert done.returncode > 0
    for value in ("None", "[1]", "[b'a']", "['\\0']", "1", "[]", "['a', '\\ud800']"):
        source = f"from waterclock import _engine\ntry: print(_engine.main({value}))\nexcept Exception: pass"
        done = python("-c", source, env=environment())
        assert "panicked" not in done.stderr
        assert done.returncode == 0, done.stderr
