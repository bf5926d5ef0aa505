"""requests-cache: a Session with a cache, or one put in the place of requests.Session."""

from __future__ import annotations

import pickle

import pytest
import requests
import requests_cache
from loopback import CLOSE, answer


@pytest.fixture(params=["memory", "sqlite", "filesystem"])
def session(request, tmp_path):
    session = requests_cache.CachedSession(
        str(tmp_path / "cache"), backend=request.param, expire_after=60
    )
    yield session
    session.close()


def test_second_answer_is_from_the_cache(serve, session):
    server = serve(answer('{"a": 1}', headers=[("X-One", "1"), ("Set-Cookie", "c=d")]))
    first = session.get(server.url + "/x?b=1")
    second = session.get(server.url + "/x?b=1")
    assert (first.from_cache, second.from_cache) == (False, True)
    assert second.json() == {"a": 1}
    assert (second.headers["x-one"], second.cookies["c"], second.status_code) == ("1", "d", 200)
    assert second.url == server.url + "/x?b=1"
    assert second.elapsed == first.elapsed
    assert second.request.method == "GET"
    assert len(server.requests) == 1
    assert session.cache.contains(url=server.url + "/x?b=1")


def test_redirects_are_kept(serve, session):
    server = serve({"/a": answer("", 302, [("Location", "/b")]), "/b": answer("end")})
    session.get(server.url + "/a")
    again = session.get(server.url + "/a")
    assert (again.text, [r.status_code for r in again.history]) == ("end", [302])
    assert len(server.requests) == 2


def test_streams_and_raw(serve, session):
    server = serve(answer(b"x" * 3000))
    assert b"".join(session.get(server.url, stream=True).iter_content(1000)) == b"x" * 3000
    again = session.get(server.url, stream=True)
    assert again.from_cache
    assert again.raw.read(10) == b"x" * 10


def test_expired_answers_are_asked_for_again(serve, tmp_path):
    def reply(request):
        if request.header("If-None-Match"):
            return b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
        return answer("kept", headers=[("ETag", '"v1"'), ("Cache-Control", "max-age=0")])

    server = serve(reply)
    with requests_cache.CachedSession(backend="memory", cache_control=True) as session:
        session.get(server.url)
        again = session.get(server.url)
        assert (again.text, again.revalidated) == ("kept", True)
    assert len(server.requests) == 2


def test_stale_if_error(serve):
    server = serve(answer("old"), [CLOSE])
    with requests_cache.CachedSession(
        backend="memory", expire_after=0.0001, stale_if_error=True
    ) as session:
        session.get(server.url)
        again = session.get(server.url)
        assert (again.text, again.from_cache) == ("old", True)


def test_installed_for_everybody(serve):
    server = serve(answer("kept"))
    original = requests.Session
    requests_cache.install_cache(backend="memory")
    try:
        assert requests.Session is not original
        assert requests_cache.is_installed()
        requests.get(server.url)
        assert requests.get(server.url).from_cache
        assert requests.Session().get(server.url).text == "kept"
        with requests_cache.disabled():
            assert not hasattr(requests.get(server.url), "from_cache")
    finally:
        requests_cache.uninstall_cache()
    assert requests.Session is original
    assert len(server.requests) == 2


def test_cached_responses_pickle(serve):
    server = serve(answer("kept"))
    with requests_cache.CachedSession(backend="memory") as session:
        session.get(server.url)
        copied = pickle.loads(pickle.dumps(session.get(server.url)))
    assert (copied.text, copied.status_code) == ("kept", 200)
    assert isinstance(copied, requests.Response)
