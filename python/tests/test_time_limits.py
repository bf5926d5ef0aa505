"""Each limit by its name, both ways: it fires, not early, and the exception says where and what was sent."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, BlackHole, Server, answer
from timing import LATE, expired, way  # noqa: F401 - a fixture

import waterclock
from waterclock import Limits

Serve = Callable[..., Server]
T = 0.1


@pytest.fixture(autouse=True)
def both_ways(way: Any) -> None:  # noqa: F811
    """All of these tests."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """It takes little that nobody reads."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


@pytest.fixture
def never_reads(listener: socket.socket) -> str:
    """A server that takes a connection and reads nothing."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture
def reads_slowly(listener: socket.socket) -> Iterator[str]:
    """A server that always reads a little more of an upload, and never all of it in time."""
    stopping = threading.Event()

    def read() -> None:
        listener.settimeout(LATE)
        try:
            with listener.accept()[0] as sock:
                while not stopping.wait(0.01):
                    sock.recv(8192)
        except OSError:
            pass

    thread = threading.Thread(target=read)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    stopping.set()
    thread.join()


BODY = b"x" * 40_000_000


def test_total(serve: Serve) -> None:
    server = serve([STALL])
    error = expired(
        "total", T, lambda: waterclock.get(server.url, timeout=Limits(total=T)), "first_byte"
    )
    assert isinstance(error, waterclock.ReadTimeout)
    assert error.request_sent == "yes"


def test_attempt(serve: Serve) -> None:
    server = serve([STALL])
    expired(
        "attempt", T, lambda: waterclock.get(server.url, timeout=Limits(attempt=T)), "first_byte"
    )


def test_pool(serve: Serve) -> None:
    server = serve(answer("some body"))
    session = waterclock.Session()
    session.mount("http://", waterclock.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
    first = session.get(server.url, stream=True)
    error = expired("pool", T, lambda: session.get(server.url, timeout=Limits(pool=T)))
    assert isinstance(error, waterclock.ConnectionError)
    assert error.request_sent == "no"
    assert error.phase == "pool"
    assert first.content == b"some body"
    assert session.get(server.url, timeout=Limits(pool=T)).content == b"some body"


@pytest.mark.parametrize("limit", ["connect", "address"])
def test_connect(black_hole: BlackHole, limit: str) -> None:
    limits = Limits(**{limit: T})
    error = expired(limit, T, lambda: waterclock.get(black_hole.url, timeout=limits))
    assert isinstance(error, waterclock.exceptions.ConnectTimeout)
    assert error.request_sent == "no"
    assert error.phase == "connect"


def test_tunnel(serve: Serve) -> None:
    proxy = serve([STALL])
    proxies = {"https": proxy.url}

    def call() -> Any:
        return waterclock.get("https://a.invalid/", proxies=proxies, timeout=Limits(tunnel=T))

    error = expired("tunnel", T, call)
    assert error.request_sent == "no"
    assert error.phase == "tunnel"


def test_tls(silent: str) -> None:
    url = silent.replace("http", "https")
    error = expired("tls", T, lambda: waterclock.get(url, timeout=Limits(tls=T)))
    assert isinstance(error, waterclock.exceptions.ConnectTimeout)
    assert isinstance(error, waterclock.ReadTimeout)
    assert error.request_sent == "no"
    assert error.phase == "tls"


def test_write(never_reads: str) -> None:
    error = expired("write", T, lambda: waterclock.post(never_reads, BODY, timeout=Limits(write=T)))
    assert isinstance(error, waterclock.ConnectionError)
    assert error.request_sent == "partly"
    assert error.phase == "upload"


def test_upload(reads_slowly: str) -> None:
    limits = Limits(upload=3 * T, write=LATE)
    error = expired("upload", 3 * T, lambda: waterclock.post(reads_slowly, BODY, timeout=limits))
    assert error.request_sent == "partly"
    assert error.phase == "upload"


def test_continue_is_no_failure(serve: Serve) -> None:
    """The limit after which the body is sent all the same."""
    server = serve(answer("done"), read_body=False)
    headers = {"Expect": "100-continue"}
    response = waterclock.post(
        server.url, b"body", headers=headers, timeout=Limits(continue_=T, total=LATE)
    )
    assert response.status_code == 200
    assert response.timeline.limits["continue"] == T


def test_first_byte(serve: Serve) -> None:
    server = serve([STALL])
    limits = Limits(first_byte=T)
    error = expired("first_byte", T, lambda: waterclock.get(server.url, timeout=limits))
    assert isinstance(error, waterclock.ReadTimeout)
    assert error.request_sent == "yes"
    assert error.phase == "first_byte"


def dribble(text: bytes, pause: float = 0.02) -> list[Any]:
    return [step for byte in text for step in (bytes([byte]), pause)]


def test_head(serve: Serve) -> None:
    server = serve(dribble(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 2000))
    limits = Limits(head=2 * T, first_byte=LATE, read=LATE)
    error = expired("head", 2 * T, lambda: waterclock.get(server.url, timeout=limits), "head")
    assert isinstance(error, waterclock.ReadTimeout)


@pytest.mark.parametrize("stream", [False, True])
def test_read_of_a_body(serve: Serve, stream: bool) -> None:
    server = serve([answer("hello")[:-2], STALL])

    def call() -> Any:
        return waterclock.get(server.url, timeout=Limits(read=T), stream=stream).content

    error = expired("read", T, call, "body")
    assert isinstance(error, waterclock.ConnectionError)
    assert isinstance(error, waterclock.ReadTimeout)
    assert error.request_sent == "yes"


@pytest.mark.parametrize("stream", [False, True])
def test_body(serve: Serve, stream: bool) -> None:
    server = serve([answer("x" * 5000)[:-5000], *dribble(b"x" * 5000)])
    limits = Limits(body=2 * T, read=LATE)

    def call() -> Any:
        response = waterclock.get(server.url, timeout=limits, stream=stream)
        return list(response.iter_content(10))

    error = expired("body", 2 * T, call)
    assert error.phase == "body"


def test_read_starts_again_and_total_does_not(serve: Serve) -> None:
    server = serve(dribble(answer("hello"), 0.01))
    read = Limits(read=LATE / 4)
    assert waterclock.get(server.url, timeout=read).content == b"hello"
    expired("total", T, lambda: waterclock.get(server.url, timeout=Limits(total=T, read=LATE)))


def test_the_tightest_limit_is_named(serve: Serve) -> None:
    server = serve([STALL])
    limits = Limits(total=LATE, attempt=LATE - 1, first_byte=T, head=LATE, read=2 * T)
    expired("first_byte", T, lambda: waterclock.get(server.url, timeout=limits))
    same = Limits(total=T, attempt=T, first_byte=T)
    # Of two that began and end at the same time, the one that says more.
    expired("attempt", T, lambda: waterclock.get(server.url, timeout=same))


def test_limits_of_a_request_are_those_of_requests(serve: Serve) -> None:
    url = serve(answer("ok")).url
    of_float = waterclock.get(url, timeout=5).timeline.limits
    of_pair = waterclock.get(url, timeout=(3, 4.5)).timeline.limits
    of_nothing = waterclock.get(url).timeline.limits
    half = waterclock.get(url, timeout=(None, 4)).timeline.limits
    connecting = ("resolve", "address", "tunnel", "tls", "write")
    assert {of_float[name] for name in (*connecting, "read")} == {5.0}
    assert {of_pair[name] for name in connecting} == {3.0}
    assert of_pair["read"] == 4.5
    assert {of_nothing[name] for name in (*connecting, "read")} == {None}
    assert (half["address"], half["read"]) == (None, 4.0)
    for limits in (of_float, of_pair, of_nothing, half):
        assert limits["total"] is None


def test_limits_are_values() -> None:
    limits = Limits(total=5, first_byte=1.5, continue_=2)
    assert limits.to_dict() == {"total": 5.0, "continue_": 2.0, "first_byte": 1.5}
    assert (limits.total, limits.continue_, limits.read) == (5.0, 2.0, None)
    assert limits == Limits(continue_=2, total=5.0, first_byte=1.5)
    assert len({limits, Limits(continue_=2, total=5.0, first_byte=1.5), Limits()}) == 2
    assert pickle.loads(pickle.dumps(limits)) == limits
    assert eval(repr(limits)) == limits
    assert Limits(total=None, read=float("inf")) == Limits()


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"total": 0}, ValueError, "the limit total is 0; leave it out"),
        ({"read": -1}, ValueError, "the limit read is not a positive number"),
        ({"read": float("nan")}, ValueError, "the limit read is not a positive number"),
        ({"head": "5"}, TypeError, "the limit head must be a number of seconds"),
        ({"head": True}, TypeError, "the limit head must be a number of seconds"),
        ({"reed": 1}, TypeError, "there is no limit"),
    ],
)
def test_limits_that_are_none(arguments: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Limits(**arguments)


@pytest.mark.parametrize("limit", ["resolve", "total", "connect"])
def test_a_lookup_that_is_stuck(stuck_lookup: str, limit: str) -> None:
    script = f"""
        import time, waterclock
        started = time.perf_counter()
        try:
            waterclock.get("http://stuck.example/", timeout=waterclock.Limits({limit}=0.2))
        except waterclock.exceptions.ConnectTimeout as error:
            took = time.perf_counter() - started
            # Most of it is imports; a lookup that is waited for never ends.
            assert 0.2 <= took < 30, took
            print(error.limit, error.phase, error.request_sent, error.timeline.unaccounted)
    """
    environment = {**os.environ, "LD_PRELOAD": stuck_lookup}
    environment["PYTHONPATH"] = str(Path(waterclock.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == f"{limit} resolve no 0.0\n", done.stderr
