"""Which engine makes a call, that it is said why, and that urllib3 is under the deadline as well."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from loopback import STALL, BlackHole, Server, answer
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.retry import Retry

import waterclock
from waterclock import Limits, _choice
from waterclock.adapters import HTTPAdapter


def reason(adapter: HTTPAdapter | None = None, url: str = "http://h/") -> str | None:
    request = waterclock.Request("GET", "http://h/").prepare()
    request.url = url
    return _choice.reason_for_urllib3(adapter or HTTPAdapter(), request)


def words(text: str) -> str:
    """Without the ends of lines, which are where there was no more room."""
    return " ".join(text.split())


def overriding(name: str) -> HTTPAdapter:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(HTTPAdapter, name)(self, *args, **kwargs)

    return type("Mine", (HTTPAdapter,), {name: call})()  # type: ignore[no-any-return]


def test_nothing_replaced() -> None:
    assert reason() is None
    assert reason(url="HTTPS://h/") is None
    for name in ("send", "close", "add_headers", "proxy_headers"):
        assert reason(overriding(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "init_poolmanager",
        "proxy_manager_for",
        "cert_verify",
        "get_connection",
        "get_connection_with_tls_context",
        "build_connection_pool_key_attributes",
        "request_url",
        "build_response",
    ],
)
def test_hooks_that_shape_what_urllib3_is_told(
    name: str, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = overriding(name)
    assert reason(adapter) == f"Mine.{name} is overridden"

    single = HTTPAdapter()
    setattr(single, name, getattr(single, name))
    assert reason(single) == f"{name} of this adapter was replaced"

    # The call is made, the hook is called, and the timeline says who made the call.
    session = waterclock.Session()
    session.mount("http://", adapter)
    response = session.get(serve(answer(b"body")).url)
    assert response.content == b"body"
    assert f"urllib3 made this call: Mine.{name} is overridden" in words(response.explain())

    monkeypatch.setattr(HTTPAdapter, name, lambda *args, **kwargs: None)
    assert reason() == f"HTTPAdapter.{name} is overridden"
    monkeypatch.undo()
    assert reason() is None


def test_pool_managers() -> None:
    adapter = HTTPAdapter()
    adapter.poolmanager.pools.clear()
    assert reason(adapter) is None  # looked at, not changed
    adapter.poolmanager.connection_pool_kw["blocksize"] = 1
    assert reason(adapter) == "the adapter has a pool manager of its own"
    adapter = HTTPAdapter()
    adapter.init_poolmanager(1, 1, source_address=("127.0.0.1", 0))
    assert reason(adapter) == "the adapter has a pool manager of its own"
    adapter = HTTPAdapter()
    adapter.proxy_manager["http://proxy"] = urllib3.ProxyManager("http://proxy")
    assert reason(adapter) == "the adapter has proxy managers of its own"
    assert reason(HTTPAdapter(pool_connections=0)) == "its pool is to have no connections"


def test_other_schemes() -> None:
    assert reason(url="unix://h/") == "the URL is not one of http or https"


class Mine:
    """What somebody puts in the place of something else."""


REPLACED: list[tuple[Any, str, Any]] = [
    (socket, "socket", type("GuardedSocket", (socket.socket,), {"__module__": "guard"})),
    (socket, "getaddrinfo", lambda *args: None),
    (socket, "create_connection", lambda *args: None),
    (socket.socket, "connect", lambda *args: None),
    (ssl, "SSLContext", type("SSLContext", (ssl.SSLContext,), {"__module__": "truststore"})),
    (http.client.HTTPConnection, "putrequest", lambda *args: None),
    (http.client.HTTPConnection, "getresponse", lambda *args: None),
    (http.client.HTTPConnection, "endheaders", lambda *args: None),
    (HTTPConnectionPool, "urlopen", lambda *args: None),
    (HTTPConnectionPool, "_make_request", lambda *args: None),
    (HTTPConnectionPool, "ConnectionCls", Mine),
    (urllib3.connectionpool.HTTPSConnectionPool, "ConnectionCls", Mine),
    (urllib3.util.connection, "create_connection", lambda *args: None),
    (urllib3.util.connection, "allowed_gai_family", lambda: socket.AF_INET),
    (urllib3.util.ssl_, "SSLContext", Mine),
]


@pytest.mark.parametrize(("owner", "name", "value"), REPLACED, ids=lambda v: str(v)[-30:])
def test_what_recorders_mocks_and_guards_replace(
    owner: Any, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason() is None
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, value)
        found = reason()
        assert found is not None
        assert f".{name} was replaced by " in found
    assert reason() is None


def test_a_wrapper_that_calls_itself_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    import functools

    original = HTTPConnectionPool.urlopen

    @functools.wraps(original)
    def urlopen(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[1:])
        return original(*args, **kwargs)

    calls: list[Any] = []
    monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)
    assert reason() == (
        "urllib3.connectionpool.HTTPConnectionPool.urlopen was replaced by urllib3.connectionpool"
    )


def test_a_replaced_class_of_connections_sees_the_calls(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Recording(urllib3.connection.HTTPConnection):
        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            seen.append((method, url))
            super().request(method, url, *args, **kwargs)

    monkeypatch.setattr(HTTPConnectionPool, "ConnectionCls", Recording)
    response = waterclock.get(serve(answer(b"")).url + "/x")
    assert seen == [("GET", "/x")]
    said = words(response.explain())
    assert "HTTPConnectionPool.ConnectionCls was replaced by test_adapters_engines" in said


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_https_proxy_is_trusted_as_verify_says(
    tls_serve: Callable[..., Server], ca_file: str
) -> None:
    """requests does not look at the proxy's certificate for an http URL."""
    proxy = tls_serve(answer(b"forwarded"))
    get = functools.partial(waterclock.get, "http://h.invalid/", proxies={"http": proxy.url})
    assert get(verify=ca_file).content == b"forwarded"
    assert get(verify=False).content == b"forwarded"
    with pytest.raises(waterclock.exceptions.SSLError):
        get()


