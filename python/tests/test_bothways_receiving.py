"""What comes back: the same response the short way, the long way, and from requests."""

from __future__ import annotations

import copy
import gzip
import pickle
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from loopback import CLOSE, RESET, Received, Server, answer
from threeways import check

Serve = Callable[..., Server]

TEXT = b"clepsydra " * 1000


def raw(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


def chunked(*parts: bytes, trailer: str = "") -> bytes:
    whole = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return whole + b"0\r\n" + trailer.encode() + b"\r\n"


def deflated(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


def brotli(data: bytes) -> bytes:
    return pytest.importorskip("brotlicffi").compress(data)  # type: ignore[no-any-return]


PLAIN = "HTTP/1.1 200 OK\nContent-Length: 5"
CHUNKED = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked"
LONG = bytes(range(256)) * 2000

RESPONSES: dict[str, Any] = {
    "plain": raw(PLAIN, b"hello"),
    "empty": raw("HTTP/1.1 200 OK\nContent-Length: 0"),
    "no reason": raw("HTTP/1.1 200\nContent-Length: 0"),
    "empty reason": raw("HTTP/1.1 200 \nContent-Length: 0"),
    "odd reason": raw("HTTP/1.1 200 Sehr gut \xfc\nContent-Length: 0"),
    "http 1.0": [raw("HTTP/1.0 200 OK", b"hello"), CLOSE],
    "http 1.0 keep-alive": raw("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 2", b"hi"),
    "unframed": [raw("HTTP/1.1 200 OK", b"hello"), CLOSE],
    "unframed and large": [raw("HTTP/1.1 200 OK", LONG), CLOSE],
    "closing": [raw(PLAIN + "\nConnection: close", b"hello"), CLOSE],
    "chunked": raw(CHUNKED, chunked(b"hello", b" ", b"world")),
    "chunked, nothing": raw(CHUNKED, chunked()),
    "chunked with a trailer": raw(CHUNKED, chunked(b"hello", trailer="X-Sum: 1\r\n")),
    "chunked and large": raw(CHUNKED, chunked(*[LONG] * 3)),
    "large": raw(f"HTTP/1.1 200 OK\nContent-Length: {len(LONG)}", LONG),
    "204": raw("HTTP/1.1 204 No Content"),
    "304": raw('HTTP/1.1 304 Not Modified\nETag: "x"'),
    "304 with a length": raw("HTTP/1.1 304 Not Modified\nContent-Length: 10"),
    "100 before": raw("HTTP/1.1 100 Continue") + raw(PLAIN, b"hello"),
    "404": raw("HTTP/1.1 404 Not Found\nContent-Length: 4", b"gone"),
    "500": raw("HTTP/1.1 500 Oh\nContent-Length: 4", b"gone"),
    "599": raw("HTTP/1.1 599 Last\nContent-Length: 0"),
    "401": raw('HTTP/1.1 401 No\nWWW-Authenticate: Basic realm="x"\nContent-Length: 2', b"no"),
    "418": raw("HTTP/1.1 418 I'm a teapot\nContent-Length: 0"),
    "many of one name": raw(PLAIN + "\nX: 1\nx: 2\nX: \nY: a, b\nVia: 1\nvia: 2", b"hello"),
    "latin-1": raw(PLAIN + "\nX-Name: J\xfcrgen", b"hello"),
    "utf-8": raw(PLAIN + "\nX-Name: J\xc3\xbcrgen", b"hello"),
    "spaces": raw(PLAIN + "\nX-A:   b\nX-B:\nX-C:\td", b"hello"),
    "links": raw(PLAIN + '\nLink: </a>; rel="next", <http://x/b>; rel=last; title="t"', b"hello"),
    "text": raw(PLAIN + "\nContent-Type: text/plain", b"h\xe9llo"),
    "text in utf-8": raw(PLAIN + "\nContent-Type: text/html; charset=UTF-8", b"h\xc3\xa9lo"),
    "quoted charset": raw(PLAIN + '\nContent-Type: text/html; Charset="ascii"', b"hello"),
    "unknown charset": raw(PLAIN + "\nContent-Type: text/html; charset=klingon", b"hello"),
    "json": raw(PLAIN + "\nContent-Type: application/json", b"[1,2]"),
    "gzip": answer(gzip.compress(TEXT), headers=[("Content-Encoding", "gzip")]),
    "x-gzip": answer(gzip.compress(TEXT), headers=[("Content-Encoding", "x-gzip")]),
    "two gzip members": answer(gzip.compress(TEXT) * 2, headers=[("Content-Encoding", "gzip")]),
    "gzip and garbage": answer(
        gzip.compress(TEXT) + b"garbage", headers=[("Content-Encoding", "gzip")]
    ),
    "empty gzip": answer(b"", headers=[("Content-Encoding", "gzip")]),
    "deflate": answer(deflated(TEXT, 15), headers=[("Content-Encoding", "deflate")]),
    "raw deflate": answer(deflated(TEXT, -15), headers=[("Content-Encoding", "deflate")]),
    "both": answer(
        gzip.compress(deflated(TEXT, 15)), headers=[("Content-Encoding", "deflate, gzip")]
    ),
    "identity": answer(TEXT, headers=[("Content-Encoding", "identity")]),
    "unknown coding": answer(TEXT, headers=[("Content-Encoding", "lzma")]),
    "gzip in chunks": raw(CHUNKED + "\nContent-Encoding: gzip", chunked(gzip.compress(TEXT))),
    "gzip of much": answer(gzip.compress(bytes(3 << 20)), headers=[("Content-Encoding", "gzip")]),
}


def gets(
    serve: Serve, reply: Any, method: str = "GET", short: bool = True, **options: Any
) -> dict[str, Any]:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            response = session.request(method, server.url + "/a", **options)
            if options.get("stream"):
                return [response, b"".join(response.iter_content(1000)), response]
            return [response, response.text, session.get(server.url + "/b").status_code]

    def replies(request: Received) -> Any:
        return reply if request.target == "/a" else answer("second")

    return check(lambda: serve(replies), program, short=short).result  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(serve: Serve, name: str) -> None:
    gets(serve, RESPONSES[name])


@pytest.mark.parametrize("name", RESPONSES)
def test_streamed_responses(serve: Serve, name: str) -> None:
    gets(serve, RESPONSES[name], stream=True)


@pytest.mark.parametrize(
    "name", ["plain", "large", "chunked", "204", "304", "gzip", "many of one name"]
)
def test_responses_to_head(serve: Serve, name: str) -> None:
    head = RESPONSES[name].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    gets(serve, head, method="HEAD")


def test_brotli(serve: Serve) -> None:
    gets(serve, answer(brotli(TEXT), headers=[("Content-Encoding", "br")]))


FAILURES: dict[str, Any] = {
    "cut body": [raw("HTTP/1.1 200 OK\nContent-Length: 10", b"hello"), CLOSE],
    "cut body and cookies": [
        raw("HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Length: 10", b"hello"),
        CLOSE,
    ],
    "cut large body": [raw("HTTP/1.1 200 OK\nContent-Length: 1000000", LONG), CLOSE],
    "cut chunks": [raw(CHUNKED, b"5\r\nhel"), CLOSE],
    "no last chunk": [raw(CHUNKED, b"5\r\nhello\r\n"), CLOSE],
    "bad chunk size": [raw(CHUNKED, b"zz\r\nhello\r\n0\r\n\r\n"), CLOSE],
    "reset body": [raw("HTTP/1.1 200 OK\nContent-Length: 10", b"hello"), 0.05, RESET],
    "not gzip": answer(b"this is not gzip", headers=[("Content-Encoding", "gzip")]),
    "not deflate": answer(b"this is not deflate", headers=[("Content-Encoding", "deflate")]),
    "no head": [CLOSE],
    "cut head": [b"HTTP/1.1 200 OK\r\nX: ", CLOSE],
    "cut status line": [b"HTTP/1.", CLOSE],
    "not http": [b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE],
    "bad status": [b"HTTP/1.1 abc OK\r\n\r\n", CLOSE],
    "reset": [RESET],
    "two lengths": [raw(PLAIN + "\nContent-Length: 6", b"hello!"), CLOSE],
}
# Raised in other words than requests' (docs/from-requests.md says which and why): the same both ways, at least.
_IN_OTHER_WORDS = {
    "two lengths",
    "cut head",
    "not http",
    "bad status",
    "cut status line",
    "cut chunks",
    "bad chunk size",
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("stream", [False, True])
def test_failures(serve: Serve, name: str, stream: bool) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        try:
            response = session.get(server.url, stream=stream)
            return [response, b"".join(response.iter_content(100))]
        except Exception as error:  # noqa: BLE001 - every one is compared
            raise failed_with(error, session)

    check(lambda: serve(FAILURES[name]), program, like_requests=name not in _IN_OTHER_WORDS)


def failed_with(error: Exception, session: Any) -> Exception:
    """The error, with the session's cookies among what is compared of it."""
    cookies = sorted(session.cookies.get_dict().items())
    made = copy.copy(error)
    made.args = (*error.args, cookies)
    return made


REDIRECTS: dict[str, dict[str, Any]] = {
    status: {"/": answer("elsewhere", int(status), [("Location", "/end")])}
    for status in ("301", "302", "303", "307", "308")
}
REDIRECTS |= {
    "relative": {"/": answer("", 302, [("Location", "end")])},
    "query alone": {"/": answer("", 302, [("Location", "?end")])},
    "empty": {"/": answer("", 302, [("Location", "")])},
    "none": {"/": answer("body", 302)},
    "fragment": {"/": answer("", 302, [("Location", "/end#there")])},
    "odd": {"/": answer("", 302, [("Location", "/a b/\xc3\xbc?x=[1]")])},
    "300": {"/": answer("choose", "300 Multiple Choices", [("Location", "/end")])},
    "304": {"/": raw("HTTP/1.1 304 Not Modified\nLocation: /end")},
    "three": {
        "/": answer("1", 302, [("Location", "/2")]),
        "/2": answer("2", 301, [("Location", "/3")]),
        "/3": answer("3", 307, [("Location", "/end")]),
    },
    "with cookies": {
        "/": answer("1", 302, [("Location", "/2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
        "/2": answer("2", 302, [("Location", "/end"), ("Set-Cookie", "a=3; Path=/end")]),
    },
    "loop": {"/": answer("", 302, [("Location", "/")])},
    "bad gzip": {
        "/": answer("not gzip", 302, [("Location", "/end"), ("Content-Encoding", "gzip")])
    },
    "cut": {"/": [raw("HTTP/1.1 302 F\nLocation: /end\nContent-Length: 9", b"cut"), CLOSE]},
    "chunked": {
        "/": raw("HTTP/1.1 302 F\nLocation: /end\nTransfer-Encoding: chunked", chunked(b"a", b"b"))
    },
    "no scheme": {"/": answer("", 302, [("Location", "//[::1")])},
    "other scheme": {"/": answer("", 302, [("Location", "ftp://host/")])},
    "mailto": {"/": answer("", 302, [("Location", "mailto:a@b")])},
}


def redirected(serve: Serve, name: str, method: str = "GET", **options: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.max_redirects = 5
        response = session.request(method, server.url, **options)
        jar = sorted((c.name, c.value, c.path) for c in session.cookies)
        return [response, jar, response.text]

    replies = {**REDIRECTS[name], "*": answer("the end")}
    check(lambda: serve(replies), program, connections=name != "cut")


@pytest.mark.parametrize("name", REDIRECTS)
def test_redirects(serve: Serve, name: str) -> None:
    redirected(serve, name)


@pytest.mark.parametrize("name", REDIRECTS)
def test_redirects_of_a_form(serve: Serve, name: str) -> None:
    redirected(serve, name, method="POST", data={"a": "b"})


@pytest.mark.parametrize("name", [name for name in REDIRECTS if name != "cut"])
def test_redirects_of_head(serve: Serve, name: str) -> None:
    replies = {
        path: reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for path, reply in {**REDIRECTS[name], "*": answer("the end")}.items()
    }

    def program(package: Any, server: Server) -> Any:
        return [package.head(server.url), package.head(server.url, allow_redirects=True)]

    check(lambda: serve(replies), program)


@pytest.mark.parametrize("name", [n for n in REDIRECTS if n not in ("cut", "bad gzip")])
def test_redirects_that_are_not_followed(serve: Serve, name: str) -> None:
    def program(package: Any, server: Server) -> Any:
        response = package.post(server.url, json=[1], allow_redirects=False)
        return [response, response.text]

    check(lambda: serve({**REDIRECTS[name], "*": answer("the end")}), program)


@pytest.mark.parametrize("name", ["302", "three", "with cookies"])
def test_streamed_redirects(serve: Serve, name: str) -> None:
    redirected(serve, name, stream=True)


def test_redirects_with_headers_and_credentials(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        other = server.url.replace("127.0.0.1", "localhost")
        options = {"headers": {"X": "1", "Cookie": "own=1"}, "auth": ("user", "pass")}
        return [
            package.get(f"{server.url}/go?/end", **options),
            package.get(f"{server.url}/go?{other}/end", **options),
        ]

    def go(request: Received) -> bytes:
        if request.target.startswith("/go?"):
            return answer("", 302, [("Location", request.target[4:])])
        return answer("the end")

    check(lambda: serve(go), program)


SET_COOKIES = [
    "a=b",
    "a=b; Path=/",
    "a=b; Path=/elsewhere",
    "a=b; HttpOnly; Secure",
    "a=b; Domain=127.0.0.1",
    "a=b; Domain=example.org",
    "a=b; Max-Age=1000",
    "a=b; Max-Age=0",
    "a=b; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
    "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
    "a=b; SameSite=Lax; Priority=High",
    'a="quoted value"',
    "a",
    "=b",
    "",
    "a=b=c; Version=1",
    "a=\xfc",
]


@pytest.mark.parametrize("value", SET_COOKIES)
@pytest.mark.parametrize("stream", [False, True])
def test_cookies_that_are_set(serve: Serve, value: str, stream: bool) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        first = session.get(server.url + "/some/path", stream=stream)
        text = first.text
        jar = sorted(str(vars(cookie)) for cookie in session.cookies)
        return [first, text, jar, session.get(server.url + "/some/other")]

    headers = [("Set-Cookie", value)] if value else [("Set-Cookie", "x=1"), ("set-cookie", "y=2")]
    # What the second request sends is not ASCII: the long way says how.
    check(lambda: serve(answer("body", 200, headers)), program, short=value.isascii())


@pytest.mark.parametrize(
    "look",
    [
        lambda headers: (headers["x-two"], headers.get("X-NONE"), "X-TWO" in headers),
        lambda headers: (headers["X-One"], list(headers), headers["x-one"], len(headers)),
        lambda headers: pickle.loads(pickle.dumps(headers))["x-two"],
        lambda headers: (copy.copy(headers), copy.deepcopy(headers), headers.copy()),
        lambda headers: headers["none"],
        lambda headers: headers[b"x-one"],
        lambda headers: headers[1],
        lambda headers: (headers["X-Odd"], headers["x-odd\udc80"]),
        lambda headers: (headers.update({"x-one": "mine"}), headers["X-ONE"], [*headers.items()]),
        lambda headers: (headers.pop("X-ONE"), "x-one" in headers),
    ],
)
def test_fields_that_nobody_has_looked_at_before(serve: Serve, look: Any) -> None:
    """They are asked for one by one, until somebody wants all."""
    fields = [("X-One", "1"), ("X-Two", "a"), ("x-two", "b"), ("X-Odd", "\xe9")]

    def program(package: Any, server: Server) -> Any:
        found = look(package.get(server.url).headers)
        return repr(found)

    check(lambda: serve(answer("body", headers=fields)), program)
