"""`max_retries`: urllib3's Retry and subclasses of it, whose methods are called as urllib3 calls them."""

from __future__ import annotations

import io
import logging
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from loopback import CLOSE, RESET, STALL, Server, answer
from programs import check
from timing import wait_until
from urllib3.util.retry import Retry

import waterclock

SERVER_ERROR = answer(b"later", 503)


def session(package: Any, retries: Any) -> Any:
    made = package.Session()
    made.trust_env = False
    made.mount("http://", package.adapters.HTTPAdapter(max_retries=retries))
    return made


def outcome(package: Any, retries: Any, url: str, **options: Any) -> Any:
    """Status and body, or the exception's class and words."""
    made = session(package, retries)
    try:
        response = made.request(options.pop("method", "GET"), url, **options)
    except Exception as error:  # noqa: BLE001 - every class is compared
        names = [kind.__name__ for kind in type(error).__mro__]
        inner = error.args[0] if error.args else None
        reason = getattr(inner, "reason", None)
        return names, type(inner), type(reason)
    history = response.raw.retries.history
    seen = [(h.method, h.url, type(h.error), h.status) for h in history]
    return response.status_code, response.content, seen


CASES: list[tuple[Any, list[Any], dict[str, Any]]] = [
    (3, [[CLOSE], [RESET], answer(b"ok")], {}),
    (1, [[CLOSE], [CLOSE], answer(b"ok")], {}),
    (3, [[CLOSE], answer(b"ok")], {"method": "POST", "data": b"x"}),
    (3, [[STALL], answer(b"ok")], {"timeout": (5, 0.4)}),
    (1, [[STALL], [STALL]], {"timeout": (5, 0.4)}),
    (3, [[STALL]], {"timeout": (5, 0.4), "method": "POST", "data": b"x"}),
    (Retry(3, read=0), [[STALL]], {"timeout": (5, 0.4)}),
    (Retry(3, read=False), [[STALL]], {"timeout": (5, 0.4)}),
    (Retry(0, read=False), [[CLOSE]], {}),
    (False, [[CLOSE]], {}),
    (Retry(False), [[CLOSE]], {}),
    (Retry(3, allowed_methods=None), [[CLOSE], answer(b"ok")], {"method": "POST", "data": b"x"}),
    (Retry(2, status_forcelist=[503]), [SERVER_ERROR, answer(b"ok")], {}),
    (Retry(1, status_forcelist=[503]), [SERVER_ERROR, SERVER_ERROR], {}),
    (Retry(2, status_forcelist=[503]), [SERVER_ERROR], {"method": "POST"}),
    (
        Retry(1, status_forcelist=[503], raise_on_status=False),
        [SERVER_ERROR, SERVER_ERROR, answer(b"never")],
        {},
    ),
    (2, [answer(b"x", 503, headers=[("Retry-After", "0")]), answer(b"ok")], {}),
    (2, [answer(b"x", 503, headers=[("Retry-After", "0")])], {}),
    (2, [answer(b"x", 500, headers=[("Retry-After", "0")])], {}),
    (
        Retry(2, respect_retry_after_header=False),
        [answer(b"x", 503, headers=[("Retry-After", "0")])],
        {},
    ),
    (2, [answer(b"x", 503, headers=[("Retry-After", "soon")])], {}),
]


@pytest.mark.parametrize(("retries", "replies", "options"), CASES)
def test_as_with_requests(
    serve: Callable[..., Server], retries: Any, replies: list[Any], options: dict[str, Any]
) -> None:
    servers = []
    outcomes = []
    for package in (requests, waterclock):
        server = serve(*replies)
        servers.append(server)
        outcomes.append(outcome(package, retries, server.url + "/a", **options.copy()))
    theirs, ours = outcomes
    if isinstance(theirs[0], list):
        assert set(theirs[0]) <= set(ours[0])
        assert ours[1:] == theirs[1:]
    else:
        assert ours == theirs

    def seen(server: Server) -> Any:
        return server.connections, [(r.method, r.target, r.body) for r in server.requests]

    wait_until(lambda: seen(servers[0]) == seen(servers[1]))
    assert seen(servers[0]) == seen(servers[1])


