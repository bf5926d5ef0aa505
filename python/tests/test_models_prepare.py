"""Preparing requests: what requests makes of an input, waterclock makes of it too.

Every input of the tables goes through requests and through waterclock, and the outcomes are compared:
URL, header fields, body, or the exception with its text.
"""

from __future__ import annotations

import io
import pickle
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import waterclock.models
import waterclock.sessions

requests = pytest.importorskip("requests")

URLS: list[Any] = [
    *[
        "http://example.org",
        "http://example.org/",
        "http://EXAMPLE.org/A",
        "HTTP://example.org/a?b=c",
        "http://example.org?x",
        "http://example.org#f",
        "http://example.org/?#",
        "http://example.org/a?b#c",
        "http://example.org:80/",
        "http://example.org:0/",
        "http://example.org:/x",
        "http://example.org:080/",
        "http://example.org:65535/",
        "http://example.org:65536/",
        "http://example.org:abc/",
        "http://h:123456/",
        "http://u:p@example.org/",
        "http://u@example.org/",
        "http://:@example.org/",
        "http://u:p@q@example.org/",
        "http://a%20b:c@h/",
        "http://u%40x:p%2F@h/",
        "http://u:p:q@h/",
        "http://u[:p@h/",
        "http://ü:p@h/",
        "http://example.org/a%20b",
        "http://example.org/%7euser",
        "http://example.org/%7Euser",
        "http://example.org/%zz",
        "http://example.org/100%",
        "http://example.org/%e4%BD",
        "http://h/%%41",
        "http://example.org/ä",
        "http://example.org/한국?q=값#조각",
        "http://h/%C3%A4?%c3",
        "http://ドメイン.jp/",
        "http://straße.de/",
        "http://xn--strae-oqa.de/",
        "http://ﬃ.com/",
        "http://K.com/",
        "http://*.example.org/",
        "http://.example.org/",
        "http://*/",
        "http://a_b.org/",
        "http://-a.org/",
        "http://a..b/",
        "http://example.org./",
        "http://%41.org/",
        "http://a%00b/",
        "http://a,b/",
        "http://(x)/",
        "http://[::1]/",
        "http://[::1]:8080/a",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::ffff:1.2.3.4]/",
        "http://[zz]/",
        "http://[1:2]/",
        "http://1.2.3.4/",
        "http://0x7f.1/",
        "http://example.org/./a/../b",
        "http://example.org/a/.",
        "http://example.org/a/..",
        "http://h/../x",
        "http://h/.hidden",
        "http://h/a/.hidden/..",
        "http://h/.../x",
        "http://h//a//b",
        "http://h//../x",
        "http://h/;p=1",
        "http://h/a;b?c;d",
        "http://h/a|b",
        'http://h/a"b',
        "http://h/<a>",
        "http://h/a\\b",
        "http://h\\a",
        "http://h/?a=[1]",
        "http://h/[x]",
        "http://h/?a=%5b1%5D",
        "http://h/?a=b%2fc",
        "http://h/?q=a+b&c",
        "http://h/?q=%41",
        "http://h/%2e%2e/x",
        "http://h/%2E",
        "http://h/a?%2e",
        "http://h?a/../b",
        "http://h/a#/../b",
        "http://h/#a#b",
        "http:///x",
        "http://",
        "http:/x",
        "http:x",
        "example.org",
        "/x",
        "//example.org/x",
        "mailto:a@b",
        "file:///etc",
        "ftp://example.org/x",
        "http+unix://%2Fvar/x",
        "httpx://y",
        "https:example",
        "localhost:8080/x",
        "http://h:+80/",
    ],
    "http://example.org/a b",
    " \t http://h/x",
    "http://h/\x00",
    "http://h/\n",
    "http://h\n/",
    "http://h/\ud800",
    "http://h h/",
    "http://h/a?b c#d e",
    "",
    " ",
    b"http://h/b",
    b"http://h/\xc3\xa4",
]

