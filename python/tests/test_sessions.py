"""Sessions: settings, environment, cookies, adapters and hooks, as with requests."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from both import compare, outcome
from loopback import Received, Server, answer

import waterclock
import waterclock.adapters
import waterclock.sessions

requests = pytest.importorskip("requests")
Way = Callable[..., None]


class Recorder(waterclock.adapters.BaseAdapter):
    """An adapter of somebody else: it answers itself, and remembers what it was given."""

    def __init__(self, package: Any = waterclock) -> None:
        self.package = package
        self.calls: list[dict[str, Any]] = []
        self.closed = 0

    def send(self, request: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.calls.append(kwargs)
        response = self.package.Response()
        response.status_code = 200
        response.url = request.url
        response.request = request
        response._content = b"recorded"
        return response

    def close(self) -> None:
        self.closed += 1


def kwargs_given(package: Any, session: Any, **call: Any) -> Any:
    recorder = Recorder(package)
    session.mount("http://", recorder)
    session.get("http://example.org/", **call)
    return recorder.calls


VARIABLES = [
    {},
    {"http_proxy": "http://env:1"},
    {"HTTP_PROXY": "http://env:1"},
    {"all_proxy": "socks5://env:1", "https_proxy": "http://env:2"},
    {"http_proxy": "http://env:1", "no_proxy": "example.org"},
    {"http_proxy": "http://env:1", "NO_PROXY": ".org, other"},
    {"http_proxy": "http://env:1", "no_proxy": "*"},
    {"http_proxy": "http://env:1", "REQUEST_METHOD": "GET"},
    {"REQUESTS_CA_BUNDLE": "/ca/requests", "CURL_CA_BUNDLE": "/ca/curl"},
    {"CURL_CA_BUNDLE": "/ca/curl"},
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"proxies": {"http": "http://session:1"}, "verify": False},
    {"verify": "/ca/session", "cert": "/cert", "stream": True},
    {"trust_env": False, "verify": False, "proxies": {"no_proxy": "example.org"}},
]
ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"proxies": {"http": "http://call:1"}, "verify": True},
    {"proxies": {"no_proxy": "example.org"}, "verify": "/ca/call"},
    {"verify": False, "cert": ("/cert", "/key"), "stream": False, "timeout": (1, 2)},
]


@pytest.mark.parametrize("variables", VARIABLES, ids=str)
def test_what_an_adapter_is_given(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, clean_home: Any
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for settings in SETTINGS:
        for arguments in ARGUMENTS:
            found = []
            for package in (requests, waterclock):
                session = package.Session()
                for name, value in settings.items():
                    setattr(session, name, dict(value) if isinstance(value, dict) else value)
                given = {k: dict(v) if isinstance(v, dict) else v for k, v in arguments.items()}
                calls = kwargs_given(package, session, **given)
                request = package.Request("GET", "http://example.org/").prepare()
                session.send(request)
                found.append((calls, session.adapters["http://"].calls))
            assert found[1] == found[0], (settings, arguments)


def test_the_environment_may_change(monkeypatch: pytest.MonkeyPatch, clean_home: Any) -> None:
    session = waterclock.Session()
    assert kwargs_given(waterclock, session)[0]["proxies"] == {}
    monkeypatch.setenv("http_proxy", "http://env:1")
    assert kwargs_given(waterclock, session)[0]["proxies"] == {"http": "http://env:1"}
    monkeypatch.setenv("http_proxy", "http://env:2")
    assert kwargs_given(waterclock, session)[0]["proxies"] == {"http": "http://env:2"}
    monkeypatch.delenv("http_proxy")
    assert kwargs_given(waterclock, session)[0]["proxies"] == {}
    monkeypatch.setenv("CURL_CA_BUNDLE", "/ca")
    assert kwargs_given(waterclock, session)[0]["verify"] == "/ca"


def test_helpers_are_looked_up_where_programs_patch_them(
    monkeypatch: pytest.MonkeyPatch, clean_home: Any
) -> None:
    sessions = waterclock.sessions
    monkeypatch.setattr(sessions, "get_environ_proxies", lambda url, no_proxy: {"http": "patched"})
    monkeypatch.setattr(sessions, "get_netrc_auth", lambda url: ("user", "of netrc"))
    session = sessions.Session()
    assert kwargs_given(waterclock, session)[0]["proxies"] == {"http": "patched"}
    request = session.prepare_request(waterclock.Request("GET", "http://h/"))
    assert request.headers["Authorization"].startswith("Basic ")  # type: ignore[arg-type]
    monkeypatch.setattr(waterclock.utils, "getproxies", lambda: {"http": "system"})
    monkeypatch.setattr(sessions, "get_environ_proxies", waterclock.utils.get_environ_proxies)
    assert kwargs_given(waterclock, session)[0]["proxies"] == {"http": "system"}


def test_mutable_arguments_stay_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://env:1")
    proxies = {"https": "http://call:1"}
    kwargs_given(waterclock, waterclock.Session(), proxies=proxies)
    assert proxies == {"https": "http://call:1"}


def test_netrc(clean_home: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_home / ".netrc").write_text("machine 127.0.0.1 login net password rc\n")
    (clean_home / ".netrc").chmod(0o600)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        found = [session.get(server.url).request.headers["Authorization"]]
        found.append(session.get(server.url, auth=("a", "b")).request.headers["Authorization"])
        session.auth = ("c", "d")
        found.append(session.get(server.url).request.headers["Authorization"])
        session.trust_env = False
        session.auth = None
        found.append(session.get(server.url).request.headers.get("Authorization"))
        return found

    compare(lambda: serve(answer(b"")), program, monkeypatch)


METHODS = ["get", "options", "head", "post", "put", "patch", "delete"]


@pytest.mark.parametrize("method", METHODS)
def test_methods(same: Way, method: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        response = getattr(session, method)(server.url + "/a", headers={"X": "y"})
        return response.status_code, response.request.method, response.url, response.headers

    same([answer(b"", 404, [("X-A", "1"), ("X-B", "2"), ("x-a", "3")])], program)


def test_sending_what_is_not_prepared() -> None:
    with pytest.raises(ValueError, match="You can only send PreparedRequests"):
        waterclock.Session().send(waterclock.Request("GET", "http://h/"))  # type: ignore[arg-type]


def test_mounting() -> None:
    def program(package: Any) -> Any:
        session = package.Session()
        adapters = {}
        for prefix in (
            "http://git",
            "http://github",
            "http://github.com",
            "http://github.com/x",
            "x",
        ):
            adapters[prefix] = package.adapters.HTTPAdapter()
            session.mount(prefix, adapters[prefix])
        session.mount("HTTP://Upper/", package.adapters.HTTPAdapter())
        order = list(session.adapters)
        urls = (
            "http://github.com/a",
            "http://GITHUB.com/x",
            "http://git.h/",
            "http://upper/",
            "x:y",
        )
        found = [
            order.index(p)
            for u in urls
            for p in order
            if session.adapters[p] is session.get_adapter(u)
        ]
        return order, found, type(session.adapters).__name__

    assert outcome(lambda: program(waterclock)) == outcome(lambda: program(requests))
    with pytest.raises(
        waterclock.exceptions.InvalidSchema, match="No connection adapters were found for 'y:z'"
    ):
        waterclock.Session().get("y:z")


def test_a_subclass_sees_what_is_mounted() -> None:
    mounted = []

    class Mine(waterclock.Session):
        def mount(self, prefix: str, adapter: Any) -> None:
            mounted.append(prefix)
            super().mount(prefix, adapter)

    Mine()
    assert mounted == ["https://", "http://"]


def test_an_adapter_class_that_is_patched_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(waterclock.adapters.HTTPAdapter):
        pass

    with monkeypatch.context() as patch:
        patch.setattr(waterclock.sessions, "HTTPAdapter", Other)
        session = waterclock.Session()
    assert type(session.adapters["http://"]) is Other
    assert type(waterclock.Session().adapters["http://"]) is waterclock.adapters.HTTPAdapter


def test_closing() -> None:
    recorder = Recorder()
    with waterclock.Session() as session:
        session.mount("x:", recorder)
    assert recorder.closed == 1
    unused = waterclock.Session()
    unused.close()
    assert "adapters" not in unused.__dict__


def test_pickle() -> None:
    def program(package: Any) -> Any:
        session = package.Session()
        session.headers["X"] = "y"
        session.cookies.set("a", "b")
        session.auth = ("u", "p")
        session.max_redirects = 3
        session.verify = False
        again = pickle.loads(pickle.dumps(session))
        return (
            sorted(again.__dict__), again.headers, dict(again.cookies), again.auth, again.max_redirects,
            again.verify, list(again.adapters), type(again.adapters["http://"]).__name__,
        )  # fmt: skip

    assert outcome(lambda: program(waterclock)) == outcome(lambda: program(requests))
    assert waterclock.Session.__attrs__ == requests.Session.__attrs__


class Own(waterclock.Session):
    """At module level, to be pickled; it has an attribute that we do not know."""

    __attrs__ = [*waterclock.Session.__attrs__, "mine"]  # noqa: RUF012
    mine = 5


def test_a_timeout_of_the_session() -> None:
    session = waterclock.Session(timeout=3)
    assert [c["timeout"] for c in kwargs_given(waterclock, session)] == [3]
    assert [c["timeout"] for c in kwargs_given(waterclock, session, timeout=(1, 2))] == [(1, 2)]
    session.timeout = 4
    session.send(waterclock.Request("GET", "http://h/").prepare())
    assert session.adapters["http://"].calls[-1]["timeout"] == 4  # type: ignore[attr-defined]
    session.mount("http://", waterclock.adapters.HTTPAdapter())
    assert pickle.loads(pickle.dumps(session)).timeout == 4
    assert pickle.loads(pickle.dumps(Own(timeout=9))).timeout == 9
    assert pickle.loads(pickle.dumps(Own())).timeout is None
    assert waterclock.Session().timeout is None


def test_a_timeout_that_a_subclass_has_for_itself() -> None:
    class Mine(waterclock.Session):
        def __init__(self) -> None:
            self.timeout = 7
            super().__init__()

        def request(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("timeout", self.timeout)
            return super().request(*args, **kwargs)

    assert [c["timeout"] for c in kwargs_given(waterclock, Mine())] == [7]


def test_cookies(same: Way) -> None:
    def echo(request: Received) -> bytes:
        sets = [
            ("Set-Cookie", f"{name}={name}; Path=/")
            for name in ("a", "b")
            if name in request.target
        ]
        return answer(request.header("cookie") or "", headers=sets)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        found = [session.get(server.url + "/").text]
        found.append(session.get(server.url + "/a").text)
        found.append(session.get(server.url + "/b", cookies={"mine": "m"}).text)
        response = session.get(server.url + "/")
        found += [response.text, dict(response.cookies), dict(response.request._cookies)]
        session.cookies.set("own", "value", domain="other.example")
        found.append(session.get(server.url + "/", cookies={"a": None}).text)
        session.cookies.clear()
        found.append(session.get(server.url + "/").text)
        jar = package.cookies.cookiejar_from_dict({"jar": "j"})
        found.append(session.get(server.url + "/", cookies=jar).text)
        return found

    same({"*": echo}, program)


def test_another_jar_is_asked_each_time(serve: Any) -> None:
    from http.cookiejar import CookieJar

    class Counting(CookieJar):
        extracted = 0

        def extract_cookies(self, response: Any, request: Any) -> None:
            type(self).extracted += 1
            super().extract_cookies(response, request)

    server = serve(answer(b"", headers=[("Set-Cookie", "a=b")]), answer(b""))
    session = waterclock.Session()
    session.cookies = Counting()  # type: ignore[assignment]
    session.get(server.url)
    session.get(server.url)
    assert Counting.extracted == 2
    assert server.requests[1].header("cookie") == "a=b"


def test_a_session_that_needs_no_cookies_makes_no_jar(serve: Any, clean_home: Any) -> None:
    session = waterclock.Session()
    response = session.get(serve(answer(b"")).url)
    assert "cookies" not in session.__dict__
    assert "cookies" not in response.__dict__
    assert "_cookies" not in response.request.__dict__
    assert session.cookies is session.cookies


def test_hooks(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        seen = []
        session = package.Session()
        session.hooks["response"].append(lambda r, **kw: seen.append(("session", r.status_code)))
        session.get(server.url)
        session.get(
            server.url, hooks={"response": lambda r, **kw: seen.append(("call", sorted(kw)))}
        )
        session.get(server.url, hooks={"response": []})
        return seen

    same([answer(b"")], program)


def test_what_hooks_and_callers_find_in_the_history(same: Way) -> None:
    def program(package: Any, server: Server) -> Any:
        response = package.Session().get(server.url, auth=package.auth.HTTPDigestAuth("u", "p"))
        return [r.status_code for r in (*response.history, response)], response.request.url

    challenge = answer(
        b"no", 401, [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.urandom", bytes)
        patch.setattr("time.ctime", lambda: "now")
        same([challenge, answer(b"yes")], program)


def test_elapsed_is_never_negative(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waterclock.Session()
    assert session.get(serve(answer(b"")).url).elapsed.total_seconds() > 0
    session.mount("http://", Recorder())
    times = iter([10.0, 9.0])
    monkeypatch.setattr(waterclock.sessions, "preferred_clock", lambda: next(times))
    assert session.get("http://h/").elapsed.total_seconds() == 0


def test_mocks_that_answer_to_everything() -> None:
    from unittest import mock

    with mock.patch.object(waterclock.Session, "send") as send:
        send.return_value = mock.MagicMock(status_code=204)
        assert waterclock.Session().get("http://h/").status_code == 204
    with mock.patch("waterclock.adapters.HTTPAdapter.send") as send:
        send.return_value = mock.MagicMock(status_code=200, is_redirect=False, history=[])
        assert waterclock.Session().get("http://h/").status_code == 200


def test_urllib3_is_not_imported_for_ordinary_use(serve: Any) -> None:
    import subprocess

    url = serve({"/": answer(b"{}"), "/r": answer(b"", 302, [("Location", "/")])}).url
    program = f"""
import sys, waterclock
session = waterclock.Session()
for path in ("/", "/r"):
    response = session.get({url!r} + path, params={{"a": "b"}}, headers={{"X": "y"}})
    response.headers, response.url, response.elapsed, response.history, response.json()
session.post({url!r}, json={{"a": 1}})
heavy = {{"urllib3", "idna", "certifi", "charset_normalizer", "http.cookiejar", "http.client", "ssl", "email"}}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
