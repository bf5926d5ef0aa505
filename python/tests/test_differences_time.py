"""Timeouts, limits and clocks, where waterclock does something else than requests.

docs/moving-from-requests.md says why.
"""

from __future__ import annotations

import datetime
import decimal
import pickle
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from differences import of_requests, of_waterclock, outcome, timed
from loopback import STALL, BlackHole, Server, answer

import waterclock

Serve = Callable[..., Server]

OK = answer("ok")


def caught(package: Any, call: Callable[[], Any]) -> set[str]:
    """Which of these classes an `except` clause may name to catch what the call raises."""
    names = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout", "ProxyError")
    exceptions = package.exceptions
    try:
        call()
    except exceptions.RequestException as error:
        return {name for name in names if isinstance(error, getattr(exceptions, name))}
    raise AssertionError("nothing was raised")


def test_a_stalled_body_is_a_timeout(serve: Serve) -> None:
    server = serve([answer("hello")[:-2], STALL])

    def program(package: Any) -> Any:
        return caught(package, lambda: package.get(server.url, timeout=(5, 0.3)))

    assert of_requests(program) == {"ConnectionError"}
    assert of_waterclock(program) == {"ConnectionError", "ReadTimeout", "Timeout"}


def test_a_stalled_handshake_is_a_connect_timeout_too(silent: str) -> None:
    url = silent.replace("http", "https")

    def program(package: Any) -> Any:
        return caught(package, lambda: package.get(url, timeout=(0.3, 10), verify=False))

    assert of_requests(program) == {"ReadTimeout", "Timeout"}
    everything = {"ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout"}
    assert of_waterclock(program) == everything


def test_a_stalled_upload_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_reads:
        url = f"http://127.0.0.1:{never_reads.getsockname()[1]}/"

        def program(package: Any) -> Any:
            return caught(package, lambda: package.post(url, b"x" * 30_000_000, timeout=0.3))

        assert of_requests(program) == {"ConnectionError"}
        assert of_waterclock(program) == {"ConnectionError", "Timeout"}


def test_a_proxy_that_cannot_be_reached_in_time_is_a_timeout(black_hole: BlackHole) -> None:
    def program(package: Any) -> Any:
        proxies = {"http": black_hole.url}
        return caught(
            package, lambda: package.get("http://a.invalid/", proxies=proxies, timeout=0.05)
        )

    assert of_requests(program) == {"ConnectionError", "ProxyError"}
    everything = {"ConnectionError", "ConnectTimeout", "ProxyError", "Timeout"}
    assert of_waterclock(program) == everything


def test_retries_that_timed_out_are_a_timeout(serve: Serve) -> None:
    server = serve([STALL])

    def program(package: Any) -> Any:
        with package.Session() as session:
            session.mount("http://", package.adapters.HTTPAdapter(max_retries=1))
            return caught(package, lambda: session.get(server.url, timeout=(5, 0.05)))

    assert of_requests(program) == {"ConnectionError"}
    assert of_waterclock(program) == {"ConnectionError", "ReadTimeout", "Timeout"}


def test_a_proxy_that_trickles_is_one_wait(serve: Serve) -> None:
    slowly = [step for byte in b"HTTP/1.1 403 No\r\n\r\n" for step in (0.1, bytes([byte]))]
    server = serve(slowly)

    def program(package: Any) -> Any:
        call = lambda: package.get("https://a.invalid/", proxies={"https": server.url}, timeout=1)
        return timed(call) > 1.6

    assert of_requests(program) is True
    assert of_waterclock(program) is False


def test_an_upload_may_be_long_while_it_moves() -> None:
    size = 8_000_000

    def program(package: Any) -> Any:
        listener = socket.socket()
        # A small window, so that the sender has to wait for the reader.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        reader = threading.Thread(target=read_slowly, args=(listener,))
        reader.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            return package.post(url, data=b"x" * size, timeout=(0.8, 20)).text
        finally:
            listener.close()
            reader.join(10)

    def read_slowly(listener: Any) -> None:
        connection, _ = listener.accept()
        received = 0
        with connection:
            while received < size and (data := connection.recv(100_000)):
                received += len(data)
                time.sleep(0.02)
            if received >= size:
                connection.sendall(OK)

    assert of_requests(program) == "ConnectionError"
    assert of_waterclock(program) == "ok"


@pytest.mark.parametrize(
    ("timeout", "theirs"),
    [
        (float("inf"), "OverflowError"),
        (1e10, "OverflowError"),
        (decimal.Decimal("1.5"), "TypeError"),
    ],
    ids=str,
)
def test_large_and_exact_numbers_are_timeouts(serve: Serve, timeout: Any, theirs: str) -> None:
    server = serve(OK)

    def program(package: Any) -> Any:
        return package.get(server.url, timeout=timeout).text

    assert of_requests(program) == theirs
    assert of_waterclock(program) == "ok"


