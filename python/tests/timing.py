"""What tests of limits in real time share: they may be late on a busy machine, and never early."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from threeways import Seen, watched

import waterclock

#: How late something may be on a busy machine; what is wrong is later still, or never ends.
LATE = 10.0
#: How often a limit is tried that is to end one phase: a busy machine may need all its time for an earlier one.
TRIES = 30


@pytest.fixture(params=["short", "long"])
def way(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """Everything below goes one way, and then the other."""
    seen = Seen()
    with watched(seen, force_long=request.param == "long"):
        yield seen


def failure(call: Callable[[], Any]) -> Any:
    """The exception that a call raises."""
    try:
        call()
    except waterclock.RequestException as error:
        return error
    raise AssertionError("nothing was raised")


def expired(limit: str, seconds: float, call: Callable[[], Any], phase: str | None = None) -> Any:
    """The exception of a call that a limit ends: not early, by that name, and with all its time accounted for."""
    for _ in range(TRIES):
        error = expired_once(limit, seconds, call)
        if phase in (None, error.phase):
            return error
    raise AssertionError(f"{error.phase} and never {phase}: {error.explain()}")


def expired_once(limit: str, seconds: float, call: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    error = failure(call)
    took = time.perf_counter() - started
    assert isinstance(error, waterclock.Timeout), repr(error)
    assert (error.limit, error.phase) != (None, None)
    assert error.limit == limit, error.explain()
    assert seconds <= took < seconds + LATE
    check_timeline(error.timeline)
    assert error.timeline.elapsed >= seconds or limit not in ("total", "attempt")
    assert error.timeline.limits[limit] == pytest.approx(seconds)
    assert f"{limit} limit" in error.explain()
    assert any(f"{limit} limit" in note for note in notes(error))
    return error


def notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))


def check_timeline(timeline: Any) -> None:
    """Its spans leave no gap, and its parts add up."""
    assert timeline.unaccounted == 0
    whole = timeline.waiting + timeline.local
    assert whole == pytest.approx(timeline.elapsed, abs=1e-6)
    ended = 0.0
    for span in timeline.spans:
        assert span.started == pytest.approx(ended, abs=1e-6), f"a gap before {span}"
        assert span.ended >= span.started
        ended = span.ended
    assert ended <= timeline.elapsed + 1e-6
    for hop in timeline.hops:
        assert 0 <= hop["started"] <= hop["ended"]


def at_least(seconds: float, started: float) -> None:
    took = time.perf_counter() - started
    assert seconds <= took < seconds + LATE


def wait_until(holds: Callable[[], bool]) -> None:
    """Gives a server time to see what a client has sent already and no longer waits for."""
    ends = time.perf_counter() + LATE
    while not holds() and time.perf_counter() < ends:
        time.sleep(0.01)
