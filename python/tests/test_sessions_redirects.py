"""Redirects: the same hops, methods, bodies, credentials and histories as with requests."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from loopback import Received, Server, answer

import waterclock

STATUSES = [301, 302, 303, 307, 308]
Way = Callable[..., None]


def to(location: str, status: int = 302, body: bytes = b"moved", **more: str) -> bytes:
    headers = [("Location", location), *((n.replace("_", "-"), v) for n, v in more.items())]
    return answer(body, status, headers)


def told(response: Any) -> Any:
    """What a program sees of a response and its history."""
    return [
        (one.status_code, one.url, one.content, one.request.method, sorted(one.cookies.items()))
        for one in (*response.history, response)
    ]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE"])
def test_methods_and_bodies(same: Way, status: int, method: str) -> None:
    def program(package: Any, server: Server) -> Any:
        with package.Session() as session:
            kwargs = {} if method in ("GET", "HEAD") else {"data": {"a": "b"}}
            response = session.request(method, server.url + "/from", **kwargs)
            return [(r.status_code, r.url, r.request.method) for r in (*response.history, response)]

    def head_or(reply: bytes) -> Any:
        return lambda request: (
            reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else reply
        )

    same({"/from": head_or(to("/to", status)), "/to": head_or(answer(b"here"))}, program)


LOCATIONS = [
    "/to",
    "to",
    "../to",
    "?query",
    "#fragment",
    "/to#own",
    "//{authority}/to",
    "http://{authority}/to",
    "HTTP://{authority}/to",
    "/sp ace",
    "/ä",
    "/한국".encode().decode("latin-1"),
    "/%7euser/%zz",
    "/a;b?c#d",
    "",
    "/to?a=b&c=[d]",
    "http:///nowhere",
    "mailto:a@b",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_targets(same: Way, location: str) -> None:
    def redirect(request: Received) -> bytes:
        if request.target == "/a/from?q":
            where = location.format(authority=request.header("host"))
            return (
                b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"
                % where.encode("latin-1")
            )
        return answer(request.target)

    def program(package: Any, server: Server) -> Any:
        return told(package.Session().get(server.url + "/a/from?q#kept"))

    same({"*": redirect}, program)


def test_a_chain_of_redirects(same: Way) -> None:
    replies = {"/1": to("/2"), "/2": to("/3", 301), "/3": to("/4", 307), "/4": answer(b"end")}

    def program(package: Any, server: Server) -> Any:
        response = package.Session().get(server.url + "/1")
        lengths = [len(one.history) for one in response.history]
        return told(response), lengths, response.is_redirect, response.ok

    same(replies, program)


def test_too_many_redirects(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.max_redirects = 3
        with pytest.raises(package.exceptions.TooManyRedirects) as caught:
            session.get(server.url + "/")
        error = caught.value
        return (
            str(error),
            error.request.url,
            error.response.status_code,
            len(error.response.history),
        )

    same({"/": to("/")}, program)


@pytest.mark.parametrize("stream", [False, True])
def test_redirects_that_are_not_followed(same: Way, stream: bool) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        response = session.post(server.url + "/", data=b"x", allow_redirects=False, stream=stream)
        following = response.next
        final = session.send(following)
        return (
            told(response), response.is_redirect, response.is_permanent_redirect,
            (following.method, following.url, following.body), told(final),
        )  # fmt: skip

    same({"/": to("/to", 303), "/to": answer(b"here")}, program)


def test_cookies_of_every_hop(same: Way) -> None:
    replies = {
        "/1": to("/2", Set_Cookie="first=1"),
        "/2": to("/3", Set_Cookie="second=2; Path=/3"),
        "/3": answer(b"", headers=[("Set-Cookie", "third=3"), ("Set-Cookie", "first=; Max-Age=0")]),
    }

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.cookies.set("session", "s")
        response = session.get(server.url + "/1", cookies={"mine": "m"})
        return told(response), sorted(session.cookies.items())

    same(replies, program)


def test_a_cookie_header_of_the_caller_does_not_travel(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        return told(package.Session().get(server.url + "/1", headers={"Cookie": "a=b"}))

    same({"/1": to("/2"), "/2": answer(b"")}, program)


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("body", ["bytes", "file", "generator", "unseekable", "read already"])
def test_bodies_that_are_sent_again(same: Way, status: int, body: str) -> None:
    class Unseekable(io.BytesIO):
        def tell(self) -> int:
            raise OSError("no")

    def program(package: Any, server: Server) -> Any:
        file = io.BytesIO(b"0123456789")
        if body == "read already":
            file.seek(5)
        data: Any = {
            "bytes": b"bytes",
            "file": file,
            "read already": file,
            "generator": (piece for piece in [b"a", b"b"]),
            "unseekable": Unseekable(b"abc"),
        }[body]
        return told(package.Session().post(server.url + "/from", data=data))

    same({"/from": to("/to", status), "/to": answer(b"here")}, program)


def two_origins(serve: Callable[..., Server], package: Any, **kwargs: Any) -> Received:
    """The request that arrives at another port after a redirect there."""
    second = serve(answer(b""))
    first = serve(to(second.url + "/there"))
    session = package.Session()
    session.get(first.url, **kwargs)
    return second.requests[0]


def test_credentials_stay_with_their_origin(serve: Any, clean_home: Any) -> None:
    request = two_origins(
        serve,
        waterclock,
        auth=("user", "secret"),
        headers={"Cookie": "a=b", "Proxy-Authorization": "Basic eDp5", "X-Kept": "1"},
    )
    assert request.header("authorization") is None
    assert request.header("cookie") is None
    assert request.header("proxy-authorization") is None
    assert request.header("x-kept") == "1"


def test_netrc_of_the_next_origin(serve: Any, clean_home: Any) -> None:
    (clean_home / ".netrc").write_text("machine 127.0.0.1 login net password rc\n")
    (clean_home / ".netrc").chmod(0o600)
    assert two_origins(serve, waterclock).header("authorization") == "Basic bmV0OnJj"


AUTH_CASES = [
    ("http://example.com/foo", "http://another.example.com/"),
    ("http://example.com/foo", "http://example.com/bar"),
    ("http://example.com:1234/foo", "https://example.com:4321/bar"),
    ("http://example.com/foo", "https://example.com/bar"),
    ("https://example.com/foo", "http://example.com/bar"),
    ("http://example.com:80/foo", "https://example.com/bar"),
    ("http://example.com:80/foo", "https://example.com:443/bar"),
    ("http://example.com/foo", "https://example.com:443/bar"),
    ("http://example.com:81/foo", "https://example.com/bar"),
    ("http://example.com/foo", "https://example.com:444/bar"),
    ("https://example.com:443/foo", "https://example.com/bar"),
    ("https://example.com/foo", "https://example.com:444/bar"),
    ("ftp://example.com/foo", "ftp://example.com:21/bar"),
    ("ftp://example.com/foo", "ftp://EXAMPLE.com/bar"),
    ("http://u:p@example.com/foo", "http://example.com/bar"),
]


@pytest.mark.parametrize(("old", "new"), AUTH_CASES)
def test_which_urls_share_credentials(old: str, new: str) -> None:
    requests = pytest.importorskip("requests")
    for before, after in [(old, new), (new, old)]:
        ours = waterclock.Session().should_strip_auth(before, after)
        assert ours == requests.Session().should_strip_auth(before, after)


def test_overridden_steps_are_called(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        calls = []

        class Mine(package.Session):  # type: ignore[misc, name-defined]
            def get_redirect_target(self, resp: Any) -> Any:
                calls.append("target")
                return super().get_redirect_target(resp)

            def rebuild_method(self, prepared_request: Any, response: Any) -> None:
                calls.append("method")
                super().rebuild_method(prepared_request, response)

            def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
                calls.append("auth")
                prepared_request.headers["X-Auth"] = "rebuilt"

            def rebuild_proxies(self, prepared_request: Any, proxies: Any) -> Any:
                calls.append("proxies")
                return super().rebuild_proxies(prepared_request, proxies)

            def send(self, request: Any, **kwargs: Any) -> Any:
                calls.append(("send", sorted(kwargs)))
                return super().send(request, **kwargs)

        return told(Mine().get(server.url + "/1")), calls

    same({"/1": to("/2"), "/2": answer(b"")}, program)


def test_hooks_see_every_hop(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        seen = []

        def hook(response: Any, **kwargs: Any) -> None:
            seen.append((response.status_code, response.url, kwargs))

        response = package.Session().get(server.url + "/1", hooks={"response": hook}, timeout=9)
        return told(response), [(s, u, sorted(k.items(), key=str)) for s, u, k in seen]

    same({"/1": to("/2"), "/2": answer(b"")}, program)


def test_a_hook_can_put_another_response_in_its_place(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        def hook(response: Any, **kwargs: Any) -> Any:
            if response.url.endswith("/1"):
                again = response.connection.send(
                    package.Request("GET", server.url + "/2").prepare()
                )
                again.history.append(response)
                return again
            return None

        return told(package.Session().get(server.url + "/1", hooks={"response": hook}))

    same({"/1": answer(b"one"), "/2": answer(b"two", headers=[("Set-Cookie", "a=b")])}, program)


def test_one_timeline_over_all_hops(serve: Any) -> None:
    server = serve({"/1": to("/2"), "/2": to("/3"), "/3": answer(b"end")})
    response = waterclock.Session().get(server.url + "/1", timeout=waterclock.Limits(total=10))
    timeline = response.timeline
    assert timeline is not None
    assert [hop["status"] for hop in timeline.to_dict()["hops"]] == [302, 302, 200]


def test_what_describes_a_body_goes_with_it(serve: Any) -> None:
    server = serve({"/1": to("/2", 303), "/2": answer(b"")})
    headers = {
        "Content-Encoding": "gzip",
        "Content-Language": "de",
        "Content-Type": "x/y",
        "X": "y",
    }
    waterclock.post(server.url + "/1", data=b"x", headers=headers)
    assert {n.lower() for n, _ in server.requests[1].headers}.isdisjoint(
        {
            "content-encoding",
            "content-language",
            "content-type",
            "content-length",
            "transfer-encoding",
        }
    )
    assert server.requests[1].header("x") == "y"
