"""What a response and an exception say about time: the timeline, its explanation, and how they travel."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from loopback import CLOSE, RESET, STALL, BlackHole, Server, answer
from timing import LATE, check_timeline, failure, notes, way  # noqa: F401 - a fixture

import waterclock
from waterclock import Limits

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def both_ways(way: Any) -> None:  # noqa: F811
    """All of these tests."""


def test_a_timeline(serve: Serve) -> None:
    server = serve([0.05, answer("hello")])
    response = waterclock.get(server.url, timeout=Limits(total=30, read=20))
    timeline: Any = response.timeline
    check_timeline(timeline)
    assert timeline.elapsed >= 0.05
    assert timeline.waiting >= 0.05
    assert timeline.limits == {
        name: {"total": 30.0, "read": 20.0, "continue": 1.0}.get(name) for name in timeline.limits
    }
    assert len(timeline.limits) == 15
    (hop,) = timeline.hops
    assert (hop["method"], hop["status"], hop["reason"]) == ("GET", 200, "first")
    assert hop["url"] == server.url + "/"
    assert (hop["connection"], hop["reused"]) == (1, False)
    phases = [span.phase for span in timeline.spans]
    assert phases.index("connect") < phases.index("first_byte")
    first_byte = next(span for span in timeline.spans if span.phase == "first_byte")
    assert first_byte.duration >= 0.05
    assert (first_byte.limit, first_byte.limit_value, first_byte.end) == ("read", 20.0, "ready")
    assert first_byte.bytes > 0
    assert timeline.verdict
    assert timeline.verdict[0].startswith("No limit fired.")


def test_a_reused_connection(serve: Serve) -> None:
    server = serve(answer("hello"))
    session = waterclock.Session()
    session.get(server.url)
    timeline: Any = session.get(server.url).timeline
    assert timeline.hops[0]["reused"] is True
    assert "connect" not in [span.phase for span in timeline.spans]
    assert "reused" in timeline.explain()


def test_the_document_has_what_the_server_said(serve: Serve) -> None:
    server = serve(answer("hello", headers=[("X-One", "1"), ("Content-Type", "text/plain")]))
    response = waterclock.post(server.url, data="body", headers={"Authorization": "Bearer secret"})
    document = response.timeline.to_dict()  # type: ignore[union-attr]
    assert document["schema_version"] == 1
    assert document["outcome"] == "response"
    assert document["request"]["method"] == "POST"
    assert document["response"]["status"] == 200
    assert ["X-One", "1"] in document["response"]["headers"]
    assert document["response"]["body_bytes"] == 5
    assert "secret" not in json.dumps(document)
    assert "secret" not in response.explain()


def test_explanations(serve: Serve) -> None:
    response = waterclock.get(serve(answer("hello")).url, timeout=30)
    timeline: Any = response.timeline
    text = response.explain()
    assert text == timeline.explain() == str(timeline)
    assert "No limit fired" in text
    assert "unaccounted" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b[" not in text
    assert max(map(len, timeline.explain(width=120).splitlines())) <= 120
    assert repr(timeline).startswith("<Timeline of 0.")


def test_timelines_in_notebooks(serve: Serve) -> None:
    timeline: Any = waterclock.get(serve(answer("hello")).url + "/?a=<b>", timeout=30).timeline
    html = timeline._repr_html_()
    assert html.startswith("<div><svg ")
    assert html.endswith("</div>")
    assert "No limit fired" in html
    assert "<b>" not in html


def test_timelines_travel(serve: Serve) -> None:
    response = waterclock.get(serve(answer("hello")).url, timeout=30)
    timeline: Any = response.timeline
    for other in (
        pickle.loads(pickle.dumps(timeline)),
        copy.copy(timeline),
        copy.deepcopy(timeline),
        pickle.loads(pickle.dumps(response)).timeline,
    ):
        assert other.to_dict()["spans"] == timeline.to_dict()["spans"]
        assert other.explain() == timeline.explain()
        assert other.spans == timeline.spans
        assert other._repr_html_() == timeline._repr_html_()
        assert json.loads(other.to_json()) == other.to_dict()
        check_timeline(other)
    # What was pickled can be pickled again.
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(response))))
    assert again.explain() == response.explain()


def test_a_call_began_at_one_time_however_often_it_is_asked_for(serve: Serve) -> None:
    response = waterclock.get(serve(answer("hello")).url, stream=True, timeout=30)

    def began() -> str:
        copied: Any = pickle.loads(pickle.dumps(response.timeline))
        return str(copied.to_dict()["started_at"])

    # The clocks are read again each time, and never at once.
    times = {began() for _ in range(200)}
    assert response.content == b"hello"
    assert times | {began()} == times and len(times) == 1, times


def test_a_timeline_grows_while_a_body_is_streamed(serve: Serve) -> None:
    server = serve([answer("x" * 10)[:-5], 0.05, b"x" * 5])
    response = waterclock.get(server.url, stream=True, timeout=30)
    before: Any = response.timeline
    time.sleep(0.05)
    assert response.content == b"x" * 10
    after: Any = response.timeline
    assert after.elapsed >= before.elapsed + 0.05
    assert sum(span.duration for span in after.spans if span.phase == "caller") >= 0.05
    check_timeline(after)
    # It is over: looking later changes nothing.
    time.sleep(0.02)
    assert response.timeline.elapsed == after.elapsed  # type: ignore[union-attr]


def test_a_response_that_was_filled_by_hand() -> None:
    response = waterclock.Response()
    assert response.timeline is None
    assert response.explain().startswith("No timeline")


def test_redirects_share_a_timeline(serve: Serve) -> None:
    server = serve({"/": answer("", 302, [("Location", "/end")]), "/end": answer("the end")})
    response = waterclock.get(server.url, timeout=30)
    timeline: Any = response.timeline
    assert [hop["status"] for hop in timeline.hops] == [302, 200]
    assert timeline.hops[1]["reused"] is True
    assert response.history[0].timeline.elapsed <= timeline.elapsed  # type: ignore[union-attr]
    check_timeline(timeline)


FAILURES: dict[str, tuple[Any, type[Exception], str | None, str]] = {
    "refused": ("refused", waterclock.ConnectionError, "connect", "no"),
    "reset": ([RESET], waterclock.ConnectionError, "first_byte", "yes"),
    "closed": ([CLOSE], waterclock.ConnectionError, "first_byte", "yes"),
    "stalled": ([STALL], waterclock.ReadTimeout, "first_byte", "yes"),
    "cut": (
        [answer("hello")[:-2], CLOSE],
        waterclock.exceptions.ChunkedEncodingError,
        "body",
        "yes",
    ),
    "stalled body": ([answer("hello")[:-2], STALL], waterclock.ConnectionError, "body", "yes"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_exceptions(serve: Serve, name: str) -> None:
    reply, kind, phase, sent = FAILURES[name]
    if reply == "refused":
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    else:
        url = serve(reply).url
    # Only who stalls is waited for to the end.
    timeout = 0.5 if name.startswith("stalled") else LATE
    error = failure(lambda: waterclock.get(url, timeout=timeout))
    assert isinstance(error, kind)
    assert (error.phase, error.request_sent) == (phase, sent)
    assert (error.limit is not None) == name.startswith("stalled")
    check_timeline(error.timeline)
    assert error.timeline.to_dict()["outcome"] == "error"
    assert error.timeline.to_dict()["error"]["request_sent"] == sent
    assert error.explain() == error.timeline.explain()
    assert error.limit is None or "\x1b[" in error.timeline.explain(color=True)
    (note,) = notes(error)
    assert note.startswith("waterclock: ")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert other.explain() == error.explain()
        assert (other.limit, other.phase, other.request_sent) == (error.limit, phase, sent)


def test_the_note_is_in_the_traceback(black_hole: BlackHole) -> None:
    import traceback

    error = failure(lambda: waterclock.get(black_hole.url, timeout=0.1))
    text = "".join(traceback.format_exception(error))
    if hasattr(BaseException, "add_note"):
        assert "waterclock: address limit of 100 ms fired" in text
    assert "During handling of the above exception" not in text


def test_exceptions_that_have_no_timeline() -> None:
    error = waterclock.ConnectionError("made by somebody")
    assert (error.timeline, error.limit, error.phase, error.request_sent) == (None,) * 4  # type: ignore[attr-defined]
    assert isinstance(error.explain(), str)  # type: ignore[attr-defined]
    error = failure(lambda: waterclock.get("nothing"))
    assert isinstance(error, waterclock.exceptions.MissingSchema)
    assert error.timeline is None


def unless_too_busy(call: Callable[[float], Any]) -> Any:
    """What a call returns with a timeout of 0.12, or of somewhat more where a busy machine needs it."""
    timeout = 0.12
    while timeout < 10:
        try:
            return call(timeout)
        except waterclock.Timeout:
            timeout *= 1.5
    raise AssertionError("no timeout is long enough")


def test_dns_tls_and_a_redirect_in_twelve_hundredths(tls_serve: Serve, ca_file: str) -> None:
    """The question that this all began with: 0.12 was the timeout, 0.32 the time, and no error."""
    pause = 0.08
    server = tls_serve(
        {
            "/": [pause, answer("", 301, [("Location", "/www")])],
            "/www": [pause, answer("x" * 100)[:-50], pause, b"x" * 50],
        }
    )
    response = unless_too_busy(
        lambda timeout: waterclock.get(server.url, timeout=timeout, verify=ca_file)
    )
    timeline: Any = response.timeline
    assert timeline.elapsed >= 0.24
    assert timeline.waiting >= 0.2
    assert {"resolve", "first_byte", "body"} <= {span.phase for span in timeline.spans}
    assert all(span.duration <= span.limit_value for span in timeline.spans if span.limit == "read")
    text = " ".join(response.explain().split())
    assert "did not fire" in text or "not fire?" in text
    assert "No single wait reached" in text
    assert "is two limits, connect and read. Each starts again for every new wait" in text
    assert "hop 2 (redirect after 301)" in text
    assert "A total deadline of" in text
    assert "Try: timeout=Limits(total=" in text
    # requests' number: of the last hop, to the end of its head.
    assert response.elapsed.total_seconds() < timeline.elapsed
    check_timeline(timeline)
    # And what one would have wanted.
    error = failure(lambda: waterclock.get(server.url, timeout=Limits(total=0.12), verify=ca_file))
    assert (error.limit, error.timeline.limits["total"]) == ("total", 0.12)
    assert error.timeline.elapsed >= 0.12
    check_timeline(error.timeline)
