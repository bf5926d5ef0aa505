"""Authentication, compared with that of requests, and over the wire."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from loopback import Received, Server, answer

import waterclock
from waterclock import auth

requests = pytest.importorskip("requests")
theirs = requests.auth


@pytest.mark.parametrize(
    "account",
    [("user", "pass"), (b"user", b"p\xc3\xa4"), ("ü", "ß"), ("", ""), ("a:b", "c:d"), ("u", b"p")],
)
def test_basic(account: tuple[Any, Any]) -> None:
    assert auth._basic_auth_str(*account) == theirs._basic_auth_str(*account)
    for kind in ("HTTPBasicAuth", "HTTPProxyAuth"):
        request = waterclock.Request("GET", "http://h/").prepare()
        reference = requests.Request("GET", "http://h/").prepare()
        assert getattr(auth, kind)(*account)(request) is request
        getattr(theirs, kind)(*account)(reference)
        assert list(request.headers.items()) == list(reference.headers.items())


@pytest.mark.parametrize("account", [(1, "p"), ("u", 2.5), (None, None)])
def test_basic_with_what_is_no_text(account: tuple[Any, Any]) -> None:
    with pytest.warns(DeprecationWarning) as ours:
        value = auth._basic_auth_str(*account)
    with pytest.warns(DeprecationWarning) as reference:
        assert theirs._basic_auth_str(*account) == value
    assert [str(one.message) for one in ours] == [str(one.message) for one in reference]


def test_basic_refuses_what_latin_1_has_not() -> None:
    for module in (auth, theirs):
        with pytest.raises(UnicodeEncodeError):
            module._basic_auth_str("한", "p")


@pytest.mark.parametrize("kind", ["HTTPBasicAuth", "HTTPProxyAuth", "HTTPDigestAuth"])
def test_equality(kind: str) -> None:
    make = getattr(auth, kind)
    assert make("u", "p") == make("u", "p")
    assert make("u", "p") != make("u", "q")
    assert make("u", "p") != ("u", "p")
    assert make("u", "p") == auth.HTTPBasicAuth("u", "p")


def test_base() -> None:
    with pytest.raises(NotImplementedError, match=r"Auth hooks must be callable\."):
        auth.AuthBase()(waterclock.PreparedRequest())


ALGORITHMS = [None, "MD5", "md5", "MD5-sess", "SHA", "SHA-256", "sha-512", "SHA-512-256", "x"]
QOPS = [None, "", "auth", "auth,auth-int", "auth-int", "auth-int,auth", "auth, auth-int"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("qop", QOPS)
@pytest.mark.parametrize("opaque", [None, "o"])
def test_digest_fields(
    algorithm: str | None, qop: str | None, opaque: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.urandom", lambda count: b"r" * count)
    monkeypatch.setattr("time.ctime", lambda: "now")
    challenge = {"realm": "r", "nonce": "n", "algorithm": algorithm, "qop": qop, "opaque": opaque}
    pair = [module.HTTPDigestAuth("user", "pä") for module in (auth, theirs)]
    for one in pair:
        one.init_per_thread_state()
        one._thread_local.chal = {k: v for k, v in challenge.items() if v is not None}
    for url in ("http://h/a;b?c=d#e", "http://h", "http://h/a;b?c=d"):
        ours, reference = (one.build_digest_header("GET", url) for one in pair)
        assert ours == reference
        assert vars(pair[0]._thread_local) == vars(pair[1]._thread_local)
    if ours is not None and qop:
        assert "nc=00000003" in ours


def test_digest_state_is_of_one_thread() -> None:
    digest = auth.HTTPDigestAuth("u", "p")
    digest.init_per_thread_state()
    digest._thread_local.last_nonce = "n"
    digest.init_per_thread_state()
    assert digest._thread_local.last_nonce == "n"
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(hasattr(digest._thread_local, "init")))
    thread.start()
    thread.join()
    assert seen == [False]


CHALLENGE = 'Digest realm="r, s", nonce="abc", qop="auth", opaque="o"'


def guarded(request: Received) -> bytes:
    """Ask for digest authentication, and set a cookie with the question."""
    if "Authorization" in dict(request.headers):
        return answer("welcome")
    fields = [("WWW-Authenticate", CHALLENGE), ("Set-Cookie", "asked=yes; Path=/")]
    return answer("who?", 401, fields)


def fields_of(request: Received) -> dict[str, str]:
    value = request.header("Authorization")
    assert value is not None
    return {k: v or "" for k, v in waterclock.utils.parse_dict_header(value[7:]).items()}


@pytest.mark.parametrize("stream", [False, True])
def test_digest_over_the_wire(serve: Callable[..., Server], stream: bool) -> None:
    server = serve(guarded)
    digest = auth.HTTPDigestAuth("user", "secret")
    with waterclock.Session() as session:
        reply = session.get(server.url + "/p?q", auth=digest, stream=stream)
        assert (reply.status_code, reply.text) == (200, "welcome")
        assert [one.status_code for one in reply.history] == [401]
        assert str(reply.request.headers["Authorization"]).startswith("Digest username=")
        first, second = server.requests
        assert first.header("Authorization") is None
        assert second.header("Cookie") == "asked=yes"
        assert fields_of(second)["realm"] == "r, s"
        assert fields_of(second)["uri"] == "/p?q"
        # NTLM and the like need it, and digest saves a connection: the answer goes the same way.
        assert second.connection == first.connection

        # Known by now: answered before it is asked, with the next count.
        again = session.get(server.url + "/p?q", auth=digest)
        assert (again.status_code, again.history) == (200, [])
        assert fields_of(server.requests[2])["nc"] == "00000002"


def test_digest_makes_one_call_of_both_hops(serve: Callable[..., Server]) -> None:
    server = serve(guarded)
    reply = waterclock.get(server.url, auth=auth.HTTPDigestAuth("u", "p"), timeout=5)
    assert reply.timeline is not None
    hops = reply.timeline.to_dict()["hops"]
    assert [(hop["status"], hop["reason"]) for hop in hops] == [(401, "first"), (200, "auth")]


def test_digest_gives_up(serve: Callable[..., Server]) -> None:
    server = serve(answer("no", 401, [("WWW-Authenticate", CHALLENGE)]))
    reply = waterclock.get(server.url, auth=auth.HTTPDigestAuth("u", "wrong"))
    assert reply.status_code == 401
    assert [one.status_code for one in reply.history] == [401]
    assert len(server.requests) == 2


@pytest.mark.parametrize("challenge", ['Basic realm="x"', None])
def test_digest_leaves_other_refusals_alone(
    serve: Callable[..., Server], challenge: str | None
) -> None:
    fields = [("WWW-Authenticate", challenge)] if challenge else []
    server = serve(answer("no", 401, fields))
    reply = waterclock.get(server.url, auth=auth.HTTPDigestAuth("u", "p"))
    assert (reply.status_code, reply.history, len(server.requests)) == (401, [], 1)


def test_digest_sends_a_file_again(serve: Callable[..., Server]) -> None:
    server = serve(guarded)
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    reply = waterclock.post(server.url, data=file, auth=auth.HTTPDigestAuth("u", "p"))
    assert reply.status_code == 200
    assert [request.body for request in server.requests] == [b"sent", b"sent"]


def test_digest_by_a_redirect(serve: Callable[..., Server]) -> None:
    server = serve({"/": guarded, "/from": answer("", 302, [("Location", "/to")]), "/to": guarded})
    digest = auth.HTTPDigestAuth("u", "p")
    reply = waterclock.get(server.url + "/from", auth=digest)
    assert (reply.status_code, reply.text) == (200, "welcome")
    reference = requests.get(server.url + "/from", auth=theirs.HTTPDigestAuth("u", "p"))
    assert [one.status_code for one in reply.history] == [
        one.status_code for one in reference.history
    ]


def test_basic_over_the_wire(serve: Callable[..., Server]) -> None:
    server = serve(answer("ok"))
    waterclock.get(server.url, auth=("user", "pass"))
    expected = "Basic " + base64.b64encode(b"user:pass").decode()
    assert server.requests[0].header("Authorization") == expected
