"""Whatever is replaced on the way of a request is noticed, and so is its being put back."""

from __future__ import annotations

import http.client
import http.cookiejar
import logging
import socket
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import programs
import pytest
import urllib3
import urllib3.connection
import urllib3.connectionpool
from loopback import Server, answer
from threeways import Seen, watched

import waterclock
import waterclock.adapters
import waterclock.api
import waterclock.auth
import waterclock.cookies
import waterclock.models
import waterclock.sessions
import waterclock.utils
from waterclock import _fast_guard, _fast_names

Serve = Callable[..., Server]


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(answer("body")).url


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    assert _fast_guard.why_not() is None
    yield
    assert _fast_guard.why_not() is None


def is_short(session: Any, url: str, **options: Any) -> bool:
    """Also of the calls that go the way of the one before."""
    seen = Seen()
    with watched(seen):
        for _ in range(3):
            assert session.get(url, **options).status_code == 200
    assert seen.asked == 3
    assert seen.taken in (0, 3)
    return seen.taken == 3


def wrapped(original: Any) -> Any:
    """As tracers do it: the same name and module, another function."""
    import functools

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        calls.append(original.__name__)
        return original(*args, **kwargs)

    calls: list[str] = []
    wrapper.calls = calls  # type: ignore[attr-defined]
    return wrapper


METHODS = [
    *((waterclock.Session, name) for name in _fast_names.SESSION_METHODS),
    *((waterclock.PreparedRequest, name) for name in _fast_names.PREPARED_METHODS),
    *((waterclock.adapters.HTTPAdapter, name) for name in _fast_names.ADAPTER_METHODS),
    (waterclock.Request, "__init__"),
    (waterclock.Response, "__init__"),
]
CALLED = {
    (waterclock.Session, "send"),
    (waterclock.Session, "prepare_request"),
    (waterclock.Session, "merge_environment_settings"),
    (waterclock.Session, "get_adapter"),
    (waterclock.Session, "resolve_redirects"),
    (waterclock.Session, "get_redirect_target"),
    (waterclock.PreparedRequest, "prepare"),
    (waterclock.PreparedRequest, "prepare_url"),
    (waterclock.PreparedRequest, "prepare_body"),
    (waterclock.adapters.HTTPAdapter, "send"),
    (waterclock.Request, "__init__"),
}