def test_refused_ports_are_tried_again(unused: str) -> None:
    assert outcome(waterclock, 2, unused)[1:] == outcome(requests, 2, unused)[1:]
    seen = []

    class Counting(Retry):
        def increment(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(kwargs["error"])
            return super().increment(*args, **kwargs)

    with pytest.raises(waterclock.ConnectionError):
        session(waterclock, Counting(2)).post(unused, data=b"x")
    assert [type(error) for error in seen] == [urllib3.exceptions.NewConnectionError] * 3


def test_methods_of_subclasses_are_called(serve: Callable[..., Server]) -> None:
    calls: list[Any] = []

    class Mine(Retry):
        def __init__(self, *args: Any, mark: str = "", **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.mark = mark

        def new(self, **kwargs: Any) -> Any:
            return super().new(**kwargs, mark=self.mark + "+")

        def is_retry(self, method: str, status: int, has_retry_after: bool = False) -> bool:
            calls.append(("is_retry", method, status, has_retry_after, self.mark))
            return super().is_retry(method, status, has_retry_after)

        def increment(self, method: Any = None, url: Any = None, **kwargs: Any) -> Any:
            response = kwargs.get("response")
            calls.append(("increment", method, url, response and response.status, self.mark))
            assert kwargs["_pool"].host == "127.0.0.1"
            if response:
                assert isinstance(response, urllib3.HTTPResponse)
                assert response.headers["X-Why"] == "busy"
            return super().increment(method, url, **kwargs)

        def sleep(self, response: Any = None) -> None:
            calls.append(("sleep", response and response.status, self.mark))

    busy = answer(b"later", 503, headers=[("X-Why", "busy")])
    server = serve([CLOSE], busy, answer(b"ok"))
    retries = Mine(5, status_forcelist=[503], backoff_factor=100)
    response = session(waterclock, retries).get(server.url + "/a?b")
    assert response.content == b"ok"
    assert calls == [
        ("increment", "GET", "/a?b", None, ""),
        ("sleep", None, "+"),
        ("is_retry", "GET", 503, False, "+"),
        ("increment", "GET", "/a?b", 503, "+"),
        ("sleep", 503, "++"),
        ("is_retry", "GET", 200, False, "++"),
    ]
    assert response.raw.retries.mark == "++"


def test_a_sleep_that_a_test_replaced_is_called(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(urllib3.util.retry.time, "sleep", slept.append)
    server = serve(SERVER_ERROR, SERVER_ERROR, answer(b"ok"))
    retries = Retry(5, status_forcelist=[503], backoff_factor=10)
    assert session(waterclock, retries).get(server.url).content == b"ok"
    assert slept == [20.0]


def test_pauses_are_on_the_timeline(serve: Callable[..., Server]) -> None:
    server = serve([CLOSE], [CLOSE], answer(b"ok"))
    started = time.monotonic()
    response = session(waterclock, Retry(5, backoff_factor=0.1)).get(server.url)
    assert time.monotonic() - started >= 0.2
    assert "wait before retry" in response.explain()
    assert "hop 3" in response.explain()


@pytest.mark.parametrize(
    ("retry", "replies"),
    [
        (Retry(3, backoff_factor=5, status_forcelist=[503]), [SERVER_ERROR]),
        (3, [answer(b"", 503, headers=[("Retry-After", "60")])]),
        (Retry(3, backoff_factor=5), [[CLOSE]]),
    ],
)
def test_a_pause_that_would_not_end_in_time_is_refused(
    serve: Callable[..., Server], retry: Any, replies: list[Any]
) -> None:
    server = serve(*replies)
    started = time.monotonic()
    with pytest.raises(waterclock.exceptions.BackoffTimeout) as caught:
        session(waterclock, retry).get(server.url, timeout=waterclock.Limits(total=4))
    assert time.monotonic() - started < 3.9
    assert (caught.value.limit, caught.value.phase) == ("total", "backoff")
    assert isinstance(caught.value.args[0], urllib3.exceptions.MaxRetryError)
    assert caught.value.timeline is not None


@pytest.mark.parametrize("reply", [SERVER_ERROR, [CLOSE]], ids=["status", "failure"])
def test_a_pause_that_was_held_up_ends_in_the_same_way(
    serve: Callable[..., Server], reply: Any
) -> None:
    """It would have ended in time; a busy machine can do what this handler does."""

    class HeldUp(Retry):
        def get_backoff_time(self) -> float:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            return 0.1

    before = signal.signal(signal.SIGALRM, lambda *_: time.sleep(1.5))
    try:
        with pytest.raises(waterclock.exceptions.BackoffTimeout) as caught:
            made = session(waterclock, HeldUp(3, status_forcelist=[503]))
            made.get(serve(reply).url, timeout=waterclock.Limits(total=1.2))
    finally:
        signal.signal(signal.SIGALRM, before)
    error = caught.value
    assert (error.limit, error.phase, error.request_sent) == ("total", "backoff", "yes")  # type: ignore[attr-defined]
    assert isinstance(error.args[0], urllib3.exceptions.MaxRetryError)
    assert "wait before retry" in error.explain()  # type: ignore[attr-defined]
    assert error.timeline.elapsed >= 1.2  # type: ignore[union-attr]


def test_a_limit_on_all_attempts(serve: Callable[..., Server]) -> None:
    server = serve([STALL])
    started = time.monotonic()
    with pytest.raises(waterclock.Timeout) as caught:
        session(waterclock, 100).get(server.url, timeout=waterclock.Limits(total=0.35, read=0.1))
    # A hundred attempts would take ten seconds.
    assert 0.35 <= time.monotonic() - started < 5
    assert caught.value.limit == "total"


def test_a_post_is_not_sent_again_for_other_errors(
    tls_serve: Callable[..., Server], ca_file: str
) -> None:
    """urllib3 repeats any method after what it calls other errors: requests sends this four times."""
    from waterclock import _retrying, _urllib3_errors

    server = tls_serve([CLOSE])
    made = waterclock.Session()
    made.mount("https://", waterclock.adapters.HTTPAdapter(max_retries=3))
    original = _urllib3_errors.of_failure

    def other(error: Any, attempt: Any) -> Any:
        return urllib3.exceptions.SSLError(original(error, attempt))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_retrying._words, "of_failure", other)
        with pytest.raises(waterclock.exceptions.SSLError):
            made.post(server.url, data=b"x", verify=ca_file)
        assert len(server.requests) == 1
        with pytest.raises(waterclock.exceptions.SSLError):
            made.put(server.url, data=b"x", verify=ca_file)
        assert len(server.requests) == 5


def test_bodies_are_sent_again_from_where_they_began(serve: Callable[..., Server]) -> None:
    body = io.BytesIO(b"skipped, sent")
    body.seek(9)
    server = serve([CLOSE], answer(b"ok"))
    assert session(waterclock, 1).put(server.url, data=body).content == b"ok"
    assert [request.body for request in server.requests] == [b"sent", b"sent"]


def test_bodies_that_cannot_be_sent_again(serve: Callable[..., Server]) -> None:
    class Once(io.BytesIO):
        def seek(self, *args: Any) -> int:
            raise OSError("no")

    def put(package: Any, body: Any) -> type:
        server = serve([CLOSE], answer(b"ok"))
        with pytest.raises(Exception) as caught:
            session(package, 1).put(server.url, data=body())
        assert len(server.requests) == 1
        return type(caught.value)

    assert put(waterclock, lambda: Once(b"x")) is put(requests, lambda: Once(b"x"))
    assert put(waterclock, lambda: Once(b"x")) is urllib3.exceptions.UnrewindableBodyError


def test_log_lines(serve: Callable[..., Server], caplog: pytest.LogCaptureFixture) -> None:
    def lines(package: Any) -> list[str]:
        server = serve([CLOSE], SERVER_ERROR, answer(b"ok"))
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "urllib3"):
            retries = Retry(5, status_forcelist=[503])
            session(package, retries).get(server.url + "/a")
        wanted = ("urllib3.connectionpool", "urllib3.util.retry")
        return [
            f"{r.levelname} {r.getMessage()}".replace(str(server.port), "N")
            for r in caplog.records
            if r.name in wanted
        ]

    theirs, ours = lines(requests), lines(waterclock)

    # Which connection it is in which pool is not counted in the same way.
    def counted(line: str) -> bool:
        return "Starting new HTTP connection" not in line

    assert list(filter(counted, ours)) == list(filter(counted, theirs))
    assert any("Starting new HTTP connection (" in line for line in ours)


def test_a_number_of_retries_imports_nothing_until_it_matters(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server, closing = serve(answer(b"ok")), serve([CLOSE], answer(b"again"))
    out = check(
        tmp_path,
        f"""
        import sys, waterclock
        session = waterclock.Session()
        session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=3))
        print(session.get({server.url!r}).text, "urllib3" in sys.modules)
        print(session.get({closing.url!r}).text, "urllib3" in sys.modules)
        """,
    )
    assert out.split() == ["ok", "False", "again", "True"]


@pytest.fixture
def unused() -> Iterator[str]:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
