"""Limits on whole calls: `deadline()`, `Session(timeout=)`, and `total` over hops, rounds and tries; both ways."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from loopback import STALL, Received, Server, answer
from timing import LATE, at_least, check_timeline, expired, failure, notes, way  # noqa: F401

import waterclock
from waterclock import Limits, deadline

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def both_ways(way: Any) -> None:  # noqa: F811
    """All of these tests."""


def test_a_deadline_ends_a_call(serve: Serve) -> None:
    url = serve([STALL]).url
    started = time.perf_counter()
    with deadline(0.3):
        error = failure(lambda: waterclock.get(url))
    at_least(0.3, started)
    assert isinstance(error, waterclock.Timeout)
    assert (error.limit, error.request_sent) == ("total", "yes")
    # What was left of it when the call began.
    assert 0 < error.timeline.limits["total"] <= 0.3
    check_timeline(error.timeline)


def test_a_deadline_goes_over_several_calls(serve: Serve) -> None:
    server = serve([0.1, answer("slow")])
    started = time.perf_counter()
    done = []
    with deadline(0.35) as mine, pytest.raises(waterclock.Timeout):
        while True:
            done.append(waterclock.get(server.url).text)
    at_least(0.35, started)
    assert len(done) <= 3
    assert mine.left() == 0


def test_nothing_is_sent_once_the_time_is_up(serve: Serve) -> None:
    server = serve(answer("too late"))
    with deadline(0.02):
        time.sleep(0.03)
        error = failure(lambda: waterclock.post(server.url, json={"charge": 1}))
    assert isinstance(error, waterclock.Timeout)
    assert error.request_sent == "no"
    assert server.requests == []


def test_the_earlier_deadline_counts(serve: Serve) -> None:
    url = serve([STALL]).url
    started = time.perf_counter()
    with deadline(0.1), deadline(LATE):
        failure(lambda: waterclock.get(url))
    at_least(0.1, started)
    started = time.perf_counter()
    with deadline(LATE):
        with deadline(0.1):
            failure(lambda: waterclock.get(url))
        at_least(0.1, started)
        # The outer one has time left.
        assert waterclock.get(serve(answer("ok")).url).ok


def test_the_tighter_of_deadline_and_total_counts(serve: Serve) -> None:
    url = serve([STALL]).url
    with deadline(LATE):
        expired("total", 0.1, lambda: waterclock.get(url, timeout=Limits(total=0.1)))
    started = time.perf_counter()
    with deadline(0.1):
        error = failure(lambda: waterclock.get(url, timeout=Limits(total=LATE)))
    at_least(0.1, started)
    assert error.limit == "total"


def test_other_limits_still_count_under_a_deadline(serve: Serve) -> None:
    url = serve([STALL]).url
    with deadline(LATE):
        error = expired("read", 0.1, lambda: waterclock.get(url, timeout=(LATE, 0.1)))
    assert isinstance(error, waterclock.ReadTimeout)


def test_a_deadline_is_of_one_thread(serve: Serve) -> None:
    url = serve([0.15, answer("ok")]).url
    results: list[Any] = []
    with deadline(0.05):
        thread = threading.Thread(target=lambda: results.append(waterclock.get(url).text))
        thread.start()
        thread.join()
    assert results == ["ok"]


def test_a_deadline_is_over_at_its_end(serve: Serve) -> None:
    url = serve([0.1, answer("ok")]).url
    with deadline(0.05), pytest.raises(waterclock.Timeout):
        waterclock.get(url)
    assert waterclock.get(url).text == "ok"


@pytest.mark.parametrize("seconds", [-1, float("nan"), "5", None, True])
def test_deadlines_that_are_none(seconds: Any) -> None:
    with pytest.raises((ValueError, TypeError)), deadline(seconds):
        pass


def redirecting(hops: int, pause: float) -> Any:
    def reply(request: Received) -> Any:
        number = int(request.target[1:] or 0)
        if number < hops:
            return [pause, answer("", 302, [("Location", f"/{number + 1}")])]
        return [pause, answer("the end")]

    return reply


def test_total_goes_over_redirects(serve: Serve) -> None:
    server = serve(redirecting(20, 0.05))
    error = expired("total", 0.2, lambda: waterclock.get(server.url, timeout=Limits(total=0.2)))
    assert len(error.timeline.hops) <= 5
    assert {hop["reason"] for hop in error.timeline.hops[1:]} <= {"redirect"}


def test_a_timeout_of_requests_does_not(serve: Serve) -> None:
    server = serve(redirecting(5, 0.1))
    response = waterclock.get(server.url, timeout=LATE / 2)
    assert response.timeline.elapsed >= 0.6
    assert [hop["reason"] for hop in response.timeline.hops] == ["first"] + ["redirect"] * 5
    assert len(response.history) == 5
    check_timeline(response.timeline)
    assert "No deadline bounds the whole call" in " ".join(response.timeline.verdict)


def test_a_deadline_goes_over_redirects(serve: Serve) -> None:
    server = serve(redirecting(20, 0.05))
    started = time.perf_counter()
    with deadline(0.2):
        error = failure(lambda: waterclock.get(server.url))
    at_least(0.2, started)
    assert error.limit == "total"


def test_total_goes_over_a_redirects_body(serve: Serve) -> None:
    server = serve({"/": [answer("x" * 50, 302, [("Location", "/end")])[:-1], STALL]})
    # Its rest is not waited for; the redirect is followed over another connection.
    server._replies["/end"] = answer("the end")  # type: ignore[call-overload]
    started = time.perf_counter()
    response = waterclock.get(server.url, timeout=Limits(total=LATE / 2))
    assert response.text == "the end"
    assert time.perf_counter() - started < LATE / 2


def test_total_goes_over_digest(serve: Serve) -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')

    def reply(request: Received) -> Any:
        if request.header("Authorization"):
            return [0.3, answer("in")]
        return [0.3, answer("who?", 401, [challenge])]

    auth = waterclock.auth.HTTPDigestAuth("user", "pass")
    server = serve(reply)
    # Enough for each of them alone.
    error = expired(
        "total", 0.5, lambda: waterclock.get(server.url, auth=auth, timeout=Limits(total=0.5))
    )
    # On a busy machine the time may be up after the first, or before the server has seen the second.
    reasons = [hop["reason"] for hop in error.timeline.hops]
    assert reasons in (["first"], ["first", "auth"])
    assert len(reasons) >= len(server.requests)


def test_digest_has_one_timeline(serve: Serve) -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')

    def reply(request: Received) -> Any:
        is_known = request.header("Authorization")
        return [0.05, answer("in") if is_known else answer("who?", 401, [challenge])]

    auth = waterclock.auth.HTTPDigestAuth("user", "pass")
    response = waterclock.get(serve(reply).url, auth=auth, timeout=LATE)
    timeline: Any = response.timeline
    assert [hop["reason"] for hop in timeline.hops] == ["first", "auth"]
    assert timeline.elapsed >= 0.1
    # requests says 0 here.
    assert response.elapsed.total_seconds() >= 0.05
    check_timeline(timeline)


def retrying(**options: Any) -> waterclock.Session:
    session = waterclock.Session()
    retry = urllib3.Retry(status_forcelist=[503], **options)
    session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=retry))
    return session


def test_total_goes_over_retries_and_pauses(serve: Serve) -> None:
    server = serve([0.03, answer("", 503)])
    session = retrying(total=50, backoff_factor=0.01)
    # At the latest then: a pause that would not end in time is not begun.
    started = time.perf_counter()
    error = failure(lambda: session.get(server.url, timeout=Limits(total=0.25)))
    assert time.perf_counter() - started < 0.25 + LATE
    assert isinstance(error, waterclock.RequestException)
    check_timeline(error.timeline)
    # One try may have taken all of it on a busy machine.
    reasons = [hop["reason"] for hop in error.timeline.hops]
    assert "retry" in reasons or len(server.requests) <= 1


def test_a_pause_that_does_not_fit_is_refused_at_once(serve: Serve) -> None:
    server = serve(answer("", 503, [("Retry-After", "3600")]))
    started = time.perf_counter()
    error = failure(lambda: retrying(total=5).get(server.url, timeout=Limits(total=LATE)))
    assert time.perf_counter() - started < LATE
    assert len(server.requests) == 1
    assert "3600" in " ".join(notes(error)) + error.explain() + str(error)


def test_a_deadline_refuses_a_pause_too(serve: Serve) -> None:
    server = serve(answer("", 503, [("Retry-After", "3600")]))
    started = time.perf_counter()
    with deadline(LATE):
        failure(lambda: retrying(total=5).get(server.url))
    assert time.perf_counter() - started < LATE
    assert len(server.requests) == 1


def test_a_pause_that_fits_is_a_span(serve: Serve) -> None:
    server = serve(answer("", 503), answer("", 503), answer("at last"))
    response = retrying(total=5, backoff_factor=0.05).get(server.url, timeout=LATE)
    timeline: Any = response.timeline
    assert response.text == "at last"
    pauses = [span for span in timeline.spans if span.phase == "backoff"]
    assert sum(span.duration for span in pauses) >= 0.1
    assert [hop["reason"] for hop in timeline.hops] == ["first", "retry", "retry"]
    check_timeline(timeline)


def test_attempt_starts_again_with_each_try(serve: Serve) -> None:
    server = serve([STALL])
    session = waterclock.Session()
    session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=2))
    started = time.perf_counter()
    error = failure(lambda: session.get(server.url, timeout=Limits(attempt=0.1)))
    at_least(0.3, started)
    # Not what the server has seen: it may be later than the client on a busy machine.
    assert [hop["reason"] for hop in error.timeline.hops] == ["first", "retry", "retry"]


def test_total_goes_over_a_streamed_body(serve: Serve) -> None:
    head = answer(b"x" * 1000)[:-1000]
    server = serve([head, *[step for _ in range(1000) for step in (b"x", 0.01)]])

    def call() -> Any:
        response = waterclock.get(server.url, timeout=Limits(total=0.2), stream=True)
        return list(response.iter_content(1))

    error = expired("total", 0.2, call, "body")
    assert isinstance(error, waterclock.ConnectionError)
    assert isinstance(error, waterclock.ReadTimeout)


def test_the_callers_own_time_counts_while_a_body_is_streamed(serve: Serve) -> None:
    server = serve([answer(b"x" * 10)[:-5], STALL])
    response = waterclock.get(server.url, timeout=Limits(total=0.5), stream=True)
    time.sleep(0.5)
    # What has arrived already may still be had; nothing is waited for.
    started = time.perf_counter()
    error = failure(lambda: response.content)
    assert time.perf_counter() - started < LATE
    assert error.limit == "total"
    assert any(span.phase == "caller" for span in error.timeline.spans)
    check_timeline(error.timeline)


def test_timeout_of_a_session(serve: Serve) -> None:
    url = serve([STALL]).url
    session = waterclock.Session(timeout=(LATE, 0.1))
    expired("read", 0.1, lambda: session.get(url))
    expired("read", 0.2, lambda: session.get(url, timeout=(LATE, 0.2)))
    prepared = session.prepare_request(waterclock.Request("GET", url))
    expired("read", 0.1, lambda: session.send(prepared))
    session.timeout = Limits(total=0.15)
    expired("total", 0.15, lambda: session.get(url))


def test_timeout_of_a_session_is_kept() -> None:
    session = waterclock.Session(timeout=(1, 2))
    assert pickle.loads(pickle.dumps(session)).timeout == (1, 2)
    session.timeout = Limits(total=3)
    assert pickle.loads(pickle.dumps(session)).timeout == Limits(total=3)
    assert waterclock.Session().timeout is None
    assert "timeout" not in vars(waterclock.Session())
    assert pickle.loads(pickle.dumps(waterclock.Session())).timeout is None


def test_timeout_of_a_subclass(serve: Serve) -> None:
    class Mine(waterclock.Session):
        timeout = (LATE, 0.1)

    url = serve([STALL]).url
    expired("read", 0.1, lambda: Mine().get(url))


def test_timeout_of_a_session_goes_over_redirects(serve: Serve) -> None:
    session = waterclock.Session(timeout=Limits(total=0.2))
    url = serve(redirecting(20, 0.05)).url
    expired("total", 0.2, lambda: session.get(url))
