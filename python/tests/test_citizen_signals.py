"""Ctrl-C ends any wait at once, and other signals move no deadline."""

from __future__ import annotations

import gzip
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ways
from interrupts import AT_ONCE, WAITS
from loopback import STALL, BlackHole, Server, answer
from programs import environment, python

import waterclock as requests

PROGRAM = str(Path(__file__).with_name("interrupts.py"))
#: On a busy machine threads wait for their turn: of several tries one has to be quick, and each of them far
#: from what it would have waited.
IN_TURN = 10

ZEROS = gzip.compress(bytes(32 << 20))
replies: dict[str, Any] = {
    "/": lambda request: answer(f"{request.connection}"),
    "/stall": [STALL],
    "/half": [b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + bytes(200_000), STALL],
    "/chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n", STALL],
    "/bomb": [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"%x\r\n%b\r\n" % (len(ZEROS), ZEROS)] * 60,
        STALL,
    ],
    "/500": answer("", 500),
    "/503": answer("", 503, [("Retry-After", "60")]),
}
# Paths whose answers are whole: the connection stays good.
WHOLE = ("/", "/500", "/503")


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve(replies, read_body=False)


@pytest.fixture
def elsewhere(silent: str, black_hole: BlackHole) -> Callable[[str], str]:
    """Where a wait of that name is to go to."""
    return lambda wait: black_hole.url if wait == "connect" else silent


def run(how: str, wait: str, server: Server, elsewhere: str, stuck_lookup: str) -> Any:
    variables = {"LD_PRELOAD": stuck_lookup} if wait in ("resolve",) else {}
    done = python(PROGRAM, how, wait, server.url, elsewhere, env=environment(**variables))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_any_wait(
    wait: str, server: Server, elsewhere: Callable[[str], str], stuck_lookup: str
) -> None:
    found = run("process", wait, server, elsewhere(wait), stuck_lookup)
    check_interrupted(found, server)


@pytest.mark.parametrize(
    "wait", ["resolve", "tls", "upload", "head", "body", "work", "pool", "backoff"]
)
def test_a_signal_that_wakes_nobody_ends_any_wait(
    wait: str, server: Server, elsewhere: Callable[[str], str], stuck_lookup: str
) -> None:
    found = run("thread", wait, server, elsewhere(wait), stuck_lookup)
    check_interrupted(found, server)


def check_interrupted(found: list[dict[str, Any]], server: Server) -> None:
    assert [one["ended"] for one in found] == ["interrupted"] * len(found)
    delays = sorted(one["took"] for one in found)
    assert 0 <= delays[0] < AT_ONCE, delays
    assert delays[-1] < IN_TURN, delays
    assert all(one["after"].isdigit() for one in found)
    # Nothing follows on a connection where something was left unfinished.
    unfinished = set()
    for request in server.requests:
        assert request.connection not in unfinished, request.target
        if request.target not in WHOLE:
            unfinished.add(request.connection)


@pytest.mark.parametrize("wait", [wait for wait in WAITS if WAITS[wait][0] != "backoff"])
def test_handlers_that_return_move_no_deadline(
    wait: str, server: Server, elsewhere: Callable[[str], str], stuck_lookup: str
) -> None:
    found = run("handled", wait, server, elsewhere(wait), stuck_lookup)
    assert found["ended"] == WAITS[wait][0]
    assert 0.3 <= found["took"] < IN_TURN
    assert found["ran"] > 0
    assert found["after"].isdigit()


class Storm:
    """A handler of SIGUSR1 in this process, and a thread that sends it to a thread."""

    def __init__(self, handler: Callable[[], Any]) -> None:
        self.handler = handler
        self.ran = 0
        self.is_handling = False
        signal.signal(signal.SIGUSR1, self.handle)
        self.ended = threading.Event()
        self.thread: threading.Thread | None = None

    def handle(self, *_: Any) -> None:
        self.ran += 1
        # On a busy machine the next one comes while this one is being handled.
        if not self.is_handling:
            self.is_handling = True
            try:
                self.handler()
            finally:
                self.is_handling = False

    def begin(self, at: int | None, every: float, times: int) -> None:
        target = threading.get_ident() if at is None else at

        def send() -> None:
            for _ in range(times):
                if self.ended.wait(every):
                    return
                signal.pthread_kill(target, signal.SIGUSR1)

        self.thread = threading.Thread(target=send)
        self.thread.start()

    def end(self) -> None:
        self.ended.set()
        if self.thread is not None:
            self.thread.join()
        # Not to the default: one may still be on its way to a thread, and would end the process.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


