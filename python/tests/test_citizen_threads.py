"""Threads share one Session, connections come back in the order in which NTLM needs them, and waits hold up nobody."""

from __future__ import annotations

import cProfile
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, Server, answer

import waterclock as requests
from waterclock.adapters import HTTPAdapter

THREADS = 8


def number(request: Any) -> bytes:
    return answer(f"{request.connection}")


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs work(0), work(1), ... at the same time, as far as that goes."""
    barrier = threading.Barrier(count)

    def run(one: int) -> Any:
        barrier.wait(30)
        return work(one)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture(scope="module")
def fast_server() -> Iterator[str]:
    """The lab's server, which answers with the X-Id that it was asked with."""
    target = Path(__file__).parents[2] / "target"
    # `cargo test` makes the second, so ./test has one.
    built = [target / profile / "examples" / "fast_server" for profile in ("release", "debug")]
    program = next(filter(Path.exists, built), None)
    if program is None:
        pytest.skip("SKIPPED: cargo build --release -p waterclock --example fast_server")
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/")
        assert server.stdin is not None
        server.stdin.close()


def pattern(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def test_no_answer_goes_to_another_thread(fast_server: str) -> None:
    session = requests.Session()

    def work(thread: int) -> int:
        wrong = 0
        for call in range(300):
            mine = f"{thread}-{call}"
            headers = {"X-Id": mine}
            kind = call % 6
            if kind == 0:
                found = session.get(fast_server, headers=headers, timeout=60)
                wrong += found.text != mine
            elif kind == 1:
                prepared = session.prepare_request(
                    requests.Request("GET", fast_server, headers=headers)
                )
                found = session.send(prepared, timeout=60)
                wrong += found.text != mine
            elif kind == 2:
                length = 1000 * thread + call
                found = session.get(f"{fast_server}/bytes/{length}", headers=headers, timeout=60)
                wrong += found.content != pattern(length)
            elif kind == 3:
                length = 10_000 * thread + call
                url = f"{fast_server}/chunked/{length}/777"
                with session.get(url, headers=headers, timeout=60, stream=True) as found:
                    wrong += b"".join(found.iter_content(1000)) != pattern(length)
            elif kind == 4:
                found = session.get(f"{fast_server}/", params={"id": mine}, timeout=60)
                wrong += found.text != mine
            else:
                # Read in part only.
                with session.get(
                    f"{fast_server}/bytes/70000", headers=headers, timeout=60, stream=True
                ) as found:
                    wrong += found.raw.read(500) != pattern(500)
            wrong += found.headers["X-Id"] != mine
        return wrong

    assert together(THREADS, work) == [0] * THREADS


def test_threads_need_no_more_connections_than_there_are_threads(
    serve: Callable[..., Server],
) -> None:
    server = serve(number)
    session = requests.Session()
    together(THREADS, lambda _: [session.get(server.url, timeout=60).ok for _ in range(20)])
    assert 1 <= server.connections <= THREADS


def test_pool_block_is_kept_to(serve: Callable[..., Server]) -> None:
    busy = most = 0
    lock = threading.Lock()

    def reply(request: Any) -> list[Any]:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.005)
        with lock:
            busy -= 1
        return [number(request)]

    server = serve(reply)
    session = requests.Session()
    session.mount(server.url, HTTPAdapter(pool_maxsize=2, pool_block=True))
    found = together(THREADS, lambda _: [session.get(server.url, timeout=60).ok for _ in range(10)])
    assert found == [[True] * 10] * THREADS
    assert most <= 2
    assert server.connections <= 2


def test_a_session_may_be_closed_while_others_use_it(serve: Callable[..., Server]) -> None:
    server = serve(number)
    session = requests.Session()

    def work(thread: int) -> bool:
        if thread == 0:
            for _ in range(50):
                session.close()
                time.sleep(0.001)
            return True
        return all(session.get(server.url, timeout=60).ok for _ in range(50))

    assert together(4, work) == [True] * 4


def test_waits_do_not_hold_up_other_threads(serve: Callable[..., Server]) -> None:
    server = serve([1.0, answer("late")])
    session = requests.Session()
    started = time.monotonic()
    found = together(THREADS, lambda _: session.get(server.url, timeout=60).text)
    took = time.monotonic() - started
    assert found == ["late"] * THREADS
    # One after the other they would take eight seconds.
    assert 1.0 <= took < 5.0


