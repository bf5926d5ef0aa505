"""The Cookie header of the short way is the one that http.cookiejar makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Received, Server, answer
from threeways import check

import waterclock
from waterclock import _fast_cookies
from waterclock.cookies import RequestsCookieJar, create_cookie, get_cookie_header

Serve = Callable[..., Server]

NAMES = st.sampled_from(["a", "b", "session", "c-d", "e"])
VALUES = st.sampled_from(["1", "", "x=y", '"quoted"', "with space", "a;b", None, '"a\\"b"', "ü"])
DOMAINS = st.sampled_from(
    ["", "example.org", ".example.org", "www.example.org", "le.org", "localhost", "localhost.local"]
    + ["127.0.0.1", ".127.0.0.1", "0.0.1", "EXAMPLE.org", ".", "org", "local", ".local"]
)
PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab", "", "/A", "a", "/a%20b"])
HOSTS = st.sampled_from(
    ["example.org", "www.example.org", "notexample.org", "localhost", "127.0.0.1", "a.b.c"]
    + ["example.org:8080", "127.0.0.1:1", "x", "user:pass@example.org"]
)
URL_PATHS = st.sampled_from(
    ["/", "/a", "/a/", "/a/b", "/ab", "/a/b?c=/d", "/A", "/a;x=1", "/a%20b", "/a%2fb", "/?a#b"]
)
EXPIRES = st.sampled_from([None, None, None, 0, 1, int(time.time()) - 10, int(time.time()) + 1000])


@st.composite
def cookies(draw: Any) -> Any:
    return create_cookie(
        draw(NAMES),
        draw(VALUES),
        domain=draw(DOMAINS),
        path=draw(PATHS),
        secure=draw(st.booleans()),
        expires=draw(EXPIRES),
        version=draw(st.sampled_from([0, 0, 0, 0, 1])),
        port=draw(st.sampled_from([None, None, None, "80"])),
    )


@settings(deadline=None, max_examples=300, derandomize=True, database=None)
@given(
    some=st.lists(cookies(), max_size=6),
    scheme=st.sampled_from(["http", "https"]),
    host=HOSTS,
    path=URL_PATHS,
)
def test_the_header_is_that_of_the_standard_library(
    some: list[Any], scheme: str, host: str, path: str
) -> None:
    jar = RequestsCookieJar()
    for cookie in some:
        jar.set_cookie(cookie)
    request = waterclock.Request("GET", f"{scheme}://{host}{path}").prepare()
    taken = _fast_cookies.snapshot(jar)
    copied = jar.copy()
    theirs = get_cookie_header(copied, request)
    try:
        ours = _fast_cookies.header(taken, str(request.url))
    except _fast_cookies.Unusual:
        return
    assert ours == theirs
    # And so are the cookies that the request has.
    assert dump(_fast_cookies.jar_of(taken)) == dump(copied)


def dump(jar: Any) -> list[Any]:
    return [vars(cookie) for cookie in jar]


def test_what_is_left_to_the_standard_library() -> None:
    """A URL or a cookie that is not as most are; the table above would not notice if all were."""
    plain = [create_cookie("a", "b", path="/p")]
    assert _fast_cookies.header(plain, "http://host/p/q") == "a=b"
    assert _fast_cookies.header(plain, "http://host/q") is None
    for url in ("http://u:p@host/p", "http://[::1]/p", "http://host/p%20"):
        with pytest.raises(_fast_cookies.Unusual):
            _fast_cookies.header(plain, url)
    for fields in ({"version": 1}, {"port": "80"}, {"value": "a\\b"}, {"value": "ü"}, {"value": 5}):
        cookie = create_cookie("a", "b")
        vars(cookie).update(fields)
        with pytest.raises(_fast_cookies.Unusual):
            _fast_cookies.header([cookie], "http://host/")


def echo(request: Received) -> bytes:
    return answer(request.header("Cookie") or "none")


def fill(jar: Any, package: Any) -> None:
    make = package.cookies.create_cookie
    for cookie in (
        make("everywhere", "1"),
        make("here", "2", domain="127.0.0.1"),
        make("there", "3", domain="example.org"),
        make("deep", "4", path="/a/b"),
        make("deeper", "5", path="/a/b/c"),
        make("root", "6", path="/"),
        make("secure", "7", secure=True),
        make("old", "8", expires=1),
        make("empty", ""),
        make("nothing", None),
        make("quoted", '"a b"'),
    ):
        jar.set_cookie(cookie)


@pytest.mark.parametrize("path", ["", "/", "/a", "/a/b", "/a/bc", "/a/b/c/d?x=y", "/a b", "/a?p#f"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cookies_of_the_session(serve: Serve, path: str, method: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        fill(session.cookies, package)
        body = {"json": {"a": 1}, "auth": ("user", "pass")} if method == "POST" else {}
        response = session.request(method, server.url + path, **body)
        names = sorted(cookie.name for cookie in session.cookies)
        sent = sorted(str(vars(cookie)) for cookie in response.request._cookies)
        return [response, names, sent]

    # A path with an escape is compared by the standard library.
    check(lambda: serve(echo), program, short=path != "/a b")


def test_cookies_that_a_server_sets_are_sent(serve: Serve) -> None:
    def set_and_echo(request: Received) -> bytes:
        number = request.target.rpartition("/")[2]
        more = [("Set-Cookie", f"c{number}={number}; Path=/")] if number in "12" else []
        return answer(request.header("Cookie") or "", 200, more)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        return [session.get(f"{server.url}/{number}") for number in (1, 2, 3, 1)]

    check(lambda: serve(set_and_echo), program)


def test_cookies_over_redirects(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        fill(session.cookies, package)
        response = session.get(server.url + "/go")
        jars = [sorted(str(vars(c)) for c in one.request._cookies) for one in response.history]
        return [response, jars]

    replies = {
        "/go": answer("", 302, [("Location", "/a/b/c"), ("Set-Cookie", "here=new")]),
        "*": echo,
    }
    check(lambda: serve(replies), program)


@pytest.mark.parametrize("name", ["Cookie", "cookie", "Host"])
def test_a_header_of_the_caller(serve: Serve, name: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        fill(session.cookies, package)
        return session.get(server.url, headers={name: "own=1"})

    check(lambda: serve(echo), program, short=False)


def test_cookies_of_one_call(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.cookies["a"] = "1"
        first = session.get(server.url, cookies={"a": "2", "b": "3"})
        return [first, session.get(server.url)]

    check(lambda: serve(echo), program, short=False)


def test_other_jars(serve: Serve) -> None:
    from http.cookiejar import CookieJar

    class Mine(RequestsCookieJar):
        pass

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.cookies = CookieJar()
        session.cookies.set_cookie(package.cookies.create_cookie("a", "b"))
        return session.get(server.url)

    check(lambda: serve(echo), program, short=False)
    session = waterclock.Session()
    session.cookies = Mine()
    session.cookies["a"] = "b"
    assert session.get(serve(echo).url).text == "a=b"


def test_a_value_that_is_refused(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.cookies["a"] = "b\r\nX: y"
        return session.get(server.url)

    assert check(lambda: serve(echo), program, short=False).received == []