PARAMS: list[Any] = [
    None,
    {},
    {"a": 1},
    {"a": [1, None, "x"]},
    {"a b": "c&d"},
    [("x", "y"), ("x", "z")],
    "raw=1 2",
    b"raw=%7e",
    "",
    {"ä": "ö"},
    {b"k": b"v"},
    {"k": None},
    "a=%41",
    "%",
    {"a": "~/.-_*'()"},
    (("a", "b"),),
    {"a": True, "b": 1.5},
    5,
]


def outcome(function: Callable[[], Any]) -> tuple[Any, ...]:
    """What a call returns, or which exception it raises, with the names of its classes."""
    try:
        return ("returned", function())
    except Exception as error:  # noqa: BLE001 - every class is compared
        mro = [base.__name__ for base in type(error).__mro__]
        return ("raised", mro, str(error))


def prepared_url(models: Any, url: Any, params: Any) -> Any:
    request = models.PreparedRequest()
    request.prepare_url(url, params)
    return request.url


@pytest.mark.parametrize("url", URLS, ids=repr)
def test_urls(url: Any) -> None:
    for params in PARAMS:
        theirs = outcome(partial(prepared_url, requests.models, url, params))
        ours = outcome(partial(prepared_url, waterclock.models, url, params))
        assert ours == theirs, params


def test_urls_made_of_pieces() -> None:
    pieces = [*"abAB01/.:?#@%&=+-_~;,'!$()*[]\\|<> \"^`{}", "ä", "%41", "%2f", "/../", "/./", "//"]
    beginnings = [
        "http://",
        "https://",
        "HTTP://",
        "http://h",
        "http://h/",
        "http://h:8/",
        "http://u@h/",
    ]
    choose = random.Random(4).choice
    for _ in range(4000):
        url = choose(beginnings) + "".join(choose(pieces) for _ in range(choose(range(9))))
        params = choose(PARAMS)
        theirs = outcome(partial(prepared_url, requests.models, url, params))
        ours = outcome(partial(prepared_url, waterclock.models, url, params))
        assert ours == theirs, (url, params)


def lines(*items: bytes) -> Iterator[bytes]:
    yield from items


class Named(io.BytesIO):
    name = "/tmp/dir/report.txt"


class Unseekable(io.BytesIO):
    def tell(self) -> int:
        raise OSError("no position")


