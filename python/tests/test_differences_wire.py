"""What servers send, where waterclock makes something else of it than requests.

docs/moving-from-requests.md says why.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from differences import of_requests, of_waterclock
from loopback import CLOSE, Server, answer

import waterclock

Serve = Callable[..., Server]

OK = answer("ok")


def status(line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\n\r\n".encode()


def fields(*lines: bytes, body: bytes = b"ok") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", body])


def coded(body: bytes) -> bytes:
    return fields(b"Content-Encoding: gzip", b"Content-Length: %d" % len(body), body=body)


LENGTH = b"Content-Length: 2"
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"2\r\nok\r\n0\r\n\r\n"
ZIPPED = gzip.compress(b"hello" * 10)

# What is sent; what requests makes of it; what waterclock makes of it.
RESPONSES: dict[str, tuple[bytes, Any, Any]] = {
    "an interim response": (
        status("103 Early Hints") + OK,
        (103, b""),
        (200, b"ok"),
    ),
    "another one": (status("102 Processing") + OK, (102, b""), (200, b"ok")),
    "200 interim responses": (status("100 Continue") * 200 + OK, (200, b"ok"), "ConnectionError"),
    "an empty line first": (b"\r\n" + OK, "ConnectionError", (200, b"ok")),
    "a line without a colon": (fields(b"Nonsense", LENGTH), (200, b"ok"), "ConnectionError"),
    "white space before the colon": (fields(b"X-A : b", LENGTH), (200, b"ok"), "ConnectionError"),
    "a name with a space": (fields(b"X A: b", LENGTH), (200, b"ok"), "ConnectionError"),
    "a name that is not ASCII": (fields(b"X-\xe9: b", LENGTH), (200, b"ok"), "ConnectionError"),
    "no name": (fields(b": b", LENGTH), (200, b"ok"), "ConnectionError"),
    "NUL in a value": (fields(b"X-A: a\0b", LENGTH), (200, b"ok"), "ConnectionError"),
    "CR in a value": (fields(b"X-A: a\rb", LENGTH), (200, b"ok"), "ConnectionError"),
    "120 fields": (
        fields(*(b"X-%d: y" % number for number in range(120)), LENGTH),
        "ConnectionError",
        (200, b"ok"),
    ),
    "a length that is a word": (
        fields(b"Content-Length: two"),
        (200, b"ok"),
        "ConnectionError",
    ),
    "a negative length": (fields(b"Content-Length: -2"), (200, b"ok"), "ConnectionError"),
    "a length with a sign": (fields(b"Content-Length: +2"), (200, b"ok"), "ConnectionError"),
    "no length after its name": (fields(b"Content-Length:"), (200, b"ok"), "ConnectionError"),
    "a length and chunks": (
        fields(LENGTH, CHUNKED, body=CHUNKS),
        (200, b"ok"),
        "ConnectionError",
    ),
    "an unknown transfer coding": (
        fields(b"Transfer-Encoding: identity", LENGTH),
        (200, b"ok"),
        "ConnectionError",
    ),
    "a chunk's size in C": (
        fields(CHUNKED, body=b"0x2\r\nok\r\n0\r\n\r\n"),
        (200, b"ok"),
        "ChunkedEncodingError",
    ),
    "a negative size of a chunk": (
        fields(CHUNKED, body=b"-2\r\nok\r\n0\r\n\r\n"),
        "ValueError",
        "ChunkedEncodingError",
    ),
    "a head that is cut short": (b"HTTP/1.1 200 OK\r\nX-A:", (200, b""), "IncompleteHead"),
    "a coding that is cut short": (coded(ZIPPED[:14]), (200, b"hel"), "ContentDecodingError"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_broken_responses(serve: Serve, name: str) -> None:
    sent, theirs, ours = RESPONSES[name]
    server = serve([sent, CLOSE])

    def program(package: Any) -> Any:
        response = package.get(server.url, timeout=10)
        return response.status_code, response.content

    assert of_requests(program) == theirs
    assert of_waterclock(program) == ours


def test_a_coding_that_is_cut_short_has_a_name(serve: Serve) -> None:
    server = serve([coded(ZIPPED[:14]), CLOSE])
    with pytest.raises(waterclock.exceptions.ContentDecodingError, match="content-encoding: gzip,"):
        waterclock.get(server.url, timeout=10)


def test_the_response_after_early_hints_is_not_the_next_ones(serve: Serve) -> None:
    hints = status("103 Early Hints")

    def program(package: Any) -> Any:
        server = serve([hints, 0.05, answer("first")], answer("second"))
        with package.Session() as session:
            return [session.get(server.url, timeout=10).text for _ in range(2)]

    assert of_requests(program) == ["", "first"]
    assert of_waterclock(program) == ["first", "second"]


def test_a_continued_line_is_one_value(serve: Serve) -> None:
    server = serve(fields(b"X-A: b", b"\tc", LENGTH))

    def program(package: Any) -> Any:
        return package.get(server.url).headers["X-A"].split()

    assert of_requests(program) == of_waterclock(program) == ["b", "c"]


def test_bytes_after_a_response_cost_its_connection(serve: Serve) -> None:
    def program(package: Any) -> Any:
        server = serve(OK + b"more", OK)
        with package.Session() as session:
            texts = [session.get(server.url, timeout=10).text for _ in range(2)]
        return texts, [request.connection for request in server.requests]

    assert of_waterclock(program) == (["ok", "ok"], [1, 2])


def test_an_idle_connection_that_died_is_replaced_once(serve: Serve) -> None:
    """The server closes it just when the next request comes."""

    def program(method: str) -> Any:
        def send(package: Any) -> Any:
            server = serve(OK, [CLOSE], OK)
            with package.Session() as session:
                session.get(server.url)
                try:
                    text = session.request(method, server.url, data=b"x", timeout=10).text
                except package.ConnectionError:
                    text = "failed"
            return text, [request.method for request in server.requests]

        return send

    assert of_requests(program("PUT")) == ("failed", ["GET", "PUT"])
    assert of_waterclock(program("PUT")) == ("ok", ["GET", "PUT", "PUT"])
    # What might happen twice is not sent again.
    for find in (of_requests, of_waterclock):
        assert find(program("POST")) == ("failed", ["GET", "POST"])


def test_a_421_on_a_kept_connection_is_asked_again_on_a_new_one(serve: Serve) -> None:
    def program(package: Any) -> Any:
        misdirected = b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n"
        server = serve(OK, misdirected, OK)
        with package.Session() as session:
            session.get(server.url, timeout=10)
            status = session.post(server.url, data=b"x", timeout=10).status_code
        return status, [(request.method, request.connection) for request in server.requests]

    assert of_requests(program) == (421, [("GET", 1), ("POST", 1)])
    assert of_waterclock(program) == (200, [("GET", 1), ("POST", 1), ("POST", 2)])


@pytest.mark.parametrize(
    ("name", "value"), [("X Y", "1"), ("X()", "1"), ("X-Ctl", "a\x01b")], ids=repr
)
def test_header_fields_that_are_not_http(serve: Serve, name: str, value: str) -> None:
    def program(package: Any) -> Any:
        server = serve(OK)
        package.get(server.url, headers={name: value})
        return server.requests[0].header(name)

    assert of_requests(program) == value
    assert of_waterclock(program) == "InvalidHeader"


def test_a_long_body_of_a_redirect_is_not_read(serve: Serve) -> None:
    def program(package: Any) -> Any:
        moved = answer(b"x" * 200_000, 302, [("Location", "/there")])
        server = serve({"/": moved, "/there": OK})
        response = package.get(server.url + "/", timeout=10)
        return len(response.history[0].content)

    assert of_requests(program) == 200_000
    assert of_waterclock(program) == "RuntimeError"


def test_a_short_body_of_a_redirect_is_kept(serve: Serve) -> None:
    server = serve({"/": answer("moved", 302, [("Location", "/there")]), "/there": OK})

    def program(package: Any) -> Any:
        return package.get(server.url + "/", timeout=10).history[0].text

    assert of_requests(program) == of_waterclock(program) == "moved"


def test_lines_are_those_of_the_whole_body(serve: Serve) -> None:
    body = b"one\r\ntwo\r\n"
    server = serve(answer(body))

    def program(package: Any) -> Any:
        # A piece ends between CR and LF.
        return list(package.get(server.url, stream=True).iter_lines(chunk_size=4))

    assert of_requests(program) == [b"one", b"", b"two"]
    assert of_waterclock(program) == [b"one", b"two"]
