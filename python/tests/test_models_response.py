"""Responses filled by hand, as mocks, caches and adapters of other people fill them: as with requests."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from both import outcome

import waterclock

requests = pytest.importorskip("requests")
PACKAGES = [requests, waterclock]


def filled(package: Any, body: Any = b"", **attributes: Any) -> Any:
    response = package.models.Response()
    response.status_code = 200
    response.url = "http://example.org/"
    response.reason = "OK"
    if isinstance(body, bytes):
        response._content = body
    else:
        response.raw = body
    for name, value in attributes.items():
        if name == "headers":
            value = package.structures.CaseInsensitiveDict(value)
        setattr(response, name, value)
    return response


def same(program: Callable[[Any], Any]) -> Any:
    """Run a program with both packages and compare what it returns or raises, by name."""
    outcomes = []
    for package in PACKAGES:
        result = outcome(lambda: program(package))  # noqa: B023 - called at once
        if result[0] == "raised":
            result = ("raised", result[1].__name__, result[2])
        outcomes.append(result)
    assert outcomes[1] == outcomes[0]
    return outcomes[1]


def test_what_an_empty_response_has() -> None:
    def program(package: Any) -> Any:
        response = package.models.Response()
        names = [*package.models.Response.__attrs__, "_content_consumed", "_next", "raw", "next"]
        return [repr(getattr(response, name)) for name in names]

    same(program)
    for name in ("ok", "text", "json", "close", "is_redirect", "links", "connection"):
        same(lambda package, name=name: call_or_get(package.models.Response(), name))  # type: ignore[misc]


def call_or_get(value: Any, name: str) -> Any:
    found = getattr(value, name)
    return found() if callable(found) else found


def test_the_class_has_no_value_for_what_instances_have() -> None:
    for name in ("status_code", "headers", "raw", "cookies", "elapsed", "request"):
        same(lambda package, name=name: getattr(package.models.Response, name))  # type: ignore[misc]
    assert waterclock.Response.__module__ == "waterclock.models"


BODIES = [
    b"",
    b"a",
    b"abc",
    "ä€한".encode(),
    "ä".encode("latin-1"),
    b"\xff\xfe",
    b'{"a": 1}',
    b"\x00" * 10,
]
ENCODINGS = [None, "utf-8", "latin-1", "ascii", "utf-16", "no such codec", "rot13", ""]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text(encoding: str | None) -> None:
    for body in BODIES:
        same(lambda package, body=body: filled(package, body, encoding=encoding).text)  # type: ignore[misc]


JSON = ['{"a": [1, null]}', "", "nul", "x", '"ä"', "[1", "12", "[1, NaN]", "{'a': 1}"]


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"]
)
@pytest.mark.parametrize("encoding", [None, "utf-8", "latin-1"])
def test_json(codec: str, encoding: str | None) -> None:
    for text in JSON:

        def program(package: Any, text: str = text) -> Any:
            response = filled(package, text.encode(codec), encoding=encoding)
            try:
                return response.json(parse_int=str)
            except package.exceptions.JSONDecodeError as error:
                is_one = isinstance(error, (ValueError, package.exceptions.InvalidJSONError))
                return error.msg, error.pos, error.doc, str(error), is_one

        same(program)


LINKS = [
    '<http://h/?page=2>; rel="next", <http://h/?page=9>; rel=last',
    "<http://h/>",
    '<a>; title="b"',
    "",
    "nonsense",
    "<x>; rel=next; y",
]


@pytest.mark.parametrize("link", LINKS)
def test_links(link: str) -> None:
    same(lambda package: filled(package, headers={"Link": link}).links)


STATUSES = [100, 200, 204, 301, 302, 303, 304, 307, 308, 399, 400, 404, 499, 500, 599, 600, 0, None]


@pytest.mark.parametrize("status", STATUSES)
def test_statuses(status: Any) -> None:
    for reason in ("Some Reason", "한국".encode(), b"\xff", None):

        def program(package: Any, reason: Any = reason) -> Any:
            response = filled(package, status_code=status, reason=reason, headers={"location": "x"})
            found = [repr(response), response.is_redirect, response.is_permanent_redirect]
            try:
                response.raise_for_status()
            except package.exceptions.HTTPError as error:
                found += [str(error), error.response is response, error.request]
            return found, bool(response), response.ok

        same(program)


def test_a_subclass_may_say_what_an_error_is() -> None:
    def program(package: Any) -> Any:
        class Strict(package.models.Response):  # type: ignore[misc, name-defined]
            def raise_for_status(self) -> None:
                raise package.exceptions.HTTPError("never good enough")

        return bool(Strict())

    assert same(program) == ("returned", False)


class Streaming(io.BytesIO):
    """Gives its body as urllib3 does, in the pieces it arrived in."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(b"".join(pieces))
        self.pieces = pieces

    def stream(self, size: int, decode_content: bool) -> Any:
        yield from self.pieces


