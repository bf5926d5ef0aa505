"""A session's way is found once and gone again: whatever changes between two calls, the next one is as it should be."""

from __future__ import annotations

import copy
import gc
import http.cookiejar
import logging
import os
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import Received, Server, answer
from threeways import Seen, check, watched

import waterclock
from waterclock import _fast_guard, _fast_way

Serve = Callable[..., Server]
Change = Callable[[Any, Any, Server], object]


def echo(request: Received) -> bytes:
    return answer(request.head)


def nothing_of(session: Any, _: Any, __: Server) -> None:
    pass


def put_headers(session: Any, package: Any, _: Server) -> None:
    headers = copy.deepcopy(session.headers)
    headers["X-New"] = "1"
    session.headers = headers


def put_into_headers(session: Any, *_: Any) -> None:
    session.headers["X-New"] = "1"


def take_from_headers(session: Any, *_: Any) -> None:
    del session.headers["Accept"]


def put_params(session: Any, *_: Any) -> None:
    session.params = {"q": "1"}


def put_into_params(session: Any, *_: Any) -> None:
    session.params["q"] = "1"


def put_auth(session: Any, *_: Any) -> None:
    session.auth = ("user", "password")


def put_cookie(session: Any, *_: Any) -> None:
    session.cookies.set("a", "b")


def put_jar(session: Any, package: Any, _: Server) -> None:
    session.cookies = package.cookies.cookiejar_from_dict({"a": "b"})


def put_other_jar(session: Any, *_: Any) -> None:
    session.cookies = http.cookiejar.CookieJar()


def put_stream(session: Any, *_: Any) -> None:
    session.stream = True


def put_trust_env(session: Any, *_: Any) -> None:
    session.trust_env = False


def put_redirects(session: Any, *_: Any) -> None:
    session.max_redirects = 1


def put_attribute(session: Any, *_: Any) -> None:
    session.mine = getattr(session, "mine", 0) + 1


SHORT: list[Change] = [
    nothing_of,
    put_headers,
    put_into_headers,
    take_from_headers,
    put_params,
    put_into_params,
    put_auth,
    put_cookie,
    put_jar,
    put_stream,
    put_trust_env,
    put_redirects,
    put_attribute,
]


def put_hook(session: Any, *_: Any) -> None:
    session.hooks["response"].append(lambda response, **_: setattr(response, "seen", True))


def put_hooks(session: Any, *_: Any) -> None:
    session.hooks = {"response": [lambda response, **_: setattr(response, "seen", True)]}


def put_proxy(session: Any, _: Any, server: Server) -> None:
    session.proxies["http"] = server.url


def put_proxies(session: Any, _: Any, server: Server) -> None:
    session.proxies = {"http": server.url}


def put_environment(session: Any, _: Any, server: Server) -> None:
    os.environ["HTTP_PROXY"] = os.environ["http_proxy"] = server.url


def mount(session: Any, package: Any, server: Server) -> None:
    session.mount(server.url, package.adapters.HTTPAdapter(max_retries=1))


def mount_again(session: Any, package: Any, _: Server) -> None:
    session.mount("http://", package.adapters.HTTPAdapter(max_retries=1))


def put_retries(session: Any, *_: Any) -> None:
    session.get_adapter("http://a/").max_retries.total = 2


def override_send(session: Any, *_: Any) -> None:
    sent = session.send
    session.mine = 1
    del session.mine
    session.send = lambda request, **options: sent(request, **options)


def override_send_of_adapter(session: Any, *_: Any) -> None:
    adapter = session.get_adapter("http://a/")
    sent = adapter.send
    adapter.send = lambda *arguments, **options: sent(*arguments, **options)


def take_attribute(session: Any, *_: Any) -> None:
    del session.cert
    session.cert = None
    session.headers = dict(session.headers)


LONG: list[Change] = [
    put_hook,
    put_hooks,
    put_proxy,
    put_proxies,
    put_environment,
    mount,
    mount_again,
    put_retries,
    override_send,
    override_send_of_adapter,
    put_other_jar,
    take_attribute,
]


