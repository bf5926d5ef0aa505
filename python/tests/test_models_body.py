"""Reading bodies that our engine received: pieces, codings, errors, redirects nobody asked the body of."""

from __future__ import annotations

import gzip
import io
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from loopback import CLOSE, STALL, Server, answer

import waterclock

Way = Callable[..., None]
TEXT = "The quick brown fox, ä€한, jumps.\r\n" * 40


def chunked(*pieces: bytes, **headers: str) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    for name, value in headers.items():
        head += f"{name.replace('_', '-')}: {value}\r\n".encode()
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"\r\n" + body + b"0\r\n\r\n"


def until_close(body: bytes) -> list[Any]:
    return [b"HTTP/1.1 200 OK\r\n\r\n" + body, CLOSE]


SOURCES: dict[str, Any] = {
    "length": answer(TEXT),
    "empty": answer(b""),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "until close": until_close(TEXT.encode()),
    "gzip": answer(gzip.compress(TEXT.encode(), mtime=0), headers=[("Content-Encoding", "gzip")]),
    "deflate": answer(zlib.compress(TEXT.encode()), headers=[("Content-Encoding", "deflate")]),
    "gzip twice": answer(
        gzip.compress(gzip.compress(TEXT.encode(), mtime=0), mtime=0),
        headers=[("Content-Encoding", "gzip, gzip")],
    ),
    "unknown coding": answer(TEXT, headers=[("Content-Encoding", "x-own")]),
    "chunked": chunked(b"ab", b"c", b"defgh" * 300),
    "chunked gzip": chunked(gzip.compress(TEXT.encode(), mtime=0), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stream", [False, True])
def test_content(same: Way, source: str, stream: bool) -> None:
    def program(package: Any, server: Server) -> Any:
        response = package.get(server.url, stream=stream)
        consumed = response._content_consumed
        return (
            consumed,
            response.content,
            response.content,
            response.text,
            response._content_consumed,
        )

    same([SOURCES[source]], program)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("size", [1, 7, 512, 65536, True])
@pytest.mark.parametrize("stream", [False, True])
def test_pieces(same: Way, source: str, size: int, stream: bool) -> None:
    exact = not (stream and "chunked" in source)  # there a piece ends where a chunk does

    def program(package: Any, server: Server) -> Any:
        response = package.get(server.url, stream=stream)
        pieces = list(response.iter_content(size))
        again = (
            "" if not stream else str(pytest.raises(TypeError, response.iter_content).type.__name__)
        )
        return (
            pieces if exact else b"".join(pieces),
            max(map(len, pieces), default=0) <= size,
            again,
        )

    same([SOURCES[source]], program)


@pytest.mark.parametrize("source", ["length", "gzip", "until close", "empty"])
def test_all_in_one_piece(same: Way, source: str) -> None:
    def program(package: Any, server: Server) -> Any:
        return list(package.get(server.url, stream=True).iter_content(None))

    same([SOURCES[source]], program)


def test_chunks_are_given_as_they_arrive(serve: Callable[..., Server]) -> None:
    first, go = b"first", threading.Event()
    head, _, rest = chunked(first, b"second").partition(b"\r\n6\r\n")
    server = serve([head + b"\r\n", go, b"6\r\n" + rest])
    pieces = waterclock.get(server.url, stream=True).iter_content(None)
    assert next(pieces) == first
    go.set()
    assert b"".join(pieces) == b"second"


def test_one_byte_at_a_time_is_not_slow(serve: Callable[..., Server]) -> None:
    body = gzip.compress(b"x" * 200_000)
    server = serve(answer(body, headers=[("Content-Encoding", "gzip")]))
    response = waterclock.get(server.url, stream=True)
    # Of this thread alone: other work may be going on.
    started = time.thread_time()
    assert sum(map(len, response.iter_content(1))) == 200_000
    # requests needs 2 s.
    assert time.thread_time() - started < 1.5


@pytest.mark.parametrize("first", [1, 5, 100, 1024])
@pytest.mark.parametrize("source", ["length", "gzip", "chunked", "until close"])
def test_reading_on_where_somebody_stopped(same: Way, first: int, source: str) -> None:
    def program(package: Any, server: Server) -> Any:
        response = package.get(server.url, stream=True)
        pieces = response.iter_content(first)
        begun = next(pieces)
        return (
            begun if source != "chunked" else None,
            len(begun + response.content),
            response._content_consumed,
        )

    same([SOURCES[source]], program)


def test_the_file_below(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        read = session.get(server.url, stream=True).raw.read()
        decoded = session.get(server.url, stream=True).raw.read(decode_content=True)
        response = session.get(server.url, stream=True)
        response.raw.decode_content = True
        copied = io.BytesIO(response.raw.read(10))
        after = session.get(server.url)
        return (
            read,
            decoded,
            copied.getvalue(),
            response.content,
            after.content,
            after.raw.read(),
            after.raw.closed,
        )

    same([SOURCES["gzip"]], program)


BROKEN = {
    "short": [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", CLOSE],
    "short chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", CLOSE],
    "bad chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc", CLOSE],
    "bad gzip": answer(b"not gzip at all", headers=[("Content-Encoding", "gzip")]),
    "stall": [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", STALL],
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_those_of_requests(same: Way, broken: str, stream: bool) -> None:
    names = ("ChunkedEncodingError", "ContentDecodingError", "ConnectionError", "SSLError")

    def program(package: Any, server: Server) -> Any:
        try:
            list(package.get(server.url, stream=stream, timeout=0.3).iter_content(100))
        except package.RequestException as error:
            return [name for name in names if isinstance(error, getattr(package.exceptions, name))]

    same([BROKEN[broken]], program)


def test_a_stalled_body_is_a_timeout_too(serve: Callable[..., Server]) -> None:
    response = waterclock.get(serve(BROKEN["stall"]).url, stream=True, timeout=(5, 0.3))
    with pytest.raises(waterclock.ReadTimeout) as caught:
        response.content  # noqa: B018
    assert isinstance(caught.value, waterclock.ConnectionError)
    assert caught.value.phase == "body"


def test_errors_of_who_reads_are_theirs(serve: Callable[..., Server]) -> None:
    pieces = waterclock.get(serve(answer(TEXT)).url, stream=True).iter_content(10)
    next(pieces)
    with pytest.raises(KeyError):
        pieces.throw(KeyError("mine"))  # type: ignore[attr-defined]
    response = waterclock.get(serve(answer(TEXT)).url, stream=True)
    pieces = response.iter_content(10)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert response._content_consumed is False


def to(location: str, body: bytes, *more: tuple[str, str]) -> bytes:
    return answer(body, 302, [("Location", location), *more])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("coded", [False, True])
def test_the_body_of_a_redirect_is_there_for_who_asks(same: Way, stream: bool, coded: bool) -> None:
    body = TEXT.encode()
    first = (
        to("/b", gzip.compress(body, mtime=0), ("Content-Encoding", "gzip"))
        if coded
        else to("/b", body)
    )

    def program(package: Any, server: Server) -> Any:
        response = package.Session().get(server.url, stream=stream)
        earlier = response.history[0]
        return earlier.content, list(earlier.iter_content(100)), earlier.text, response.content

    same({"/": first, "/b": answer(b"here")}, program)


@pytest.mark.parametrize("stream", [False, True])
def test_the_body_of_a_redirect_is_not_decoded(serve: Callable[..., Server], stream: bool) -> None:
    """CVE-2026-21441: a redirect whose small body becomes a large one."""
    bomb = gzip.compress(bytes(50_000_000))
    server = serve({"/": to("/b", bomb, ("Content-Encoding", "gzip")), "/b": answer(b"here")})
    response = waterclock.get(server.url, stream=stream)
    assert response.content == b"here"
    assert response.history[0]._content is False


def test_a_large_body_of_a_redirect_is_not_read(serve: Callable[..., Server]) -> None:
    server = serve({"/": to("/b", bytes(5_000_000)), "/b": answer(b"here")})
    response = waterclock.get(server.url, stream=True)
    assert response.content == b"here"
    earlier = response.history[0]
    # Half of it would be worse than an error.
    with pytest.raises(RuntimeError):
        earlier.content  # noqa: B018
    with pytest.raises(waterclock.exceptions.StreamConsumedError):
        earlier.iter_content()


def test_the_body_of_a_redirect_may_never_end(serve: Callable[..., Server]) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n"
    dribble = [head, *[step for _ in range(100) for step in (b"1\r\nx\r\n", 0.05)]]
    server = serve({"/": dribble, "/b": answer(b"here")})
    started = time.perf_counter()
    assert waterclock.get(server.url, stream=True).content == b"here"
    assert time.perf_counter() - started < 4


def test_a_response_that_is_closed_gives_its_connection_back(serve: Callable[..., Server]) -> None:
    server = serve(answer(TEXT))
    session = waterclock.Session()
    for _ in range(3):
        with session.get(server.url, stream=True) as response:
            assert response.status_code == 200
        session.get(server.url, stream=True).content  # noqa: B018
    assert server.connections == 1


def test_a_response_can_be_pickled(serve: Callable[..., Server]) -> None:
    import pickle

    server = serve({"/": to("/b", b"moved"), "/b": answer(TEXT, headers=[("Set-Cookie", "a=b")])})
    response = waterclock.Session().get(server.url, stream=True)
    again = pickle.loads(pickle.dumps(response))
    assert again.text == response.text
    assert again.history[0].content == b"moved"
    assert dict(again.cookies) == {"a": "b"}
    assert again.request.url == response.request.url
    assert again.elapsed == response.elapsed
    assert again.explain() == response.explain()