SIZES: list[Any] = [1, 2, 3, 100, None, 0, -1, True, "1", 1.5]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("source", ["content", "file", "stream", "urllib3"])
@pytest.mark.parametrize("unicode", [False, True])
def test_pieces(size: Any, source: str, unicode: bool) -> None:
    from urllib3 import HTTPResponse

    if (source in ("file", "urllib3") and size in (0, -1)) or (source, size) == ("urllib3", None):
        pytest.skip("reads nothing, or never ends, as in requests")

    def program(package: Any) -> Any:
        body = "aä€b".encode()
        raw = {
            "content": body,
            "file": io.BytesIO(body),
            "stream": Streaming(body[:2], body[2:]),
            "urllib3": HTTPResponse(io.BytesIO(body), preload_content=False),
        }[source]
        response = filled(package, raw, encoding="utf-8")
        response._content_consumed = source == "content"
        pieces = list(response.iter_content(size, decode_unicode=unicode))
        return pieces, response._content_consumed

    same(program)


def test_a_body_is_given_once() -> None:
    def twice(package: Any) -> Any:
        response = filled(package, io.BytesIO(b"abc"))
        list(response.iter_content(2))
        return list(response.iter_content(2))

    def content_after(package: Any) -> Any:
        response = filled(package, io.BytesIO(b"abc"))
        list(response.iter_content(2))
        return response.content

    def rest(package: Any) -> Any:
        response = filled(package, io.BytesIO(b"abc"))
        return next(response.iter_content(2)), response.content, list(response)

    assert same(twice)[1] == "StreamConsumedError"
    assert same(content_after)[1] == "RuntimeError"
    same(rest)


def test_errors_of_the_body() -> None:
    from urllib3 import exceptions

    class Failing(io.BytesIO):
        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

        def stream(self, size: int, decode_content: bool) -> Any:
            yield b"some"
            raise self.error

    errors = [
        exceptions.ProtocolError("x"),
        exceptions.IncompleteRead(1, 2),
        exceptions.DecodeError("x"),
        exceptions.ReadTimeoutError(None, None, "x"),  # type: ignore[arg-type]
        exceptions.SSLError("x"),
        exceptions.HTTPError("x"),
        ValueError("x"),
    ]
    for error in errors:

        def program(package: Any, error: Exception = error) -> Any:
            response = filled(package, Failing(error))
            try:
                return response.content
            except (exceptions.HTTPError, ValueError, package.RequestException) as caught:
                return type(caught).__name__, str(caught), caught.args == (error,), caught is error

        same(program)


def test_pickle_and_copy() -> None:
    def program(package: Any) -> Any:
        response = filled(package, io.BytesIO(b"abc"), headers={"A": "b"}, encoding="utf-8")
        response.request = package.Request("GET", "http://h/", cookies={"a": "b"}).prepare()
        response.cookies.set("c", "d")
        found = []
        for again in (pickle.loads(pickle.dumps(response)), copy.copy(response)):
            found.append(
                (again.text, again.headers, again.request.url, dict(again.cookies), again.raw)
            )
            found.append((again.__dict__.keys() - {"_reply"}, list(again.iter_content(2))))
        return [str(one) if i % 2 == 0 else sorted(map(str, one[0])) for i, one in enumerate(found)]

    same(program)


def test_closing() -> None:
    class Raw(io.BytesIO):
        released = 0

        def release_conn(self) -> None:
            self.released += 1

    def program(package: Any) -> Any:
        response = filled(package, Raw(b"abc"))
        with response:
            first = response.raw.closed
        return first, response.raw.closed, response.raw.released

    same(program)


def test_a_helper_that_is_patched_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    models = waterclock.models
    response = filled(waterclock, b"abcd")
    monkeypatch.setattr(models, "guess_json_utf", lambda data: "utf-8")
    monkeypatch.setattr(
        models, "complexjson", type("", (), {"loads": staticmethod(lambda t: t.upper())})
    )
    assert response.json() == "ABCD"
    monkeypatch.setattr(models, "chardet", None)
    assert response.apparent_encoding == "utf-8"
    monkeypatch.setattr(models, "iter_slices", lambda content, size: iter([b"patched"]))
    response.content  # noqa: B018
    assert list(response) == [b"patched"]
