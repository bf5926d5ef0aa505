"""What is sent: the same bytes the short way, the long way, and by requests."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from loopback import Received, Server, answer
from threeways import check

Serve = Callable[..., Server]


def echo(request: Received) -> bytes:
    """Answers with the request line, so that even a wrong request is seen by the program."""
    return answer(f"{request.method} {request.target}", headers=[("Content-Type", "text/plain")])


def sends(serve: Serve, short: bool, method: str, path: str, **options: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            # Files and iterators are made anew for each way.
            made = {k: v() if callable(v) else v for k, v in options.items()}
            first = session.request(method, server.url + path, **made)
            return [first, session.get(server.url + "/after")]

    check(lambda: serve(echo), program, short=short)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("body", [None, "text"])
def test_methods(serve: Serve, method: str, body: str | None) -> None:
    sends(serve, True, method, "/", data=body)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "M-SEARCH", "X", "x!$"])
def test_rare_methods(serve: Serve, method: str) -> None:
    sends(serve, True, method, "/")


@pytest.mark.parametrize("method", ["get", "Post", "pRoPfInD"])
def test_methods_that_are_not_upper_case(serve: Serve, method: str) -> None:
    sends(serve, True, method, "/")


def test_a_connection_that_is_to_be_closed(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            return session.get(server.url, headers={"Connection": "close"})

    check(lambda: serve(echo), program)


@pytest.mark.parametrize("method", ["A B", "GET\r\n", "\u00fc", None, 1])
def test_methods_that_are_none(serve: Serve, method: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            return session.request(method, server.url)

    ours = check(lambda: serve(echo), program, short=isinstance(method, str))
    assert ours.received == []


PATHS = [
    "",
    "/",
    "/a/b/c.html",
    "/a?b=c",
    "/a?b=c&d=e?f/g",
    "/~user/;p=1/$&'()*+,:@!",
    "/a%20b",
    "/a%2Fb",
    "/%41%7e",
    "/a b",
    "/ü",
    "/a/../b/./c",
    "/a/..",
    "/..a/b..",
    "//double",
    "/a//b",
    "/a#fragment",
    "/a?b#c",
    "/a?",
    "/a?#",
    "/?a",
    "?a=b",
    "/a?ü=ö",
    '/"<>[]{}|\\^`',
    "/100%",
    "/a%zz",
    "/a?x=[1]&y={2}",
    "/\u20ac?\u20ac#\u20ac",
    "/a\tb",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("params", [None, {"q": "1"}])
def test_paths(serve: Serve, path: str, params: Any) -> None:
    sends(serve, True, "GET", path, params=params)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"a": "b"},
        {"a": ["b", "c"], "d": None, "e": ""},
        {"a b": "c&d=e", "\u20ac": "\u00fc"},
        [("a", "b"), ("a", "c")],
        (("a", 1), ("b", 2.5), ("c", True)),
        {b"bytes": b"\xff"},
        "raw=text&more",
        "raw text \u20ac",
        b"raw=bytes",
        {1: 2},
        {"a": ("x", None, "y")},
        {"none": None},
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", ["/", "/p?already=there"])
def test_params(serve: Serve, params: Any, path: str) -> None:
    sends(serve, True, "GET", path, params=params)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("params", lambda: iter([("a", "b"), ("c", "d")])),
        ("params", lambda: {"a": iter("bc"), "d": "e"}),
        ("params", lambda: [("a", (part for part in "bc"))]),
        ("data", lambda: {"a": iter("bc"), "d": "e"}),
        ("data", lambda: [("a", (part for part in "bc"))]),
        ("data", lambda: {"a": {"b": "c"}.keys()}),
    ],
)
def test_what_can_be_read_once(serve: Serve, name: str, make: Callable[[], Any]) -> None:
    """It must not be looked at by the short way, which may leave it to the long one afterwards."""
    sends(serve, False, "POST", "/", **{name: make})


@pytest.mark.parametrize(
    "json",
    [
        {"a": 1},
        [],
        {},
        0,
        False,
        "",
        "text",
        "\u20ac \ud83d\ude00",
        [1, 2.5, None, True, {"b": "ü"}],
        1e100,
    ],
    ids=repr,
)
def test_json(serve: Serve, json: Any) -> None:
    sends(serve, True, "POST", "/", json=json)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}], ids=repr)
def test_json_that_is_none(serve: Serve, value: Any) -> None:
    sends(serve, False, "POST", "/", json=value)


def test_json_of_what_is_not_serializable(serve: Serve) -> None:
    sends(serve, False, "POST", "/", json={"a": {1, 2}})


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        b"",
        "text",
        "",
        "\u00fc",
        "\u20ac",
        {"a": "b"},
        {"a": ["b", "c"], "d": None},
        {"a b": "c&d", "\u20ac": "\u00fc"},
        [("a", "b"), ("a", "c")],
        (("a", "b"),),
        {},
        [],
        {"a": 1, "b": 2.5, "c": b"\xff"},
        b"x" * 100_000,
        "ab" * 200_000,
    ],
    ids=lambda data: repr(data)[:30],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_data(serve: Serve, data: Any, method: str) -> None:
    sends(serve, True, method, "/", data=data)


@pytest.mark.parametrize("data", ["text", b"bytes", {"form": "1"}], ids=repr)
def test_data_and_json(serve: Serve, data: Any) -> None:
    sends(serve, True, "POST", "/", data=data, json={"a": 1})


@pytest.mark.parametrize(
    "make",
    [
        lambda: io.BytesIO(b"file"),
        lambda: io.StringIO("text file"),
        lambda: iter([b"one", b"two"]),
        lambda: (part for part in (b"a", b"b")),
        lambda: bytearray(b"array"),
        lambda: io.BytesIO(b""),
    ],
)
def test_streams(serve: Serve, make: Callable[[], Any]) -> None:
    sends(serve, False, "POST", "/", data=make)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-One": "1"},
        {"x-one": "a", "X-Two": "b"},
        {"user-agent": "mine"},
        {"ACCEPT-ENCODING": "identity", "accept": "text/plain"},
        {"Host": "example.org"},
        {"X": ""},
        {"X": "tab\there"},
        {"X": "latin-1 \u00fc"},
        {b"X-Bytes": "name"},
        {"accept": None, "X": "1"},
        {"Connection": None, "Accept": None, "Unknown": None},
        {"X": "a" * 5000},
        {"Cookie": "a=b"},
        {"Authorization": "Bearer x"},
        {"Content-Type": "text/x"},
        {"content-type": "text/y"},
        {"X_under": "1", "X.dot": "2", "!#$": "3"},
        {"Expect": "100-continue"},
        {"TE": "trailers", "Upgrade": "none"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("body", [{}, {"json": 1}, {"data": "t"}], ids=str)
def test_headers(serve: Serve, headers: Any, body: Any) -> None:
    sends(serve, True, "POST" if body else "GET", "/", headers=headers, **body)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": None},
        {"Accept-Encoding": None},
        {"User-Agent": "@@@SKIP_HEADER@@@"},
        {"Content-Length": "4"},
        {"content-length": "4"},
        {"X": b"bytes \xff"},
    ],
    ids=repr,
)
def test_headers_that_only_the_long_way_knows(serve: Serve, headers: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            return session.post(server.url, data=b"body", headers=headers)

    check(lambda: serve(echo), program, short=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\nb"},
        {"X": "a\r\nb: c"},
        {"X": " leading"},
        {"X\n": "a"},
        {"X": "trailing\r"},
        {" X": "a"},
        {"X:Y": "a"},
        {"": "a"},
        {"X": 1},
        {"X": "\u20ac"},
        {"\u20ac": "a"},
        {1: "a"},
        {"X": ["a"]},
    ],
    ids=repr,
)
def test_headers_that_are_refused(serve: Serve, headers: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            return session.get(server.url, headers=headers)

    ours = check(lambda: serve(echo), program, short=False)
    assert ours.received == [] or ours.failure is None


def test_headers_and_params_of_the_session(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.headers["X-Session"] = "s"
        session.headers.update({"user-agent": "mine", "Accept": "a/b"})
        session.params = {"s": "1", "t": "2"}
        return [
            session.get(server.url),
            session.get(server.url + "/p?q=r", params={"t": "3"}, headers={"x-session": "own"}),
            session.get(server.url, params={"s": None}),
            session.post(server.url, data={"a": "b"}, params=[("t", "4")]),
            session.post(server.url, headers={"X-SESSION": "x", "x-other": "y"}, json=[1]),
        ]

    check(lambda: serve(echo), program)


def test_a_session_without_usual_headers(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        del session.headers["User-Agent"]
        first = session.get(server.url)
        session.headers.clear()
        return [first, session.get(server.url), session.post(server.url, data="a")]

    check(lambda: serve(echo), program, short=False)


def test_headers_of_the_session_in_another_mapping(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.headers = {"User-Agent": "plain", "Accept-Encoding": "identity"}
        return session.get(server.url)

    check(lambda: serve(echo), program, short=False)


@pytest.mark.parametrize("timeout", [None, 5, 5.0, (3, 4), (None, 4), (3.5, None), (None, None)])
def test_timeouts(serve: Serve, timeout: Any) -> None:
    sends(serve, True, "GET", "/", timeout=timeout)


def test_functions_of_the_module(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        url = server.url + "/a"
        return [
            package.get(url, params={"a": "b"}),
            package.options(url),
            package.head(url),
            package.post(url, data={"a": "b"}),
            package.post(url, json={"a": "b"}),
            package.put(url, "data"),
            package.patch(url, b"data"),
            package.delete(url),
            package.request("REPORT", url, headers={"Depth": "1"}),
        ]

    def reply(request: Received) -> bytes:
        whole = echo(request)
        return whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else whole

    check(lambda: serve(reply), program)


@pytest.mark.parametrize("prefix", [" ", "\n\t"])
def test_urls_with_space_before_them(serve: Serve, prefix: str) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(prefix + server.url + "/a")

    check(lambda: serve(echo), program, short=False)


@pytest.mark.parametrize("form", ["HTTP://{}/A", "Http://{}", "http://{}?a=b", "http://{}#f"])
def test_forms_of_urls(serve: Serve, form: str) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(form.format(server.authority))

    check(lambda: serve(echo), program, short=form.startswith("http:"))


def test_userinfo_in_the_url(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        return [
            package.get(f"http://user:pass@{server.authority}/a"),
            package.get(f"http://us%40er:p%3Ass@{server.authority}/a", auth=("x", "y")),
            package.get(f"http://user@{server.authority}/a"),
        ]

    check(lambda: serve(echo), program, short=False)


@pytest.mark.parametrize("url", [b"http://{}/bytes", 17, None])
def test_urls_that_are_not_text(serve: Serve, url: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        given = url.replace(b"{}", server.authority.encode()) if isinstance(url, bytes) else url
        return package.get(given)

    check(lambda: serve(echo), program, short=False)