def test_a_response_may_be_read_in_another_thread(serve: Callable[..., Server]) -> None:
    server = serve(answer(bytes(300_000)), number)
    session = requests.Session()
    found = session.get(server.url, stream=True, timeout=60)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(lambda: len(found.content)).result() == 300_000
    assert session.get(server.url, timeout=60).text == "1"


def test_a_body_is_read_by_one_thread_at_a_time(serve: Callable[..., Server]) -> None:
    release = threading.Event()
    # What is taken here, byte by byte, until the other one begins; it would be waited for once it is gone.
    hello = b"hello" * 4000
    server = serve([answer(hello + b"world")[:-5], release, b"world"], number)
    session = requests.Session()
    found = session.get(server.url, stream=True, timeout=60)
    with ThreadPoolExecutor(1) as other:
        read = other.submit(lambda: b"".join(found.iter_content(99_999)))
        refusal = None
        while refusal is None:
            try:
                found._reply.read(1, False)  # type: ignore[attr-defined]
            except RuntimeError as error:
                refusal = error
            else:
                time.sleep(0.001)
        assert "by another thread" in str(refusal)
        found.close()  # is no end of what the other one reads
        release.set()
        # What was taken here before it began is missing there.
        assert (hello + b"world").endswith(read.result())
    assert session.get(server.url, timeout=60).text == "1"


def test_deadlines_belong_to_a_thread(serve: Callable[..., Server]) -> None:
    server = serve([0.3, answer("late")])
    with requests.deadline(0.05), ThreadPoolExecutor(1) as other:
        assert other.submit(requests.get, server.url, timeout=60).result().text == "late"
        with pytest.raises(requests.Timeout):
            requests.get(server.url, timeout=60)


def start(
    way: str,
    serve: Callable[..., Server],
    tls_serve: Callable[..., Server],
    ca_file: str,
    *replies: Any,
) -> tuple[Server, Any]:
    server = (tls_serve if way == "tls" else serve)(*replies)
    session = requests.Session()
    session.verify = ca_file
    return server, session


@pytest.mark.parametrize("way", ["plain", "tls"])
def test_the_connection_used_last_is_used_next(
    way: str, serve: Callable[..., Server], tls_serve: Callable[..., Server], ca_file: str
) -> None:
    server, session = start(way, serve, tls_serve, ca_file, number)
    held = [session.get(server.url, stream=True, timeout=60) for _ in range(4)]
    assert [one.text for one in reversed(held)] == ["4", "3", "2", "1"]
    for _ in range(3):
        found = session.get(server.url, timeout=60)
        assert found.text == "1"
        found.raw.release_conn()
        assert found.connection.send(found.request.copy(), verify=ca_file).text == "1"


