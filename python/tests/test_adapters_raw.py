"""`response.raw`: a real response of urllib3, and what programs look at below it."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from loopback import Server, answer

import waterclock

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
ZIPPED = gzip.compress(b"hello world" * 50)
REPLIES = {
    "length": answer(b"hello world", headers=[("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=b")]),
    "chunked": CHUNKED,
    "zipped": answer(ZIPPED, headers=[("Content-Encoding", "gzip")]),
    "empty": answer(b""),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "1.0": [b"HTTP/1.0 200 Fine\r\n\r\nuntil the end"],
}
KINDS = list(REPLIES)


@pytest.fixture
def get(serve: Callable[..., Server]) -> Callable[..., Any]:
    def one(package: Any, kind: str, **options: Any) -> Any:
        session = package.Session()
        session.trust_env = False
        script = REPLIES[kind]
        script = [*script, close()] if isinstance(script, list) else script
        return session.get(serve(script).url + "/a?b", **{"stream": True, **options})

    return one


def close() -> Any:
    from loopback import CLOSE

    return CLOSE


def both(get: Callable[..., Any], kind: str, look: Callable[[Any], Any], **options: Any) -> Any:
    theirs = look(get(requests, kind, **options))
    ours = look(get(waterclock, kind, **options))
    assert ours == theirs
    return ours


def attributes(response: Any) -> Any:
    raw = response.raw
    original = raw._original_response
    return [
        type(raw),
        raw.status,
        raw.reason,
        raw.version,
        raw.version_string,
        list(raw.headers.items()),
        raw.headers.getlist("x-a"),
        raw.getheader("content-length"),
        raw.length_remaining,
        raw.chunked,
        raw.chunk_left,
        raw.decode_content,
        raw.enforce_content_length,
        raw.auto_close,
        raw._request_url,
        raw.url,
        raw.tell(),
        raw.isclosed(),
        raw.closed,
        raw.readable(),
        raw.retries.total,
        raw.retries.read,
        raw.supports_chunked_reads(),
        raw.get_redirect_location(),
        isinstance(original, http.client.HTTPResponse),
        raw._fp is original,
        type(original.msg),
        original.msg.items(),
        original.getheaders(),
        original.getheader("X-A"),
        original.status,
        original.reason,
        original.version,
        bool(original.chunked),
        original.isclosed(),
        raw._pool.host,
        raw._pool.scheme,
        type(raw._pool).__name__,
        raw.connection is not None,
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_attributes(get: Callable[..., Any], kind: str) -> None:
    both(get, kind, attributes)


READS: dict[str, Callable[[Any], Any]] = {
    "read": lambda raw: raw.read(),
    "read decoded": lambda raw: raw.read(decode_content=True),
    "read some": lambda raw: [raw.read(4), raw.read(4), raw.read(), raw.read(4)],
    "read some decoded": lambda raw: [
        raw.read(4, decode_content=True),
        raw.read(decode_content=True),
    ],
    "stream": lambda raw: b"".join(raw.stream()),
    "stream decoded": lambda raw: b"".join(raw.stream(4, decode_content=True)),
    "stream sizes": lambda raw: [len(piece) for piece in raw.stream(4)],
    "data": lambda raw: raw.data,
    "read1": lambda raw: raw.read1(4),
    "readinto": lambda raw: [raw.readinto(buffer := bytearray(5)), bytes(buffer)],
    "lines": lambda raw: list(raw),
    "drained": lambda raw: [raw.drain_conn(), raw.read()],
    "closed": lambda raw: [raw.close(), raw.closed, raw.isclosed()],
    "released": lambda raw: [raw.read(), raw.release_conn(), raw.connection],
    "nothing": lambda raw: [raw.read(0), raw.tell()],
    "counted": lambda raw: [
        raw.read(),
        raw.tell(),
        raw.length_remaining,
        raw.isclosed(),
        raw.closed,
    ],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", list(READS))
def test_reading(get: Callable[..., Any], kind: str, way: str) -> None:
    if kind == "chunked" and way == "stream sizes":
        pytest.skip("chunks come as they arrive, not as the server cut them")
    both(get, kind, lambda response: READS[way](response.raw))


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_body_was_read(get: Callable[..., Any], kind: str) -> None:
    def look(response: Any) -> Any:
        raw = response.raw
        return [response.content, raw.read(), raw.isclosed(), raw.closed, raw.connection]

    both(get, kind, look, stream=False)


@pytest.mark.parametrize("kind", KINDS)
def test_content_goes_through_raw_once_it_was_touched(get: Callable[..., Any], kind: str) -> None:
    def look(response: Any) -> Any:
        first = response.raw.read(0)
        return first, response.content

    both(get, kind, look)


def test_chunks_come_as_they_arrive(serve: Callable[..., Server]) -> None:
    import threading

    more = threading.Event()
    server = serve(
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", more, b"1\r\n!\r\n0\r\n\r\n"]
    )
    pieces = waterclock.get(server.url, stream=True).raw.stream(1000)
    assert next(pieces) == b"hello"
    more.set()
    assert list(pieces) == [b"!"]


def test_a_body_that_was_begun_without_raw(serve: Callable[..., Server]) -> None:
    server = serve(answer(ZIPPED, headers=[("Content-Encoding", "gzip")]))
    response = waterclock.get(server.url, stream=True)
    pieces = response.iter_content(5)
    begun = next(pieces)
    rest = response.raw.read(decode_content=True)
    assert begun + rest == b"hello world" * 50


def test_a_body_whose_response_was_closed(serve: Callable[..., Server]) -> None:
    server = serve(answer(b"x" * 1000))
    with waterclock.get(server.url, stream=True) as response:
        pass
    assert response.raw.closed
    assert response.raw.read() == b""


def test_a_connection_that_is_given_back_serves_again(serve: Callable[..., Server]) -> None:
    """What NTLM and Kerberos rely on: the next leg goes over the same connection."""
    server = serve(answer(b"challenge", 401), answer(b"ok"))
    session = waterclock.Session()
    response = session.get(server.url, stream=True)
    response.content  # noqa: B018
    response.raw.release_conn()
    again = response.connection.send(response.request.copy(), stream=True)
    assert again.raw.read() == b"ok"
    assert [request.connection for request in server.requests] == [1, 1]


def test_caches_may_put_a_wrapper_around_the_file(get: Callable[..., Any]) -> None:
    """As CacheControl does."""

    class Wrapper:
        def __init__(self, file: Any) -> None:
            self.file = file
            self.copied = b""

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def read(self, amt: int | None = None) -> bytes:
            data: bytes = self.file.read(amt) if amt is not None else self.file.read()
            self.copied += data
            return data

    def look(response: Any) -> Any:
        response.raw._fp = wrapper = Wrapper(response.raw._fp)
        return response.content, wrapper.copied, wrapper.isclosed()

    both(get, "length", look)


def test_a_decoder_may_be_set(get: Callable[..., Any]) -> None:
    """As google-resumable-media does, to get the bytes for a checksum."""

    def look(response: Any) -> Any:
        digest = hashlib.md5()

        class Hashing(urllib3.response.GzipDecoder):
            def decompress(self, data: bytes, *args: Any, **kwargs: Any) -> bytes:
                digest.update(data)
                decoded: bytes = super().decompress(data, *args, **kwargs)
                return decoded

        response.raw._decoder = Hashing()
        response.raw._decoder_initialized = True
        return response.content, digest.hexdigest()

    both(get, "zipped", look)


def test_the_socket_below(tls_serve: Callable[..., Server], ca_file: str) -> None:
    server = tls_serve(answer(b"x" * 10))

    def look(package: Any) -> Any:
        response = package.get(server.url, verify=ca_file, stream=True)
        sock = response.raw.connection.sock
        peeked = response.raw._fp.fp.raw._sock
        return [
            sock.getpeercert(True),
            sock.getpeercert(),
            peeked.getpeercert(binary_form=True),
            sock.version(),
            sock.getpeername()[:2],
            response.raw.connection.host,
            response.raw.connection.port,
        ]

    assert look(waterclock) == look(requests)
    response = waterclock.get(server.url, verify=ca_file, stream=True)
    assert len(response.raw.connection.sock.cipher()) == 3
    assert isinstance(ssl.DER_cert_to_PEM_cert(response.raw.connection.sock.getpeercert(True)), str)
    with pytest.raises(OSError, match="belongs to the engine"):
        response.raw.connection.sock.fileno()


def test_without_tls_there_is_no_certificate(serve: Callable[..., Server]) -> None:
    sock = waterclock.get(serve(answer(b"x")).url, stream=True).raw.connection.sock
    assert (sock.getpeercert(), sock.version(), sock.cipher()) == (None, None, None)


def test_head(serve: Callable[..., Server]) -> None:
    def look(package: Any) -> Any:
        server = serve(HEAD + b"Content-Length: 5\r\n\r\n")
        raw = package.head(server.url, stream=True).raw
        return [raw.length_remaining, raw.read(), raw.isclosed(), list(raw.stream())]

    assert look(waterclock) == look(requests)
