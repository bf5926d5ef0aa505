"""`waterclock.patch_requests()`: requests' own classes above, waterclock's engine below."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import CLOSE, STALL, BlackHole, Server, answer
from programs import check

import waterclock

requests = pytest.importorskip("requests")


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    waterclock.patch_requests()
    yield
    waterclock.unpatch_requests()


def native(response: Any) -> bool:
    return "_reply" in response.__dict__


def test_responses_are_requests_own(serve: Callable[..., Server]) -> None:
    server = serve(answer("hello", headers=[("Content-Type", "text/plain"), ("X-A", "1")]))
    response = requests.get(server.url + "/a?b=c", headers={"X-B": "2"}, timeout=5)
    assert type(response) is requests.Response and native(response)
    assert (response.status_code, response.text, response.reason) == (200, "hello", "OK")
    assert type(response.headers) is requests.structures.CaseInsensitiveDict
    assert response.headers["x-a"] == "1"
    assert type(response.request) is requests.PreparedRequest
    assert response.url == server.url + "/a?b=c"
    assert server.requests[0].header("x-b") == "2"
    assert server.requests[0].header("user-agent") == requests.utils.default_user_agent()


def test_a_response_knows_where_the_time_went(serve: Callable[..., Server]) -> None:
    response = requests.get(serve(answer("x")).url)
    assert response.timeline is not None
    assert "waiting" in response.explain()
    assert requests.Response().timeline is None
    assert requests.Response().explain().startswith("There is no timeline")
    copy = pickle.loads(pickle.dumps(response))
    assert copy.content == b"x" and copy.timeline is None


def test_what_it_sends_is_what_requests_sends(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    server = serve(answer())

    def calls() -> None:
        with requests.Session() as session:
            session.post(server.url, data={"a": "1"})
            session.post(server.url, json={"a": 1}, headers={"X-Case": "Kept"})
            session.put(server.url, data=iter([b"a", b"bc"]))
            session.delete(server.url)
            session.get(server.url, auth=("user", "pass"), cookies={"c": "d"})
            with file.open("rb") as body:
                session.post(server.url, data=body)
            session.request("PROPFIND", server.url, data=b"\xff")

    calls()
    waterclock.unpatch_requests()
    calls()
    ours, theirs = server.requests[:7], server.requests[7:]
    assert len(theirs) == 7
    for one, other in zip(ours, theirs, strict=True):
        assert (one.method, one.target, one.body) == (other.method, other.target, other.body)
        assert sorted(one.headers) == sorted(other.headers)


def test_connections_are_kept(serve: Callable[..., Server]) -> None:
    server = serve(answer("x"))
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(server.url).content == b"x"
    assert server.connections == 1
    assert requests.get(server.url).content == b"x"
    assert server.connections == 2


def test_cookies_redirects_and_hooks_are_requests(serve: Callable[..., Server]) -> None:
    server = serve(
        {
            "/a": answer("gone", 302, [("Location", "/b"), ("Set-Cookie", "k=v; Path=/")]),
            "/b": answer("there"),
        }
    )
    seen = []
    with requests.Session() as session:
        hooks = {"response": lambda response, **_: seen.append(response.status_code)}
        response = session.get(server.url + "/a", hooks=hooks)
        assert response.text == "there" and [r.status_code for r in response.history] == [302]
        assert session.cookies["k"] == "v" and response.history[0].cookies["k"] == "v"
    assert server.requests[1].header("cookie") == "k=v"
    assert seen == [302, 200]
    assert all(native(r) for r in [response, *response.history])
    assert server.connections == 1


def test_coded_and_streamed_bodies(serve: Callable[..., Server]) -> None:
    import gzip

    plain = b"waterclock " * 5000
    coded = gzip.compress(plain)
    server = serve(
        answer(coded, headers=[("Content-Encoding", "gzip")]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        answer(coded, headers=[("Content-Encoding", "gzip")]),
    )
    with requests.Session() as session:
        assert session.get(server.url).content == plain
        with session.get(server.url, stream=True) as response:
            assert list(response.iter_content(None)) == [b"abc", b"de"]
        with session.get(server.url, stream=True) as response:
            assert response.raw.read() == coded
    assert server.connections == 1


def test_a_session_that_was_there_before(serve: Callable[..., Server]) -> None:
    waterclock.unpatch_requests()
    session = requests.Session()
    server = serve(answer("x"))
    assert not native(session.get(server.url))
    waterclock.patch_requests()
    assert native(session.get(server.url))
    waterclock.unpatch_requests()
    assert not native(session.get(server.url))
    session.close()


def test_a_deadline_covers_everything(serve: Callable[..., Server]) -> None:
    dribble = [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b"x", 0.05] * 99]
    server = serve(dribble)
    started = time.monotonic()
    with pytest.raises(requests.RequestException), waterclock.deadline(0.4):
        requests.get(server.url, timeout=2)
    assert 0.4 <= time.monotonic() - started < 4


def test_limits_are_taken_where_timeout_is(serve: Callable[..., Server]) -> None:
    server = serve([STALL])
    with pytest.raises(requests.ReadTimeout) as caught:
        requests.get(server.url, timeout=waterclock.Limits(first_byte=0.1))
    error: Any = caught.value
    assert (error.limit, error.phase, error.request_sent) == ("first_byte", "first_byte", "yes")


def test_exceptions_are_of_both(serve: Callable[..., Server], black_hole: BlackHole) -> None:
    server = serve([STALL])
    with pytest.raises(requests.exceptions.ReadTimeout) as caught:
        requests.get(server.url, timeout=(5, 0.1))
    error: Any = caught.value
    assert isinstance(error, waterclock.ReadTimeout) and isinstance(error, requests.Timeout)
    assert not isinstance(error, requests.ConnectionError)
    assert type(error).__name__ == "ReadTimeout" and type(error).__module__ == "requests.exceptions"
    assert type(error.request) is requests.PreparedRequest and error.response is None
    assert "Read timed out. (read timeout=0.1)" in str(error)
    assert error.timeline is not None and error.phase == "first_byte" and error.explain()
    again = pickle.loads(pickle.dumps(error))
    # urllib3 does not pickle pools, and so not the beginning of the text.
    assert type(again) is type(error) and str(again).endswith("Read timed out. (read timeout=0.1)")
    assert (again.phase, again.limit) == (error.phase, error.limit)

    with pytest.raises(requests.exceptions.ConnectTimeout) as connect:
        requests.get(black_hole.url, timeout=0.1)
    assert isinstance(connect.value, (waterclock.ConnectTimeout))
    assert "timed out. (connect timeout=0.1)" in str(connect.value)


def test_a_class_that_is_only_ours_is_all_that_it_was(tls_serve: Callable[..., Server]) -> None:
    # The server never answers the handshake: a TLS client of a server that speaks none.
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(requests.exceptions.ReadTimeout) as caught:
        requests.get(url, timeout=0.3)
    listener.close()
    error: Any = caught.value
    assert isinstance(error, requests.exceptions.ConnectTimeout) and error.phase == "tls"
    assert type(error).__module__ == "waterclock.exceptions"


def test_a_broken_body_is_requests_error(serve: Callable[..., Server]) -> None:
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CLOSE])
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(server.url)
    stalled = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", STALL])
    with pytest.raises(requests.exceptions.ConnectionError, match="Read timed out"):
        requests.get(stalled.url, timeout=(5, 0.3))


def test_wrong_timeouts_are_value_errors(serve: Callable[..., Server]) -> None:
    with pytest.raises(ValueError, match="Invalid timeout") as caught:
        requests.get(serve(answer()).url, timeout=(1, 2, 3))
    assert type(caught.value) is ValueError


def test_verification_is_as_told(tls_serve: Callable[..., Server], ca_file: str) -> None:
    server = tls_serve(answer("secret"))
    assert requests.get(server.url, verify=ca_file).text == "secret"
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED|certificate"):
        requests.get(server.url)
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert requests.get(server.url, verify=False).text == "secret"
    with pytest.raises(OSError, match="Could not find a suitable TLS CA certificate bundle"):
        requests.get(server.url, verify="/nowhere/ca.pem")


def test_retries_are_those_of_the_adapter(serve: Callable[..., Server]) -> None:
    from urllib3.util import Retry

    server = serve(answer(status=503), answer(status=503), answer("x"))
    with requests.Session() as session:
        retries = Retry(total=3, status_forcelist=[503], backoff_factor=0)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        response = session.get(server.url)
    assert response.text == "x" and native(response) and len(server.requests) == 3


def test_overridden_send_and_headers_are_called(serve: Callable[..., Server]) -> None:
    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs["timeout"] = kwargs.get("timeout") or 0.1
            return super().send(request, *args, **kwargs)

        def add_headers(self, request: Any, **kwargs: Any) -> None:
            request.headers["X-Added"] = str(kwargs["timeout"])

        def build_response(self, req: Any, resp: Any) -> Any:
            response = super().build_response(req, resp)
            response.built = True
            return response

    server = serve(answer("x"), [STALL])
    with requests.Session() as session:
        session.mount("http://", Adapter())
        response = session.get(server.url)
        assert native(response) and response.built
        assert server.requests[0].header("x-added") == "0.1"
        with pytest.raises(requests.Timeout):
            session.get(server.url)


def test_other_hooks_go_the_old_way(serve: Callable[..., Server]) -> None:
    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs, source_address=("127.0.0.1", 0))

    server = serve(answer("x"))
    with requests.Session() as session:
        session.mount("http://", Adapter())
        response = session.get(server.url)
        assert response.text == "x" and not native(response) and response.timeline is None


def test_the_old_way_keeps_deadlines_too(serve: Callable[..., Server]) -> None:
    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def request_url(self, request: Any, proxies: Any) -> str:
            return "/elsewhere"

    server = serve(answer("x"), [STALL])
    with requests.Session() as session:
        session.mount("http://", Adapter())
        with waterclock.deadline(5):
            response = session.get(server.url)
        assert type(response) is requests.Response and response.text == "x"
        assert "request_url is overridden" in response.explain()
        assert server.requests[0].target == "/elsewhere"
        started = time.monotonic()
        with pytest.raises(requests.Timeout), waterclock.deadline(0.2):
            session.get(server.url, timeout=5)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("name", ["TimeoutSauce", "DEFAULT_CA_BUNDLE_PATH"])
def test_names_that_were_replaced_beside_it_are_used(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    class Other(requests.adapters.TimeoutSauce):  # type: ignore[misc, name-defined]
        pass

    server = serve(answer("x"))
    monkeypatch.setattr(requests.adapters, name, Other if name == "TimeoutSauce" else "/other.pem")
    assert not native(requests.get(server.url))
    monkeypatch.undo()
    assert native(requests.get(server.url))


def test_what_is_replaced_below_is_used(serve: Callable[..., Server]) -> None:
    from unittest import mock

    import urllib3.connectionpool

    server = serve(answer("x"))
    pool = urllib3.connectionpool.HTTPConnectionPool
    replaced = mock.patch.object(pool, "urlopen", autospec=True, side_effect=LookupError)
    with replaced, pytest.raises(LookupError):
        requests.get(server.url)
    assert native(requests.get(server.url))


def test_closing_an_adapter_closes_its_connections(serve: Callable[..., Server]) -> None:
    server = serve(answer("x"))
    session = requests.Session()
    assert session.get(server.url).text == "x"
    session.close()
    assert session.get(server.url).text == "x"
    assert server.connections == 2
    session.close()


def test_sessions_are_pickled_without_it(serve: Callable[..., Server]) -> None:
    session = requests.Session()
    server = serve(answer("x"))
    session.get(server.url)
    copy = pickle.loads(pickle.dumps(session))
    assert native(copy.get(server.url))
    session.close()
    copy.close()


def test_everything_is_as_before_afterwards() -> None:
    waterclock.unpatch_requests()
    before = dict(vars(requests.adapters.HTTPAdapter)), dict(vars(requests.Response))
    waterclock.patch_requests()
    waterclock.patch_requests()
    assert vars(requests.adapters.HTTPAdapter)["send"] is not before[0]["send"]
    waterclock.unpatch_requests()
    waterclock.unpatch_requests()
    after = dict(vars(requests.adapters.HTTPAdapter)), dict(vars(requests.Response))
    assert before == after


def test_a_wrapper_around_ours_stays(serve: Callable[..., Server]) -> None:
    server = serve(answer("x"))
    adapter, calls = requests.adapters.HTTPAdapter, []
    ours = adapter.send

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return ours(self, *args, **kwargs)

    adapter.send = wrapper
    try:
        assert native(requests.get(server.url))
        waterclock.unpatch_requests()
        assert adapter.send is wrapper
        assert not native(requests.get(server.url)) and len(calls) == 2
    finally:
        adapter.send = ours.__wrapped__


def test_somebody_elses_wrapper_is_not_left_out() -> None:
    from unittest import mock

    waterclock.unpatch_requests()
    with mock.patch("requests.adapters.HTTPAdapter.send"), pytest.raises(RuntimeError) as caught:
        waterclock.patch_requests()
    assert "HTTPAdapter.send has been replaced already, by" in str(caught.value)


def test_after_install_there_is_nothing_to_patch(tmp_path: Path) -> None:
    printed = check(
        tmp_path,
        """
        import waterclock
        waterclock.install()
        try:
            waterclock.patch_requests()
        except RuntimeError as error:
            print(error)
        """,
    )
    assert "`requests` is waterclock itself" in printed