def test_elapsed_does_not_go_back_with_the_clock(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(OK)

    def program(package: Any) -> Any:
        clock: Iterator[float] = iter([1000.0] + [990.0] * 100)
        with monkeypatch.context() as patch:
            patch.setattr(package.sessions, "preferred_clock", lambda: next(clock))
            return package.get(server.url).elapsed >= datetime.timedelta(0)

    assert of_requests(program) is False
    assert of_waterclock(program) is True


def test_elapsed_after_digest_is_the_last_hops(serve: Serve) -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')

    def program(package: Any) -> Any:
        server = serve(answer("", 401, [challenge]), [0.3, OK])
        auth = package.auth.HTTPDigestAuth("user", "password")
        return package.get(server.url, auth=auth).elapsed >= datetime.timedelta(seconds=0.3)

    assert of_requests(program) is False
    assert of_waterclock(program) is True


def test_a_slow_body_of_a_redirect_is_not_waited_for(serve: Serve) -> None:
    moved = answer("moved", 302, [("Location", "/there")])
    slowly = [moved[:-5], *[step for byte in b"moved" for step in (0.3, bytes([byte]))]]
    server = serve({"/": slowly, "/there": OK})

    def program(package: Any) -> Any:
        return timed(lambda: package.get(server.url + "/", timeout=5)) > 1.4

    assert of_requests(program) is True
    assert of_waterclock(program) is False


def test_a_total_is_for_all_hops(serve: Serve) -> None:
    server = serve({"/": [0.6, answer("", 302, [("Location", "/there")])], "/there": [0.6, OK]})
    assert waterclock.get(server.url + "/", timeout=5).text == "ok"
    with pytest.raises(waterclock.ReadTimeout) as caught:
        waterclock.get(server.url + "/", timeout=waterclock.Limits(total=1))
    assert caught.value.limit == "total"


def test_a_timeout_of_urllib3_has_a_total(serve: Serve) -> None:
    from urllib3.util import Timeout

    server = serve({"/": [0.8, answer("", 302, [("Location", "/there")])], "/there": [0.8, OK]})

    def program(package: Any) -> Any:
        return package.get(server.url + "/", timeout=Timeout(total=1.5)).text

    # Begun anew for each hop.
    assert of_requests(program) == "ok"
    assert of_waterclock(program) == "ReadTimeout"


def test_a_pause_that_does_not_fit_is_refused_at_once(serve: Serve) -> None:
    from urllib3.util import Retry

    server = serve(answer("", 503, [("Retry-After", "30")]))
    with waterclock.Session(timeout=waterclock.Limits(total=5)) as session:
        session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=Retry(1)))
        assert timed(lambda: session.get(server.url)) < 4.9
        with pytest.raises(waterclock.exceptions.RetryError) as caught:
            session.get(server.url)
    assert isinstance(caught.value, waterclock.Timeout)
    assert (caught.value.limit, caught.value.phase) == ("total", "backoff")


def test_a_session_has_a_timeout(serve: Serve) -> None:
    server = serve([0.2, OK])
    session = waterclock.Session(timeout=(5, 0.05))
    with pytest.raises(waterclock.ReadTimeout):
        session.get(server.url)
    # What a call says counts more, and sessions are pickled with it.
    assert session.get(server.url, timeout=5).text == "ok"
    with pytest.raises(waterclock.ReadTimeout):
        pickle.loads(pickle.dumps(session)).get(server.url)


def test_a_deadline_is_for_one_thread(serve: Serve) -> None:
    server = serve([0.1, OK])
    texts: list[str] = []

    def elsewhere() -> None:
        texts.append(waterclock.get(server.url).text)

    with waterclock.deadline(0.05):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        with pytest.raises(waterclock.Timeout):
            waterclock.get(server.url)
        thread.join(10)
    assert texts == ["ok"]


def test_a_missing_netrc_is_believed_for_a_second(serve: Serve, clean_home: Path) -> None:
    def program(package: Any) -> Any:
        netrc = clean_home / ".netrc"
        netrc.unlink(missing_ok=True)
        server = serve(OK)
        with package.Session() as session:
            session.get(server.url)
            netrc.write_text("machine 127.0.0.1 login user password secret\n")
            netrc.chmod(0o600)
            session.get(server.url)
            second = server.requests[1].header("authorization")
            time.sleep(1.1)
            session.get(server.url)
        return second is not None, server.requests[2].header("authorization") is not None

    assert of_requests(program) == (True, True)
    # Only on the short way.
    assert outcome(program, waterclock) == (False, True)