@pytest.mark.parametrize(
    ("change", "short"),
    [(change, True) for change in SHORT] + [(change, False) for change in LONG],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_change(
    serve: Serve, change: Change, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        seen = [session.get(server.url + "/before") for _ in range(3)]
        try:
            for _ in range(3):
                change(session, package, server)
                seen.append(session.get(server.url + "/after"))
        finally:
            os.environ.pop("HTTP_PROXY", None)
            os.environ.pop("http_proxy", None)
        return [*seen, session.get(server.url + "/end", params={"a": 1}, headers={"B": "2"})]

    check(lambda: serve(echo), program, short=short, connections=change not in LONG)


@pytest.mark.parametrize(
    "options",
    [
        {"params": {"a": "b"}},
        {"headers": {"A": "b", "Accept": None}},
        {"auth": ("user", "password")},
        {"data": {"a": "b"}},
        {"json": {"a": "b"}},
        {"data": b"bytes", "headers": {"Content-Type": "a/b"}},
        {"timeout": (3, 5)},
        {"stream": True},
        {"allow_redirects": False},
        {"verify": True},
    ],
    ids=str,
)
def test_what_a_call_is_given(serve: Serve, options: dict[str, Any]) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        seen = [session.get(server.url) for _ in range(3)]
        for _ in range(2):
            seen += [session.post(server.url + "/a b?c", **options), session.get(server.url)]
        return seen

    check(lambda: serve(echo), program)


def is_remembered(session: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a call goes a way that was found before, and goes the short way at all."""
    found = []
    with monkeypatch.context() as context:
        before = _fast_way.find
        context.setattr(_fast_way, "find", lambda *args: found.append(1) or before(*args))
        seen = Seen()
        with watched(seen):
            session.get(url)
    assert seen.taken == 1
    return not found


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(answer("body")).url + "/"


def test_the_third_call_goes_the_way_of_the_second(url: str, monkeypatch: Any) -> None:
    environment = _fast_guard.known_environment()
    monkeypatch.setattr(environment, "no_netrc_until", float("inf"))
    session = waterclock.Session()
    assert not is_remembered(session, url, monkeypatch)
    assert not is_remembered(session, url, monkeypatch)
    assert is_remembered(session, url, monkeypatch)
    session.headers["A"] = "b"
    session.mine = 1
    assert not is_remembered(session, url, monkeypatch), "a name more"
    session.mine = 2
    assert is_remembered(session, url, monkeypatch), "another value of a name that is not ours"
    session.get(url.replace("127.0.0.1", "localhost"))
    assert not is_remembered(session, url, monkeypatch), "somewhere else"


def test_a_netrc_file_is_looked_for_again(
    url: str, clean_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_fast_guard, "_NETRC_INTERVAL", 0.05)
    environment = _fast_guard.known_environment()
    assert environment is not None
    environment.no_netrc_until = 0.0
    session = waterclock.Session()
    for _ in range(3):
        session.get(url)
    (clean_home / ".netrc").write_text("default login who password what\n")
    time.sleep(0.06)
    assert session.get(url).request.headers["Authorization"].startswith("Basic")


def test_log_lines_that_are_wanted_later(url: str, caplog: pytest.LogCaptureFixture) -> None:
    session = waterclock.Session()
    for _ in range(3):
        session.get(url)
    with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
        session.get(url)
    assert '"GET / HTTP/1.1" 200' in caplog.text


def test_what_is_remembered_does_not_keep_a_session(url: str) -> None:
    session = waterclock.Session()
    for _ in range(3):
        session.get(url)
    gone = weakref.ref(session)
    gc.disable()
    try:
        del session
        assert gone() is None, "something refers to it, or to itself"
    finally:
        gc.enable()


class Whole(waterclock.Session):
    """A session that is pickled with all that it has."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "adapters": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def test_what_is_remembered_is_not_copied(url: str) -> None:
    for kind in (waterclock.Session, Whole):
        session = kind()
        for _ in range(3):
            session.get(url)
        assert session.__dict__[_fast_way.NAME] is not None
        for twin in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session)):
            assert twin.__dict__.get(_fast_way.NAME) is None
        assert copy.copy(session).get(url).text == "body" if kind is waterclock.Session else True


def test_another_class(url: str) -> None:
    class Mine(waterclock.Session):
        def send(self, request: Any, **options: Any) -> Any:
            sent.append(request.url)
            return super().send(request, **options)

    sent: list[str] = []
    session = waterclock.Session()
    for _ in range(3):
        session.get(url)
    session.__class__ = Mine
    session.get(url)
    assert sent == [url]


def test_adapters_that_are_not_an_attribute_of_the_session(url: str) -> None:
    class Mine(waterclock.Session):
        adapters = {"http://": waterclock.adapters.HTTPAdapter()}  # noqa: RUF012

    session = Mine()
    seen = Seen()
    with watched(seen):
        assert [session.get(url).text for _ in range(4)] == ["body"] * 4
    # What a class has in the place of an attribute of ours is not looked at in each call.
    assert (seen.asked, seen.taken) == (4, 0)


def test_a_session_that_is_changed_while_others_use_it(url: str) -> None:
    """No call may go out with credentials that were taken away before it began."""
    session = waterclock.Session()
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            session.get(url)

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            session.auth = ("user", "password")
            assert "Authorization" in session.get(url).request.headers
            session.auth = None
            assert "Authorization" not in session.get(url).request.headers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
