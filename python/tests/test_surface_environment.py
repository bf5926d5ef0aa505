"""Proxies and passwords out of the environment, compared with requests, and where ours differs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from waterclock import utils

requests = pytest.importorskip("requests")
theirs = requests.utils

URLS = [
    "http://192.168.0.1:5000/",
    "http://192.168.0.1/",
    "http://172.16.1.1/",
    "http://172.16.1.1:5000/",
    "http://localhost.localdomain:5000/v1.0/",
    "http://172.16.1.22/",
    "http://google.com:6000/",
    "http://sub.google.com/",
    "http://notgoogle.com/",
    "http://GOOGLE.com:80/",
    "http://[::1]/",
    "file:///some/path/on/disk",
    "http:///",
    "https://user:pw@google.com/",
]
LISTS = [
    None,
    "",
    "*",
    "192.168.0.0/24,127.0.0.1,localhost.localdomain,172.16.1.1",
    "google.com",
    ".google.com, x",
    "google.com:6000",
    "172.16.1.1/40,172.16.1.22",
    " , ,",
    "::1",
    "[::1]",
    "com",
]
VARIABLES = ["no_proxy", "NO_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy"]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize("url", URLS)
def test_bypass(url: str, listed: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for elsewhere in (None, "google.com"):
        if elsewhere is not None:
            monkeypatch.setenv("no_proxy", elsewhere)
        assert utils.should_bypass_proxies(url, listed) == theirs.should_bypass_proxies(url, listed)
    monkeypatch.delenv("no_proxy")
    for name in ("NO_PROXY", "no_proxy"):
        if listed is not None:
            monkeypatch.setenv(name, listed)
        assert utils.should_bypass_proxies(url, None) == theirs.should_bypass_proxies(url, None)


@pytest.mark.parametrize("url", URLS)
def test_proxies_of_a_request(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://env")
    monkeypatch.setenv("all_proxy", "socks5://env")
    request = requests.Request("GET", url)
    for proxies in (None, {}, {"http": "x"}, {"no_proxy": "google.com"}, {"no_proxy": "*"}):
        for trust_env in (True, False):
            ours = utils.resolve_proxies(request, proxies, trust_env)
            assert ours == theirs.resolve_proxies(request, proxies, trust_env)
            assert ours is not proxies
        no_proxy = (proxies or {}).get("no_proxy")
        assert utils.get_environ_proxies(url, no_proxy) == theirs.get_environ_proxies(url, no_proxy)


def test_the_environment_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """requests sets `no_proxy` for all threads while it asks; a mapping's `no_proxy` is ours alone."""
    before = dict(os.environ)
    changed: list[Any] = []
    original = os.environ.__class__.__setitem__

    def watched(self: Any, key: str, value: str) -> None:
        changed.append(key)
        original(self, key, value)

    monkeypatch.setattr(os.environ.__class__, "__setitem__", watched)
    assert utils.should_bypass_proxies("http://other.example/", "*")
    assert not utils.should_bypass_proxies("http://other.example/", "x")
    assert changed == []
    assert dict(os.environ) == before


def test_a_replaced_bypass_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def bypass(host: str) -> bool:
        asked.append((host, os.environ.get("no_proxy")))
        return True

    monkeypatch.setattr("waterclock.utils.proxy_bypass", bypass)
    assert utils.should_bypass_proxies("http://other.example:80/", "x")
    assert utils.should_bypass_proxies("http://other.example/", None)
    assert asked == [("other.example", "x"), ("other.example", None)]


def test_variables_for_a_while() -> None:
    with utils.set_environ("WATERCLOCK_TEST", "1"):
        assert os.environ["WATERCLOCK_TEST"] == "1"
        with utils.set_environ("WATERCLOCK_TEST", None):
            assert os.environ["WATERCLOCK_TEST"] == "1"
        with pytest.raises(ValueError, match="x"), utils.set_environ("WATERCLOCK_TEST", "2"):
            raise ValueError("x")
        assert os.environ["WATERCLOCK_TEST"] == "1"
    assert "WATERCLOCK_TEST" not in os.environ


NETRC = """
machine example.com login aaaa password bbbb
machine onlypassword password secret
machine account account acc password secret
machine 127.0.0.1 login local password host
"""


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "netrc"
    path.write_text(NETRC)
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return path


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/thing",
        "http://EXAMPLE.com:8080/",
        "http://example.com:@evil.com/",
        "http://user@example.com/",
        b"http://example.com/",
        "http://onlypassword/",
        "http://account/",
        "http://127.0.0.1:80/",
        "http://unknown/",
        "example.com",
        "file:///x",
        "",
    ],
)
def test_netrc(url: Any, netrc: Path) -> None:
    assert utils.get_netrc_auth(url) == theirs.get_netrc_auth(url)


@pytest.mark.parametrize("tail", ["", "default login anonymous password me", "nonsense {"])
def test_netrc_of_other_kinds(tail: str, netrc: Path) -> None:
    netrc.write_text(tail)
    assert utils.get_netrc_auth("http://h/") == theirs.get_netrc_auth("http://h/")
    if "nonsense" in tail:
        from netrc import NetrcParseError

        with pytest.raises(NetrcParseError):
            utils.get_netrc_auth("http://h/", raise_errors=True)


def test_netrc_is_for_the_host_that_is_connected_to(netrc: Path) -> None:
    """Before a backslash the host ends, whatever `urlparse` says; the request goes to evil.com."""
    url = "http://evil.com\\@example.com/"
    assert requests.Request("GET", url).prepare().url.startswith("http://evil.com/")
    assert theirs.get_netrc_auth(url) == ("aaaa", "bbbb")
    assert utils.get_netrc_auth(url) is None
    assert utils.get_netrc_auth("http://example.com\\@evil.com/") == ("aaaa", "bbbb")


def test_netrc_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_home: Path
) -> None:
    monkeypatch.delenv("NETRC", raising=False)
    assert utils.get_netrc_auth("http://example.com/") is None
    for name, login in (("_netrc", "one"), (".netrc", "two")):
        path = clean_home / name
        path.write_text(f"machine example.com login {login} password p")
        path.chmod(0o600)
        assert utils.get_netrc_auth("http://example.com/") == (login, "p")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert utils.get_netrc_auth("http://example.com/") is None


def test_bypass_from_many_threads() -> None:
    """One thread's `no_proxy` is not seen by another."""
    wrong: list[str] = []

    def ask(listed: str, expected: bool) -> None:
        for _ in range(200):
            if utils.should_bypass_proxies("http://a.example/", listed) is not expected:
                wrong.append(listed)

    threads = [
        threading.Thread(target=ask, args=arguments)
        for arguments in (("*", True), ("b.example", False))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