# Functions, because a file can be used once.
BODIES: list[Callable[[], dict[str, Any]]] = [
    dict,
    lambda: {"data": None},
    lambda: {"data": {}},
    lambda: {"data": {"a": 1, "b": [2, 3]}},
    lambda: {"data": [("a", "1"), ("a", "ä")]},
    lambda: {"data": (("a", None), ("b", b"x"))},
    lambda: {"data": "text ä"},
    lambda: {"data": b"bytes"},
    lambda: {"data": bytearray(b"bytes")},
    lambda: {"data": memoryview(b"bytes")},
    lambda: {"data": ""},
    lambda: {"data": io.BytesIO(b"file")},
    lambda: {"data": io.StringIO("file ä")},
    lambda: {"data": io.BytesIO(b"")},
    lambda: {"data": Unseekable(b"abc")},
    lambda: {"data": lines(b"a", b"b")},
    lambda: {"data": lines(b"a"), "files": {"f": b"x"}},
    lambda: {"data": 5},
    lambda: {"data": 5, "json": 1},
    lambda: {"json": {"a": [1, None, True, "ä"]}},
    lambda: {"json": 0},
    lambda: {"json": []},
    lambda: {"json": float("nan")},
    lambda: {"json": object()},
    lambda: {"json": {"a": 1}, "data": {"b": 2}},
    lambda: {"json": {"a": 1}, "data": {}},
    lambda: {"json": {"a": 1}, "files": {"f": b"x"}},
    lambda: {"files": {"f": b"x"}},
    lambda: {"files": {"f": "text ä"}},
    lambda: {"files": {"f": Named(b"x")}},
    lambda: {"files": {"f": ('name ä".txt', b"x")}},
    lambda: {"files": {"f": ("name.txt", Named(b"x"), "text/x")}},
    lambda: {"files": {"f": ("name.json", b"x", None, {"X-A": "b"})}},
    lambda: {"files": [("f", ("a", b"1")), ("f", ("b", b"2")), ("g", None), (b"h", b"3")]},
    lambda: {"files": {"f": (None, b"x")}},
    lambda: {"files": {"f": ("a", None)}},
    lambda: {"files": {"f": b"x"}, "data": {"a": 1, "b": ["c", None, b"d"], b"e": "ä"}},
    lambda: {"files": {"f": b"x"}, "data": "text"},
    lambda: {"files": {"f": ("a", b"x", "t", {}, "too many")}},
    lambda: {"files": [], "data": "x"},
    lambda: {"files": 5},
    lambda: {"headers": {"Content-Length": "7"}},
    lambda: {"headers": {"content-type": "own"}, "json": 1},
    lambda: {"headers": {"Transfer-Encoding": "chunked"}, "data": b"x"},
    lambda: {"headers": {b"X-Bytes": b"v", "X-Str": "ä"}},
    lambda: {"headers": {"X": " leading"}},
    lambda: {"headers": {"X": "a\r\nb: c"}},
    lambda: {"headers": {"X": 5}},
    lambda: {"headers": {"X": None}},
    lambda: {"headers": {" X": "v"}},
    lambda: {"headers": {5: "v"}},
    lambda: {"headers": {"Cookie": "a=b"}, "cookies": {"c": "d"}},
    lambda: {"headers": [("X", "y")]},
    lambda: {"cookies": {"c": "d", "e": "f g"}},
    lambda: {"auth": ("user", "pass")},
    lambda: {"auth": ("ü", b"\xff")},
    lambda: {"auth": ()},
    lambda: {"auth": ("one", "two", "three")},
    lambda: {"auth": ["user", "pass"]},
    lambda: {"auth": 5},
    lambda: {"auth": ("user", "pass"), "headers": {"Authorization": "own"}},
    lambda: {"url": "http://me:se%20cret@example.org/"},
    lambda: {"url": "http://me@example.org/"},
    lambda: {"url": "http://me:x@example.org/", "auth": ("other", "y")},
    lambda: {"hooks": {"response": print}},
    lambda: {"hooks": {"response": [print, repr]}},
    lambda: {"hooks": {"nothing": print}},
    lambda: {"params": {"a": "b"}, "url": "mailto:x@y"},
    lambda: {"method": "get"},
    lambda: {"method": None},
    lambda: {"method": "Zürich"},
]


def seen(request: Any) -> dict[str, Any]:
    """What a prepared request says of itself."""
    body = request.body
    if hasattr(body, "read"):
        body = ("file", body.read())
    elif hasattr(body, "__next__"):
        body = ("iterator", list(body))
    position = request._body_position
    return {
        "method": request.method,
        "url": request.url,
        "path_url": request.path_url,
        "headers": list(request.headers.items()),
        "body": body,
        "hooks": request.hooks,
        "position": position if isinstance(position, (int, type(None))) else "object",
        "cookies": dict(request._cookies),
    }


@pytest.fixture(autouse=True)
def one_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.filepost.choose_boundary", lambda: "boundary")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("given", BODIES)
def test_requests(method: str, given: Callable[[], dict[str, Any]]) -> None:
    def prepare(models: Any) -> Any:
        request = models.Request(**{"method": method, "url": "http://example.org/", **given()})
        return seen(request.prepare())

    assert outcome(lambda: prepare(waterclock.models)) == outcome(lambda: prepare(requests.models))


