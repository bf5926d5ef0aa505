"""CacheControl: an adapter that answers from a cache, and wraps raw._fp to fill it."""

from __future__ import annotations

import gzip
from email.utils import formatdate

import pytest
import requests
from cachecontrol import CacheControl, CacheControlAdapter
from cachecontrol.caches.file_cache import FileCache
from loopback import answer


def fresh(body, *headers):
    """Kept for a minute: CacheControl counts from the Date."""
    kept = [("Cache-Control", "max-age=60"), ("Date", formatdate(usegmt=True))]
    return answer(body, headers=[*kept, *headers])


@pytest.fixture
def session():
    with CacheControl(requests.Session()) as session:
        yield session


def test_fresh_answers_come_from_the_cache(serve, session):
    server = serve(fresh("kept"))
    first, second = session.get(server.url), session.get(server.url)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.text == second.text == "kept"
    assert second.headers["Cache-Control"] == "max-age=60"
    assert len(server.requests) == 1


def test_no_store_is_obeyed(serve, session):
    server = serve(answer("new", headers=[("Cache-Control", "no-store")]))
    assert not session.get(server.url).from_cache
    assert not session.get(server.url).from_cache
    assert len(server.requests) == 2


def test_revalidation(serve, session):
    def reply(request):
        if request.header("If-None-Match") == '"v1"':
            return b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
        return answer("kept", headers=[("ETag", '"v1"')])

    server = serve(reply)
    assert session.get(server.url).text == "kept"
    again = session.get(server.url)
    assert (again.status_code, again.text, again.from_cache) == (200, "kept", True)
    assert len(server.requests) == 2


@pytest.mark.parametrize("coded", [False, True], ids=["length", "chunked"])
def test_streams_are_kept_when_they_end(serve, session, coded):
    head = f"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nDate: {formatdate(usegmt=True)}\r\n".encode()
    if coded:
        reply = head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    else:
        reply = head + b"Content-Length: 5\r\n\r\nabcde"
    server = serve(reply)
    with session.get(server.url, stream=True) as found:
        assert b"".join(found.iter_content(2)) == b"abcde"
    with session.get(server.url, stream=True) as found:
        assert found.from_cache
        assert found.content == b"abcde"
    assert len(server.requests) == 1


def test_unsafe_methods_forget(serve, session):
    server = serve(fresh("kept"))
    session.get(server.url)
    session.put(server.url, data="x")
    assert not session.get(server.url).from_cache


def test_files_and_a_mounted_adapter(serve, tmp_path):
    server = serve(fresh(b"x" * 3000))
    for expected in (False, True):
        with requests.Session() as session:
            session.mount("http://", CacheControlAdapter(cache=FileCache(str(tmp_path / "cache"))))
            found = session.get(server.url)
            assert (found.from_cache, len(found.content)) == (expected, 3000)
    assert len(server.requests) == 1


def test_compressed_bodies_stay_readable(serve, session):
    packed = gzip.compress(b"text " * 100)
    server = serve(fresh(packed, ("Content-Encoding", "gzip")))
    assert session.get(server.url).content == session.get(server.url).content == b"text " * 100
    assert len(server.requests) == 1