@pytest.mark.parametrize("way", ["plain", "tls"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_handshake_over_several_requests_stays_on_one_connection(
    way: str,
    stream: bool,
    serve: Callable[..., Server],
    tls_serve: Callable[..., Server],
    ca_file: str,
) -> None:
    """NTLM and Kerberos authenticate the connection: requests-ntlm's hook does as this one."""

    def reply(request: Any) -> bytes:
        said = request.header("Authorization")
        if said == "NTLM three":
            return answer(f"{request.connection}")
        asks = "NTLM challenge" if said == "NTLM one" else "NTLM"
        return answer("please authenticate" * 50, 401, [("WWW-Authenticate", asks)])

    def again(found: Any, token: str, **kwargs: Any) -> Any:
        found.content  # noqa: B018 - it has to be read
        found.raw.release_conn()
        request = found.request.copy()
        request.headers["Authorization"] = token
        return found.connection.send(request, **kwargs)

    def hook(found: Any, **kwargs: Any) -> Any:
        if found.status_code != 401 or "Authorization" in found.request.headers:
            return found
        second = again(found, "NTLM one", **kwargs)
        second.history.append(found)
        third = again(second, "NTLM three", **kwargs)
        third.history.append(second)
        return third

    server, session = start(way, serve, tls_serve, ca_file, reply)
    # Others are idle as well.
    for one in [session.get(server.url, stream=True, timeout=60) for _ in range(3)]:
        one.close()

    def work(_: int) -> Any:
        found = session.get(server.url, hooks={"response": hook}, stream=stream, timeout=60)
        return found.status_code, found.text

    before = len(server.requests)
    status, connection = work(0)
    assert status == 200
    assert {str(one.connection) for one in server.requests[before:]} == {connection}
    assert len(server.requests) == before + 3


def test_tracing_and_profiling(serve: Callable[..., Server]) -> None:
    server = serve(number)
    session = requests.Session()
    seen: set[str] = set()

    def trace(frame: Any, event: str, _: Any) -> Any:
        seen.add(event)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert session.get(server.url, timeout=60).text == "1"
    finally:
        sys.settrace(before)
    assert {"call", "line", "return"} <= seen

    def profile(frame: Any, event: str, argument: Any) -> None:
        seen.add(f"{event} {getattr(argument, '__name__', '')}")

    sys.setprofile(profile)
    try:
        assert session.get(server.url, timeout=60).text == "1"
    finally:
        sys.setprofile(None)
    assert "c_call go" in seen

    profiler = cProfile.Profile()
    assert profiler.runcall(session.get, server.url, timeout=60).text == "1"


def test_large_bodies_in_threads(fast_server: str) -> None:
    length = 3_000_000
    wanted = hashlib.sha256(pattern(length)).digest()
    session = requests.Session()

    def work(_: int) -> bool:
        found = session.get(f"{fast_server}/bytes/{length}", timeout=60)
        return hashlib.sha256(found.content).digest() == wanted

    assert together(THREADS, work) == [True] * THREADS


def test_a_silent_server_holds_up_its_own_thread_only(serve: Callable[..., Server]) -> None:
    server = serve({"/stall": [STALL], "/": number})
    session = requests.Session()
    waiting = threading.Event()

    def stalled() -> str:
        waiting.set()
        try:
            session.get(server.url + "/stall", timeout=1.5)
        except requests.ReadTimeout:
            return "timeout"
        return "answer"

    with ThreadPoolExecutor(1) as other:
        ended = other.submit(stalled)
        waiting.wait(30)
        assert all(session.get(server.url, timeout=60).ok for _ in range(50))
        assert ended.result() == "timeout"


READERS: dict[str, Callable[[Any], Any]] = {
    "iter_content": lambda found: list(found.iter_content(10)),
    "iter_lines": lambda found: list(found.iter_lines()),
    "content": lambda found: found.content,
    "raw.read": lambda found: found.raw.read(),
    "raw.stream": lambda found: list(found.raw.stream(10)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_shutdown_ends_the_reading_in_another_thread(
    reader: str, framing: str, serve: Callable[..., Server]
) -> None:
    """As urllib3's `shutdown()` does, and for what requests reads through it."""
    begin = b"Content-Length: 100\r\n\r\nhello"
    if framing == "chunks":
        begin = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    server = serve({"/": [b"HTTP/1.1 200 OK\r\n" + begin, STALL], "/next": number})
    session = requests.Session()
    found = session.get(server.url, stream=True, timeout=60)
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(READERS[reader], found)
        time.sleep(0.1)
        started = time.monotonic()
        found.raw.shutdown()
        error = reading.exception(timeout=30)
        assert time.monotonic() - started < 10
    # What requests makes of a body that ends early.
    wanted = "ProtocolError" if reader.startswith("raw") else "ChunkedEncodingError"
    assert type(error).__name__ in (wanted, "IncompleteRead"), repr(error)
    assert session.get(server.url + "/next", timeout=60).text == "2"


def test_shutdown_of_one_response_ends_no_other(serve: Callable[..., Server]) -> None:
    server = serve(
        {
            "/": answer("gone", 302, [("Location", "/late")]),
            "/late": [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 0.2, b"late"],
        }
    )
    session = requests.Session()
    found = session.get(server.url, stream=True, timeout=60)
    # Its call went on with the next hop.
    found.history[0]._reply.shutdown()  # type: ignore[attr-defined]
    assert found.text == "late"
    assert session.get(server.url, timeout=60).text == "late"