SESSIONS: list[dict[str, Any]] = [
    {},
    {"params": {"s": 1, "a": "session"}},
    {"headers": {"X-Session": "1", "x-both": "session", "accept": "text/html"}},
    {"auth": ("session", "secret")},
    {"cookies": {"session": "cookie"}},
    {"hooks": {"response": [print]}},
    {"trust_env": False},
]
CALLS: list[dict[str, Any]] = [
    {},
    {"params": {"a": 1, "s": None}},
    {"params": "raw=1"},
    {"headers": {"X-BOTH": "request", "ACCEPT": None}},
    {"headers": {"Accept-Encoding": None, "User-Agent": b"bytes"}},
    {"headers": None, "data": None, "params": None},
    {"auth": ("request", "x")},
    {"auth": ()},
    {"cookies": {"session": "mine", "other": "1"}},
    {"hooks": {"response": repr}},
    {"json": {"a": 1}, "method": "post"},
    {"data": b"x", "method": "post"},
]


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("call", CALLS)
def test_a_session_merges_its_settings(
    session: dict[str, Any], call: dict[str, Any], clean_home: Any
) -> None:
    def prepare(package: Any) -> Any:
        of = package.sessions.Session()
        for name, value in session.items():
            if name == "headers":
                of.headers.update(value)
            elif name == "cookies":
                of.cookies.update(value)
            else:
                setattr(of, name, value)
        request = package.models.Request(
            **{"method": "get", "url": "http://example.org/a?b", **call}
        )
        return seen(of.prepare_request(request))

    assert outcome(lambda: prepare(waterclock)) == outcome(lambda: prepare(requests))


def test_a_copy_shares_nothing_that_changes() -> None:
    request = waterclock.models.Request("GET", "http://h/", cookies={"a": "b"}).prepare()
    copied = request.copy()
    copied.headers["X"] = "y"
    copied._cookies.set("c", "d")  # type: ignore[union-attr]
    assert "X" not in request.headers
    assert dict(request._cookies) == {"a": "b"}  # type: ignore[arg-type]
    assert seen(waterclock.models.Request("GET", "http://h/").prepare().copy())["cookies"] == {}


def test_a_prepared_request_is_pickled_without_its_call() -> None:
    request = waterclock.models.Request("POST", "http://h/", json=1).prepare()
    request._after = object()  # type: ignore[assignment]
    again = pickle.loads(pickle.dumps(request))
    assert seen(again) == seen(request)
    assert again._after is None


def test_jars_are_made_when_needed() -> None:
    request = waterclock.models.Request("GET", "http://h/").prepare()
    assert "_cookies" not in request.__dict__
    assert request._cookies is request._cookies
    assert type(request._cookies).__name__ == "RequestsCookieJar"


def test_helpers_are_looked_up_where_programs_patch_them(monkeypatch: pytest.MonkeyPatch) -> None:
    models = waterclock.models
    monkeypatch.setattr(models, "requote_uri", lambda url: url + "!")
    monkeypatch.setattr(models, "super_len", lambda body: 99)
    monkeypatch.setattr(models, "get_auth_from_url", lambda url: ("a", "b"))
    monkeypatch.setattr(models, "check_header_validity", lambda header: None)
    request = models.Request("POST", "http://h/", data=b"x", headers={"X": "\n"}).prepare()
    assert request.url == "http://h/!"
    assert request.headers["Content-Length"] == "99"
    assert request.headers["Authorization"] == "Basic YTpi"
    assert request.headers["X"] == "\n"


def test_overridden_steps_are_called() -> None:
    class Mine(waterclock.models.PreparedRequest):
        def prepare_url(self, url: Any, params: Any) -> None:
            super().prepare_url(url, params)
            self.url = f"{self.url}#mine"

        def prepare_cookies(self, cookies: Any) -> None:
            self.given = cookies

    request = Mine()
    request.prepare(method="GET", url="http://h", cookies={"a": "b"})
    assert request.url == "http://h/#mine"
    assert request.given == {"a": "b"}
