"""Exceptions: those of requests, and what ours know on top."""

from __future__ import annotations

import copy
import pickle
import threading
import traceback
import warnings
from typing import Any

import pytest

import waterclock
from waterclock import exceptions

requests = pytest.importorskip("requests")
theirs = requests.exceptions

PLAIN = [
    name
    for name, value in vars(theirs).items()
    if isinstance(value, type)
    and issubclass(value, theirs.RequestException)
    and name != "JSONDecodeError"
]


@pytest.mark.parametrize("arguments", [(), ("text",), (2, "two"), (2, "two", "file"), (b"x",)])
@pytest.mark.parametrize("name", PLAIN)
def test_made_and_shown_as_by_requests(name: str, arguments: tuple[Any, ...]) -> None:
    ours = getattr(exceptions, name)(*arguments)
    reference = getattr(theirs, name)(*arguments)
    assert ours.args == reference.args
    assert str(ours) == str(reference)
    assert repr(ours) == repr(reference)
    assert (ours.errno, ours.strerror, ours.filename) == (
        reference.errno,
        reference.strerror,
        reference.filename,
    )
    again = pickle.loads(pickle.dumps(ours))
    assert (type(again), again.args, str(again)) == (type(ours), ours.args, str(ours))
    assert copy.copy(ours).args == ours.args
    with pytest.raises(TypeError):
        getattr(exceptions, name)(unknown=1)


def test_request_and_response() -> None:
    request = waterclock.Request("GET", "http://h/")
    response = waterclock.Response()
    response.request = request  # type: ignore[assignment]
    assert exceptions.HTTPError("x", response=response).request is request
    assert exceptions.HTTPError("x", response=response, request=None).request is request
    other = waterclock.Request("GET", "http://other/")
    error = exceptions.HTTPError("x", response=response, request=other)
    assert (error.request, error.response) == (other, response)
    bare = exceptions.RequestException()
    assert (bare.request, bare.response) == (None, None)
    assert vars(bare) == vars(theirs.RequestException())


def test_json_error() -> None:
    arguments = ("Expecting value", '{"a"}', 4)
    ours, reference = exceptions.JSONDecodeError(*arguments), theirs.JSONDecodeError(*arguments)
    for attribute in ("args", "msg", "doc", "pos", "lineno", "colno", "errno"):
        assert getattr(ours, attribute) == getattr(reference, attribute)
    assert (str(ours), repr(ours)) == (str(reference), repr(reference))
    again = pickle.loads(pickle.dumps(ours))
    assert (again.args, again.pos, str(again)) == (ours.args, ours.pos, str(ours))
    assert waterclock.JSONDecodeError is exceptions.JSONDecodeError
    assert isinstance(ours, ValueError)
    with pytest.raises(waterclock.exceptions.InvalidJSONError):
        raise ours


def test_decoding_error() -> None:
    from urllib3.exceptions import HTTPError

    assert issubclass(exceptions.ContentDecodingError, HTTPError)
    assert exceptions.BaseHTTPError is HTTPError
    assert pickle.loads(pickle.dumps(exceptions.ContentDecodingError("x"))).args == ("x",)
    assert exceptions.ContentDecodingError.__module__ == "waterclock.exceptions"


def lazily(kind: type[exceptions.RequestException] = exceptions.ReadTimeout) -> tuple[Any, Any]:
    calls: list[int] = []

    def make() -> tuple[Any, ...]:
        calls.append(1)
        return (ValueError("inside"),)

    return kind._lazily(make), calls


@pytest.mark.parametrize(
    "look",
    [
        str,
        repr,
        lambda error: error.args,
        pickle.dumps,
        copy.copy,
        lambda error: "".join(traceback.format_exception_only(type(error), error)),
    ],
)
def test_args_are_made_when_they_are_looked_at(look: Any) -> None:
    error, calls = lazily()
    assert isinstance(error, exceptions.ReadTimeout)
    assert error.request is None
    assert calls == []
    look(error)
    look(error)
    assert calls == [1]
    assert isinstance(error.args[0], ValueError)
    assert str(error) == "inside"
    assert error.args[0] is error.args[0]
    assert pickle.loads(pickle.dumps(error)).args[0].args == ("inside",)
    assert repr(error) == "ReadTimeout(ValueError('inside'))"
    assert error.explain().startswith("ReadTimeout: inside")


def test_args_that_were_set_stay() -> None:
    error, calls = lazily()
    error.args = ("other",)
    assert (error.args, str(error), calls) == (("other",), "other", [])


def test_making_args_may_fail() -> None:
    answers = iter([KeyboardInterrupt(), ImportError("no urllib3"), ("made",)])

    def make() -> Any:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    error = exceptions.SSLError._lazily(make)
    with pytest.raises(KeyboardInterrupt):
        str(error)
    vars(error)["__notes__"] = ["the handshake failed"]  # add_note() is there from Python 3.11
    assert str(error) == "the handshake failed"
    assert str(error) == "made"


def test_many_threads_see_the_same_args() -> None:
    barrier = threading.Barrier(8)
    error = exceptions.ProxyError._lazily(lambda: (object(),))
    seen: list[Any] = []

    def look() -> None:
        barrier.wait()
        seen.append(error.args[0])

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {error.args[0]}


def test_what_is_known_without_a_call() -> None:
    error = exceptions.ConnectionError("no route")
    assert (error.timeline, error.limit, error.phase, error.request_sent) == (None,) * 4
    assert "no route" in error.explain()


def test_a_timeline_explains() -> None:
    class Timeline:
        def explain(self) -> str:
            return "it took long"

    error = exceptions.ReadTimeout("x")
    error.timeline = Timeline()  # type: ignore[assignment]
    assert error.explain() == "it took long"


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("HandshakeTimeout", ("ConnectTimeout", "ReadTimeout")),
        ("TunnelTimeout", ("ConnectTimeout", "ReadTimeout")),
        ("ProxyConnectTimeout", ("ProxyError", "ConnectTimeout")),
        ("PoolTimeout", ("ConnectionError", "Timeout")),
        ("UploadTimeout", ("ConnectionError", "Timeout")),
        ("BodyTimeout", ("ConnectionError", "ReadTimeout")),
        ("RetriesTimeout", ("ConnectionError", "ReadTimeout")),
    ],
)
def test_old_and_new_except_clauses_catch(name: str, bases: tuple[str, ...]) -> None:
    kind = getattr(exceptions, name)
    for base in bases:
        assert issubclass(kind, getattr(exceptions, base))
    assert issubclass(kind, waterclock.Timeout)
    assert pickle.loads(pickle.dumps(kind("x"))).args == ("x",)


def test_warnings_are_shown_as_by_requests(tmp_path: Any) -> None:
    """requests adds a filter when imported: a `FileModeWarning` shows although it is deprecating."""
    path = tmp_path / "text"
    path.write_text("abc")
    with warnings.catch_warnings(record=True) as caught, path.open() as file:
        warnings.resetwarnings()
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        waterclock.utils.super_len(file)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        waterclock.utils.super_len(file)
    assert [one.category for one in caught] == [exceptions.FileModeWarning]