def test_the_timeouts_class_may_be_replaced(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known way to give requests a default timeout."""

    class Default(waterclock.adapters.TimeoutSauce):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if kwargs["read"] is None:
                kwargs["read"] = 0.1
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(waterclock.adapters, "TimeoutSauce", Default)
    with pytest.raises(waterclock.ReadTimeout, match=r"read timeout=0\.1"):
        waterclock.Session().get(serve([STALL]).url)


class OnUrllib3(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)


def session(**options: Any) -> waterclock.Session:
    made = waterclock.Session()
    made.mount("http://", OnUrllib3(**options))
    return made


HEAD = b"HTTP/1.1 200 OK\r\n"
LATE = 4


def dribbled(head: bytes) -> list[Any]:
    return [head, *[b"a", 0.05] * 100]


@pytest.mark.parametrize(
    ("script", "kind", "phase"),
    [
        ([STALL], waterclock.ReadTimeout, "head"),
        (dribbled(HEAD + b"X: "), waterclock.ReadTimeout, "head"),
        (dribbled(HEAD + b"Content-Length: 1000\r\n\r\n"), waterclock.ReadTimeout, "body"),
        (dribbled(HEAD + b"\r\n"), waterclock.ReadTimeout, "body"),
        (
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n", 0.05] * 100],
            waterclock.ReadTimeout,
            "body",
        ),
    ],
)
@pytest.mark.parametrize("way", ["limits", "deadline"])
def test_urllib3_under_a_deadline(
    serve: Callable[..., Server], script: Any, kind: Any, phase: str, way: str
) -> None:
    url = serve(script).url
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        if way == "limits":
            session().get(url, timeout=Limits(total=0.5))
        else:
            with waterclock.deadline(0.5):
                session().get(url, timeout=20)
    assert 0.48 <= time.monotonic() - started < LATE
    assert (caught.value.limit, caught.value.phase) == ("total", phase)
    assert caught.value.request_sent == "yes"
    if phase == "body":
        assert isinstance(caught.value, waterclock.ConnectionError)


@pytest.mark.parametrize("timeout", [float("inf"), (1e11, None)])
def test_more_time_than_a_socket_can_hold(serve: Callable[..., Server], timeout: Any) -> None:
    assert session().get(serve(answer(b"x")).url, timeout=timeout).content == b"x"


def test_urllib3_and_no_connection(black_hole: BlackHole) -> None:
    with pytest.raises(waterclock.ConnectTimeout) as caught:
        session().get(black_hole.url, timeout=Limits(total=0.2))
    assert (caught.value.limit, caught.value.request_sent) == ("total", "no")


def test_a_streamed_body_on_urllib3_has_the_deadline_too(serve: Callable[..., Server]) -> None:
    url = serve(dribbled(HEAD + b"Content-Length: 1000\r\n\r\n")).url
    response = session().get(url, timeout=Limits(total=0.5), stream=True)
    with pytest.raises(waterclock.exceptions.BodyTimeout) as caught:
        list(response.iter_content(1))
    assert caught.value.timeline is not None
    response = session().get(url, timeout=Limits(total=0.5), stream=True)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        response.raw.read()


def test_a_deadline_that_is_over_sends_nothing(serve: Callable[..., Server]) -> None:
    server = serve(answer(b""))
    with waterclock.deadline(0.0), pytest.raises(waterclock.Timeout) as caught:
        session().get(server.url)
    assert caught.value.request_sent == "no"
    assert server.requests == []


def test_a_connection_that_was_given_back_outlives_the_deadline(
    serve: Callable[..., Server],
) -> None:
    server = serve(answer(b"x"))
    used = session()
    for _ in range(3):
        assert used.get(server.url, timeout=Limits(total=1)).content == b"x"
    time.sleep(1.1)
    assert used.get(server.url).content == b"x"
    assert server.connections == 1


@pytest.mark.parametrize(
    ("retry", "headers"),
    [(Retry(3, backoff_factor=5, status_forcelist=[503]), []), (3, [("Retry-After", "60")])],
)
def test_a_pause_of_urllib3_that_would_not_end_in_time(
    serve: Callable[..., Server], retry: Any, headers: Any
) -> None:
    server = serve(answer(b"", 503, headers=headers))
    started = time.monotonic()
    with pytest.raises(waterclock.exceptions.BackoffTimeout) as caught:
        session(max_retries=retry).get(server.url, timeout=Limits(total=LATE))
    assert time.monotonic() - started < LATE
    assert isinstance(caught.value, waterclock.exceptions.RetryError)
    assert isinstance(caught.value, waterclock.Timeout)


def test_waiting_for_a_connection_of_urllib3(serve: Callable[..., Server]) -> None:
    server = serve(dribbled(HEAD + b"Content-Length: 1000\r\n\r\n"))
    used = session(pool_maxsize=1, pool_block=True)
    with used.get(server.url, stream=True):
        with pytest.raises(waterclock.exceptions.PoolTimeout) as caught:
            used.get(server.url, timeout=Limits(total=0.1))
        assert isinstance(caught.value, waterclock.ConnectionError)


def test_a_limit_that_urllib3_cannot_keep_is_an_error(serve: Callable[..., Server]) -> None:
    server = serve(answer(b""))
    with pytest.raises(ValueError, match="limits first_byte cannot be kept here"):
        session().get(server.url, timeout=Limits(total=1, first_byte=0.5))
    assert server.requests == []