@pytest.fixture
def storm() -> Iterator[Callable[..., Storm]]:
    storms: list[Storm] = []

    def begin(
        handler: Callable[[], Any] = lambda: None,
        at: int | None = None,
        every: float = 0.01,
        times: int = 100_000,
    ) -> Storm:
        storms.append(Storm(handler))
        storms[-1].begin(at, every, times)
        return storms[-1]

    yield begin
    for one in storms:
        one.end()


def test_a_pause_before_another_attempt_is_not_cut(
    serve: Callable[..., Server], storm: Callable[..., Storm]
) -> None:
    from urllib3.util import Retry

    from waterclock.adapters import HTTPAdapter

    server = serve(answer("", 500), answer("", 500), answer("third"))
    session = requests.Session()
    retries = Retry(total=3, backoff_factor=0.2, status_forcelist=[500])
    session.mount("http://", HTTPAdapter(max_retries=retries))
    begun = storm()
    started = time.monotonic()
    assert session.get(server.url, timeout=60).text == "third"
    assert time.monotonic() - started >= 0.4
    assert begun.ran > 0


def test_a_handler_may_make_calls_itself(
    serve: Callable[..., Server], storm: Callable[..., Storm]
) -> None:
    release = threading.Event()
    slow: list[Any] = [
        release,
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl",
        0.1,
        b"ow",
    ]
    server = serve({"/slow": slow, "/": answer("inner")})
    session = requests.Session()
    texts = [session.get(server.url, timeout=60).text]  # what is imported late is there now

    def handler() -> None:
        texts.append(session.get(server.url, timeout=60).text)
        if len(texts) > 4:
            release.set()

    begun = storm(handler, every=0.05)
    assert session.get(server.url + "/slow", timeout=60).text == "slow"
    begun.end()
    assert len(texts) > 4
    assert set(texts) == {"inner"}


def test_what_a_handler_raises_comes_out_as_it_is(
    serve: Callable[..., Server], storm: Callable[..., Storm]
) -> None:
    class Own(Exception):
        pass

    def handler() -> None:
        raise Own("mine")

    server = serve({"/stall": [STALL], "/": answer("later")})
    session = requests.Session()
    with pytest.raises(Own, match="mine"):
        storm(handler, every=0.1, times=1)
        session.get(server.url + "/stall", timeout=60)
    assert session.get(server.url, timeout=60).text == "later"


def test_a_signal_in_another_thread_does_not_fail_its_call(
    serve: Callable[..., Server], storm: Callable[..., Storm]
) -> None:
    server = serve({"/stall": [STALL]})
    ended: queue.Queue[Any] = queue.Queue()
    may_leave = threading.Event()

    def call() -> None:
        started = time.monotonic()
        try:
            requests.get(server.url + "/stall", timeout=0.5)
        except requests.RequestException as error:
            ended.put((error, time.monotonic() - started))
        may_leave.wait(60)

    thread = threading.Thread(target=call)
    thread.start()
    assert thread.ident is not None
    begun = storm(at=thread.ident)
    error, took = ended.get(timeout=60)
    begun.end()
    may_leave.set()
    thread.join()
    assert isinstance(error, requests.ReadTimeout)
    assert took >= 0.5
    assert begun.ran > 0


def test_an_exception_of_a_body_comes_out_as_it_is(serve: Callable[..., Server]) -> None:
    """A generator that is interrupted while it waits for something of its own."""

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise KeyboardInterrupt("mine")

    server = serve(answer("later"))
    session = requests.Session()
    with pytest.raises(KeyboardInterrupt, match="mine"):
        session.post(server.url, data=pieces())
    assert session.get(server.url, timeout=60).text == "later"


@pytest.mark.parametrize("way", ["short", "long"])
def test_what_an_alarm_raises_ends_the_call(
    serve: Callable[..., Server], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An OSError too: it is not taken for a reason to make the call another way, which would send it again."""

    def ring(*_: Any) -> None:
        raise TimeoutError("ring")

    if way == "long":
        ways.only_the_long_one(monkeypatch)

    def stall(_: Any) -> Any:
        # Not by a timer: on a busy machine that could be before the request was sent.
        os.kill(os.getpid(), signal.SIGALRM)
        return [STALL]

    server = serve({"/stall": stall})
    before = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(requests.ConnectionError, match="ring"):
            requests.post(server.url + "/stall", data="x", timeout=60)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(server.requests) == 1
