"""Sessions, responses, requests, exceptions and timelines are pickled and copied."""

from __future__ import annotations

import copy
import io
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import ways
from loopback import STALL, Server, answer

import waterclock as requests

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

Again = Callable[[Any], Any]
WAYS: dict[str, Again] = {
    **{
        f"pickle {protocol}": lambda one, protocol=protocol: pickle.loads(
            pickle.dumps(one, protocol)
        )
        for protocol in PROTOCOLS
    },
    "pickle in Python": lambda one: pickle.loads(dumps_in_python(one)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def dumps_in_python(one: Any) -> bytes:
    """As multiprocessing, cloudpickle and others do who derive from the Python class."""
    file = io.BytesIO()
    pickle._Pickler(file).dump(one)  # type: ignore[attr-defined]
    return file.getvalue()


@pytest.fixture(params=WAYS)
def again(request: pytest.FixtureRequest) -> Again:
    """One way of making another one of an object."""
    return WAYS[request.param]


@pytest.fixture(params=["short", "long"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "long":
        ways.only_the_long_one(monkeypatch)
    return str(request.param)


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve(
        {
            "/": answer(
                '{"a": "é"}', 200, [("Content-Type", "application/json"), ("Set-Cookie", "c=d")]
            ),
            "/redirect": answer("", 302, [("Location", "/"), ("Set-Cookie", "r=1")]),
            "/half": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", STALL],
        }
    )


def seen(response: requests.Response) -> dict[str, Any]:
    """Everything of a response that is to survive."""
    return {
        "status": (response.status_code, response.reason, response.ok),
        "url": response.url,
        "headers": (type(response.headers), list(response.headers.items())),
        "content": (response.content, response.text, response.encoding, response.json()),
        "elapsed": response.elapsed,
        "cookies": (type(response.cookies), response.cookies.get_dict()),
        "history": [(one.status_code, one.url, one.content) for one in response.history],
        "request": (
            response.request.method,
            response.request.url,
            response.request.body,
            dict(response.request.headers),
        ),
        "lines": list(response.iter_lines()),
        "explained": response.explain(),
    }


def test_responses(server: Server, way: str, again: Again) -> None:
    response = requests.post(server.url + "/redirect", data={"x": "y"}, timeout=60)
    other = again(response)
    assert type(other) is requests.Response
    # Nothing of it has been looked at when it is copied; and once more when all has.
    assert seen(other) == seen(response)
    assert seen(again(other)) == seen(response)
    assert seen(again(response)) == seen(response)
    if again is not copy.copy:
        assert other.raw is None
    other.raise_for_status()
    other.close()


def test_a_response_whose_body_was_not_read(server: Server, way: str, again: Again) -> None:
    response = requests.get(server.url, stream=True, timeout=60)
    other = again(response)
    assert other.json() == {"a": "é"}
    # It was read for that, as requests does: pickling keeps the content.
    if again is not copy.copy:
        assert response.__dict__["_content"] == other.content


def test_a_response_that_cannot_be_read(server: Server, way: str) -> None:
    response = requests.get(server.url + "/half", stream=True, timeout=(5, 0.3))
    with pytest.raises(requests.exceptions.ConnectionError):
        pickle.dumps(response)


def test_responses_filled_by_hand(again: Again) -> None:
    response = requests.Response()
    response.status_code = 404
    response._content = b"none"
    response.url = "mock://any"
    response.headers["A"] = "b"
    other = again(response)
    assert (other.status_code, other.text, other.url, other.headers) == (
        404,
        "none",
        "mock://any",
        {"a": "b"},
    )
    assert other.elapsed == response.elapsed


class Own(requests.Session):
    """A subclass, with an attribute of its own."""

    extra = "nothing"


@pytest.mark.parametrize("kind", [requests.Session, Own])
def test_sessions(server: Server, way: str, again: Again, kind: type[requests.Session]) -> None:
    from waterclock.adapters import HTTPAdapter

    session = kind()
    session.headers["X-Mine"] = "m"
    session.auth = ("user", "password")
    session.params = {"q": "1"}
    session.timeout = 60
    session.max_redirects = 7
    session.mount("http://", HTTPAdapter(pool_maxsize=3, max_retries=2, pool_block=True))
    session.get(server.url)
    other = again(session)
    assert type(other) is kind
    assert other.get(server.url).json() == {"a": "é"}
    last = server.requests[-1]
    assert last.header("X-Mine") == "m"
    assert last.header("Authorization") == session.get(server.url).request.headers["Authorization"]
    assert last.header("Cookie") == "c=d"
    assert last.target == "/?q=1"
    assert (other.timeout, other.max_redirects) == (60, 7)
    adapter = other.adapters["http://"]
    assert adapter.max_retries.total == 2
    assert (adapter._pool_maxsize, adapter._pool_block) == (3, True)
    if again is not copy.copy:
        # What is changed in one is not changed in the other, and they share no connection.
        other.headers["X-Mine"] = "other"
        other.cookies.clear()
        assert session.headers["X-Mine"] == "m"
        assert session.cookies.get_dict() == {"c": "d"}
        session.close()
        assert other.get(server.url).ok


def test_limits_and_timelines(server: Server, way: str, again: Again) -> None:
    limits = requests.Limits(total=3, continue_=2)
    assert again(limits) == limits
    session = requests.Session()
    session.timeout = limits
    assert again(session).timeout == limits
    response = session.get(server.url)
    timeline = again(response.timeline)
    assert str(timeline) == str(response.timeline)
    assert again(response).timeline.explain() == timeline.explain()


def test_requests(server: Server, again: Again) -> None:
    request = requests.Request("POST", server.url, json={"a": 1}, headers={"A": "b"})
    assert json.loads(again(request).prepare().body) == {"a": 1}
    prepared = requests.Session().prepare_request(request)
    other = again(prepared)
    assert (other.method, other.url, other.body, other.headers) == (
        prepared.method,
        prepared.url,
        prepared.body,
        prepared.headers,
    )
    assert requests.Session().send(other, timeout=60).ok


def assert_chain_is_pickled(error: BaseException, again: Again) -> None:
    while error.__context__ is not None:
        error = error.__context__
        other = again(error)
        assert type(other) is type(error)
        assert str(other) == str(error)


def test_exceptions(server: Server, way: str, again: Again) -> None:
    """As requests' do, and with what ours know on top."""
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(server.url + "/half", timeout=(5, 0.3))
    error = caught.value
    other = again(error)
    assert type(other) is type(error)
    assert isinstance(other, requests.Timeout)
    assert "Read timed out." in str(other)
    assert (other.limit, other.phase, other.request_sent) == ("read", "body", "yes")
    assert other.explain() == error.explain()
    # What it came from goes with it where a tool follows the chain, as tblib does for Dask.
    assert_chain_is_pickled(error, again)

    with pytest.raises(requests.ConnectionError) as refused:
        requests.get("http://127.0.0.1:1", timeout=60)
    other = again(refused.value)
    assert type(other) is type(refused.value)
    assert "Max retries exceeded with url: /" in str(other)
    assert other.phase == "connect"
    assert_chain_is_pickled(refused.value, again)

    with pytest.raises(requests.exceptions.JSONDecodeError) as wrong:
        response = requests.Response()
        response._content = b"{"
        response.json()
    other = again(wrong.value)
    assert (other.msg, other.doc, other.pos) == (wrong.value.msg, wrong.value.doc, wrong.value.pos)


def test_what_cannot_be_pickled_says_so() -> None:
    """Connections and deadlines belong to a process."""
    engine = requests.Session().get_adapter("http://")._engine
    for one in (engine,):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(one)
