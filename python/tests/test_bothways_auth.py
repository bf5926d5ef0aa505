"""Credentials: the same the short way, the long way, and from requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from loopback import Received, Server, answer
from threeways import check

Serve = Callable[..., Server]


def echo(request: Received) -> bytes:
    return answer(request.header("Authorization") or "none")


PAIRS = [("user", "pass"), ("", ""), ("ü", "ö"), ("a:b", "c:d"), ("user", " "), ("x" * 99, "y")]


@pytest.mark.parametrize("auth", PAIRS, ids=repr)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_user_and_password(serve: Serve, auth: Any, method: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        body = {"data": {"a": "b"}} if method == "POST" else {}
        first = session.request(method, server.url, auth=auth, **body)
        session.auth = auth
        second = session.request(method, server.url + "/two", params={"a": "b"}, **body)
        third = session.get(server.url + "/three", auth=("other", "one"))
        return [first, second, third, session.get(server.url, headers={"X": "1"})]

    check(lambda: serve(echo), program)


@pytest.mark.parametrize(
    "auth",
    [
        (b"user", b"pass"),
        ["user", "pass"],
        ("user",),
        (),
        ("user", "\u20ac"),
        ("user", None),
        ("user", 5),
        "user:pass",
        lambda request: request,
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Non-string")
def test_what_is_not_two_texts(serve: Serve, auth: Any) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(server.url, auth=auth)

    check(lambda: serve(echo), program, short=False)


def test_classes(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.auth = package.auth.HTTPBasicAuth("user", "pass")
        first = session.get(server.url)
        return [first, session.get(server.url, auth=package.auth.HTTPProxyAuth("a", "b"))]

    check(lambda: serve(echo), program, short=False)


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_header_that_is_there_already(serve: Serve, name: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        first = session.get(server.url, auth=("u", "p"), headers={name: "Bearer x", "Y": "z"})
        session.headers[name] = "Bearer y"
        return [first, session.get(server.url, auth=("u", "p")), session.get(server.url)]

    check(lambda: serve(echo), program, short=False)


def test_credentials_and_netrc(serve: Serve, clean_home: Any) -> None:
    (clean_home / ".netrc").write_text("default login who password what\n")

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        return [session.get(server.url, auth=("u", "p")), session.get(server.url)]

    check(lambda: serve(echo), program, short=False)


def test_credentials_are_for_one_origin(serve: Serve) -> None:
    def go(request: Received) -> bytes:
        if request.target.startswith("/go?"):
            return answer("", 302, [("Location", request.target[4:])])
        return echo(request)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.auth = ("user", "pass")
        other = server.url.replace("127.0.0.1", "localhost")
        return [session.get(f"{server.url}/go?/end"), session.get(f"{server.url}/go?{other}/end")]

    check(lambda: serve(go), program)


def test_digest(serve: Serve) -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')

    def challenging(request: Received) -> bytes:
        if request.header("Authorization"):
            return answer("in")
        return answer("who?", 401, [challenge])

    def program(package: Any, server: Server) -> Any:
        response = package.get(server.url, auth=package.auth.HTTPDigestAuth("user", "pass"))
        return [response.status_code, response.text, [one.status_code for one in response.history]]

    def without_nonce(request: Received) -> bytes:
        reply = challenging(request)
        # It is made at random.
        request.head = request.head.partition(b"Authorization: Digest")[0]
        return reply

    check(lambda: serve(without_nonce), program, short=False)


def test_a_refusal_is_a_response(serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(server.url, auth=("user", "wrong"))

    check(lambda: serve(answer("no", 401, [("WWW-Authenticate", 'Basic realm="r"')])), program)