@pytest.mark.parametrize(("owner", "name"), METHODS)
def test_methods_of_classes(
    owner: Any, name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = waterclock.Session()
    assert is_short(session, url)
    original = vars(owner).get(name) or getattr(owner, name)
    if isinstance(original, staticmethod):
        patch: Any = staticmethod(wrapped(original.__func__))
    else:
        patch = wrapped(original)
    with monkeypatch.context() as context:
        context.setattr(owner, name, patch)
        assert not is_short(session, url), "a patched method was not called"
        if (owner, name) in CALLED:
            assert patch.calls
    assert is_short(session, url), "it was put back"


GLOBALS = [
    (module, name)
    for module in (
        waterclock.sessions,
        waterclock.models,
        waterclock.utils,
        waterclock.adapters,
        waterclock.auth,
        waterclock.cookies,
    )
    for name in _fast_guard._names(module.__name__)
]


@pytest.mark.parametrize(
    ("module", "name"), GLOBALS, ids=lambda part: getattr(part, "__name__", part)
)
def test_names_of_modules(
    module: Any, name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = waterclock.Session()
    assert is_short(session, url)
    original = getattr(module, name)
    if isinstance(original, type):
        patch: Any = type(original.__name__, (original,), {"__module__": __name__})
    elif isinstance(original, types.ModuleType):
        patch = types.ModuleType("another")
    else:
        patch = mock.Mock(side_effect=original)
    with monkeypatch.context() as context:
        context.setattr(module, name, patch)
        assert not went_unnoticed(name)
    assert is_short(session, url)


def went_unnoticed(name: str) -> bool:
    reason = _fast_guard.why_not()
    return reason is None or name not in reason


BELOW = [
    (socket, "socket"),
    (socket, "getaddrinfo"),
    (socket, "create_connection"),
    (http.client.HTTPConnection, "putrequest"),
    (http.client.HTTPConnection, "getresponse"),
    (urllib3.connectionpool.HTTPConnectionPool, "urlopen"),
    (urllib3.connectionpool.HTTPConnectionPool, "_make_request"),
    (urllib3.connectionpool.HTTPConnectionPool, "ConnectionCls"),
    (urllib3.connection.HTTPConnection, "request"),
    (urllib3.connection.HTTPConnection, "connect"),
    (urllib3.connection.HTTPConnection, "_new_conn"),
]


def in_place_of(original: Any) -> Any:
    """A class that derives from it, or a function that calls it."""
    if isinstance(original, type):
        return type(original.__name__, (original,), {"__module__": __name__})
    return wrapped(original)


@pytest.mark.parametrize(("owner", "name"), BELOW, ids=lambda part: getattr(part, "__name__", part))
def test_what_is_below(owner: Any, name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waterclock.Session()
    assert is_short(session, url)
    original = getattr(owner, name)
    with monkeypatch.context() as context:
        patch = in_place_of(original)
        context.setattr(owner, name, patch)
        assert not is_short(session, url)
        if not isinstance(original, type) and name != "create_connection":
            # urllib3 made the call, over what was put there.
            assert patch.calls
    assert is_short(session, url)


BELOW_TLS = [
    (urllib3.connectionpool.HTTPSConnectionPool, "ConnectionCls"),
    (urllib3.connection.HTTPSConnection, "connect"),
    (urllib3.util.ssl_, "SSLContext"),
]


@pytest.mark.parametrize(("owner", "name"), BELOW_TLS, ids=lambda p: getattr(p, "__name__", p))
def test_what_is_below_tls(
    owner: Any,
    name: str,
    tls_serve: Serve,
    ca_file: str,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = waterclock.Session()
    session.verify = ca_file
    tls_url = tls_serve(answer("body")).url
    assert is_short(session, tls_url)
    with monkeypatch.context() as context:
        context.setattr(owner, name, in_place_of(getattr(owner, name)))
        assert is_short(session, url), "which has nothing to do with it"
        assert not is_short(session, tls_url)
    assert is_short(session, tls_url)


def test_a_method_that_the_socket_class_did_not_have(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = waterclock.Session()
    with monkeypatch.context() as context:

        def refuse(*args: Any) -> None:
            raise RuntimeError("no network in tests")

        context.setattr(socket.socket, "connect", refuse, raising=False)
        with pytest.raises(RuntimeError, match="no network"):
            session.get(url)
    assert is_short(session, url)


@pytest.mark.parametrize("name", [n for n in _fast_names.SESSION_METHODS if n != "_finish"])
def test_methods_of_one_session(name: str, url: str) -> None:
    session, other = waterclock.Session(), waterclock.Session()
    patch = mock.Mock(side_effect=getattr(session, name))
    setattr(session, name, patch)
    assert not is_short(session, url)
    assert patch.called
    assert is_short(other, url)
    delattr(session, name)
    assert is_short(session, url)


@pytest.mark.parametrize("name", _fast_names.ADAPTER_METHODS)
def test_methods_of_one_adapter(name: str, url: str) -> None:
    session = waterclock.Session()
    adapter: Any = session.get_adapter(url)
    setattr(adapter, name, mock.Mock(side_effect=getattr(adapter, name)))
    assert not is_short(session, url)
    delattr(adapter, name)
    assert is_short(session, url)


@pytest.mark.parametrize("name", [n for n in _fast_names.SESSION_METHODS if n != "_finish"])
def test_methods_of_a_subclass(name: str, url: str) -> None:
    called = []

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return getattr(waterclock.Session, name)(self, *args, **kwargs)

    kind = type("Mine", (waterclock.Session,), {name: method})
    session = kind()
    assert not is_short(session, url)
    assert called
    delattr(kind, name)
    assert is_short(session, url)
    setattr(kind, name, method)
    assert not is_short(session, url)


def test_subclasses_that_change_nothing_on_the_way(url: str) -> None:
    class Mine(waterclock.Session):
        def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]
            options.setdefault("timeout", 10)
            return super().request(method, url, **options)

        def get(self, url: str, **options: Any) -> Any:  # type: ignore[override]
            return self.request("GET", url, **options)

        def rebuild_auth(self, *args: Any) -> None: ...

    assert is_short(Mine(), url)


@pytest.mark.parametrize("name", ["headers", "auth", "verify", "params", "trust_env", "hooks"])
def test_subclasses_with_a_property(name: str, url: str) -> None:
    class Mine(waterclock.Session):
        pass

    seen = []

    def get(self: Any) -> Any:
        seen.append(name)
        return self.__dict__[f"my_{name}"]

    def put(self: Any, value: Any) -> None:
        self.__dict__[f"my_{name}"] = value

    setattr(Mine, name, property(get, put))
    assert not is_short(Mine(), url)
    assert seen


def test_sessions_without_an_attribute(url: str) -> None:
    class Mine(waterclock.Session):
        auth = None

        def __init__(self) -> None:
            super().__init__()
            del self.auth

    assert not is_short(Mine(), url)


def test_other_classes_of_adapters(url: str) -> None:
    class Mine(waterclock.adapters.HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            sent.append(request.url)
            return super().send(request, *args, **kwargs)

    sent: list[str] = []
    session = waterclock.Session()
    session.mount("http://", Mine())
    assert not is_short(session, url)
    assert sent == [url + "/"] * 3


def test_mounts_are_looked_up_by_the_url_that_is_sent(url: str) -> None:
    class Mine(waterclock.adapters.HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            sent.append(request.url)
            return super().send(request, *args, **kwargs)

    sent: list[str] = []
    session = waterclock.Session()
    session.mount(url + "/a/", Mine())
    assert is_short(session, url)
    assert is_short(session, url + "/b")
    assert not is_short(session, url + "/a/b")
    # As it is written it does not begin so, as it is sent it does.
    assert not is_short(session, url + "/b/../a/b")
    session.mount(url + "/", Mine())
    assert not is_short(session, url)
    assert len(sent) == 9


def test_two_mounts_of_one_scheme(url: str) -> None:
    session = waterclock.Session()
    adapter: Any = mock.Mock()
    adapter.send.side_effect = RuntimeError("the other adapter")
    del session.adapters["https://"]
    session.mount(url, adapter)
    with pytest.raises(RuntimeError, match="the other adapter"):
        session.get(url)


def test_an_adapter_with_retries(url: str) -> None:
    session = waterclock.Session()
    session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=2))
    assert not is_short(session, url)
    session.mount("http://", waterclock.adapters.HTTPAdapter())
    assert is_short(session, url)
    session.get_adapter(url).max_retries = urllib3.Retry(1)  # type: ignore[attr-defined]
    assert not is_short(session, url)


def test_a_pool_that_was_looked_at(url: str) -> None:
    session = waterclock.Session()
    manager = session.get_adapter(url).poolmanager  # type: ignore[attr-defined]
    assert is_short(session, url)
    manager.connection_pool_kw["source_address"] = ("127.0.0.1", 0)
    assert not is_short(session, url)


def test_hooks(url: str) -> None:
    session = waterclock.Session()
    seen: list[Any] = []
    assert not is_short(session, url, hooks={"response": lambda r, **kw: seen.append(r)})
    session.hooks["response"].append(lambda r, **kw: seen.append(r))
    assert not is_short(session, url)
    assert len(seen) == 6
    session.hooks["response"].clear()
    assert is_short(session, url)


def test_loggers(url: str) -> None:
    session = waterclock.Session()
    logger = logging.getLogger("urllib3.connectionpool")
    before = logger.level
    try:
        logger.setLevel(logging.DEBUG)
        assert not is_short(session, url)
    finally:
        logger.setLevel(before)
    assert is_short(session, url)


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY", "REQUESTS_CA_BUNDLE"])
def test_the_environment(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waterclock.Session()
    assert is_short(session, url)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    is_bundle = name == "REQUESTS_CA_BUNDLE"
    assert not is_short(session, url)
    session.trust_env = False
    assert is_short(session, url)
    session.trust_env = True
    monkeypatch.delenv(name)
    monkeypatch.delenv("no_proxy")
    assert is_short(session, url) or is_bundle


def test_variables_that_take_the_place_of_others(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as before, and the last one has the same name: one is new all the same."""
    monkeypatch.setenv("WATERCLOCK_A", "1")
    monkeypatch.setenv("WATERCLOCK_B", "1")
    session = waterclock.Session()
    assert is_short(session, url)
    monkeypatch.delenv("WATERCLOCK_A")
    monkeypatch.delenv("WATERCLOCK_B")
    monkeypatch.setenv("all_proxy", url)
    monkeypatch.setenv("WATERCLOCK_B", "1")
    assert not is_short(session, url)


def test_netrc(url: str, clean_home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waterclock.Session()
    assert is_short(session, url)
    netrc = clean_home / "my-netrc"
    netrc.write_text("machine 127.0.0.1 login user password pass\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert not is_short(session, url)
    response = session.get(url)
    assert response.request.headers["Authorization"] == "Basic dXNlcjpwYXNz"
    monkeypatch.delenv("NETRC")
    assert is_short(session, url)


def test_a_frozen_clock_does_not_disturb(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waterclock.Session()
    with monkeypatch.context() as context:
        context.setattr("time.time", lambda: 0.0)
        assert session.get(url).status_code == 200
    assert is_short(session, url)


def test_the_real_policy_decides_which_cookies_are_taken(serve: Serve) -> None:
    url = serve(answer("body", headers=[("Set-Cookie", "a=b")])).url
    session = waterclock.Session()
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    assert is_short(session, url)
    assert not session.cookies


def test_what_was_replaced_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(waterclock.sessions, "dispatch_hook", print)
        assert _fast_guard.why_not() == "waterclock.sessions.dispatch_hook was replaced"


def test_a_guard_costs_little(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found out is kept, also while something is replaced."""
    looked = mock.Mock(side_effect=_fast_guard._look_through)
    monkeypatch.setattr(_fast_guard, "_look_through", looked)
    session = waterclock.Session()
    for _ in range(5):
        assert is_short(session, url)
    assert looked.call_count <= 1
    looked.reset_mock()
    with monkeypatch.context() as context:
        context.setattr(waterclock.sessions, "preferred_clock", lambda: 1.0)
        for _ in range(5):
            assert not is_short(session, url)
    assert looked.call_count == 1


@pytest.mark.parametrize(
    "target",
    ["adapters.HTTPAdapter.send", "models.PreparedRequest.prepare_url", "utils.getproxies"],
)
def test_what_was_replaced_before_anything_else_was_imported(
    tmp_path: Path, serve: Serve, target: str
) -> None:
    programs.check(
        tmp_path,
        f"""
        from unittest import mock
        with mock.patch("waterclock.{target}", side_effect=LookupError) as patched:
            import waterclock.sessions
            from waterclock import _fast_guard
            assert "replaced" in _fast_guard.why_not()
            try:
                waterclock.get({serve(answer("body")).url!r})
            except LookupError:
                pass
        assert _fast_guard.why_not() is None
        assert waterclock.get({serve(answer("body")).url!r}).text == "body"
        """,
    )
