"""Requests over TLS: what is verified, with what, and how that goes on over redirects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import Received, Server, answer
from programs import environment, python
from threeways import check

Serve = Callable[..., Server]


def echo(request: Received) -> bytes:
    return answer(f"{request.method} {request.target}", headers=[("X-One", "1")])


@pytest.mark.parametrize("way", ["call", "session", "environment"])
def test_a_ca_file(
    tls_serve: Serve, ca_file: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        options: dict[str, Any] = {"verify": ca_file} if way == "call" else {}
        if way == "session":
            session.verify = ca_file
        return [
            session.get(server.url, **options),
            session.post(server.url + "/a?b", json={"c": 1}, params={"d": "e"}, **options),
            session.get(server.url, stream=True, **options).content,
        ]

    check(lambda: tls_serve(echo), program)


def test_a_ca_file_that_vanishes(tls_serve: Serve, ca_file: str, tmp_path: Path) -> None:
    """Also where a session goes the way it went before."""

    def program(package: Any, server: Server) -> Any:
        own = tmp_path / "own.pem"
        own.write_text(Path(ca_file).read_text())
        session = package.Session()
        session.verify = str(own)
        assert [session.get(server.url).text for _ in range(3)] == ["GET /"] * 3
        own.unlink()
        return session.get(server.url)

    seen = check(lambda: tls_serve(echo), program, short=False)
    assert seen.failure is not None
    assert "Could not find a suitable TLS CA certificate bundle" in seen.failure["str"]


def test_a_ca_folder(tls_serve: Serve, ca_file: str, tmp_path: Path) -> None:
    (tmp_path / "some.pem").write_text(Path(ca_file).read_text())

    def program(package: Any, server: Server) -> Any:
        return package.get(server.url, verify=str(tmp_path)).text

    # OpenSSL wants names that are hashes there.
    check(lambda: tls_serve(echo), program, like_requests=False)


def test_a_peer_that_is_not_trusted(tls_serve: Serve) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(server.url)

    seen = check(lambda: tls_serve(echo), program, like_requests=False)
    assert seen.failure is not None
    assert seen.failure["class"] == "SSLError"
    assert "CERTIFICATE_VERIFY_FAILED" in seen.failure["str"]


@pytest.mark.parametrize("verify", ["/nowhere/at-all.pem", ""])
def test_a_file_that_is_not_there(tls_serve: Serve, verify: str) -> None:
    def program(package: Any, server: Server) -> Any:
        return package.get(server.url, verify=verify)

    check(lambda: tls_serve(echo), program, short=False)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("way", ["call", "session"])
def test_no_verification(tls_serve: Serve, way: str) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        session.verify = way == "call"
        return session.get(server.url, **({"verify": False} if way == "call" else {}))

    check(lambda: tls_serve(echo), program, short=False)


def test_a_connection_that_was_not_verified_is_not_used_for_one_that_is(
    tls_serve: Serve, ca_file: str
) -> None:
    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        first = session.get(server.url, verify=ca_file)
        with pytest.raises(package.exceptions.SSLError):
            session.get(server.url)
        return [first, session.get(server.url, verify=ca_file)]

    check(lambda: tls_serve(echo), program)


@pytest.mark.parametrize("way", ["call", "session", "environment"])
def test_a_redirect_to_tls(
    serve: Serve, tls_serve: Serve, ca_file: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is verified with counts for the next hop, though the first one needs it not."""
    target = tls_serve(echo)
    if way == "environment":
        monkeypatch.setenv("CURL_CA_BUNDLE", ca_file)

    def program(package: Any, server: Server) -> Any:
        session = package.Session()
        if way == "session":
            session.verify = ca_file
        return session.get(server.url, **({"verify": ca_file} if way == "call" else {}))

    check(lambda: serve(answer("", 302, [("Location", target.url + "/there")])), program)


@pytest.mark.parametrize("package", ["requests", "waterclock"])
def test_a_key_log_of_the_environment(
    tls_serve: Serve, ca_file: str, tmp_path: Path, package: str
) -> None:
    """Lines are added to the file, one for each secret, so that Wireshark can decrypt."""
    pytest.importorskip(package)
    server = tls_serve(echo)
    log = tmp_path / "keys.log"
    log.write_text("# kept\n")
    source = f"import {package} as p; p.get({server.url!r}, verify={ca_file!r}, timeout=10)"
    done = python("-c", source, env=environment(SSLKEYLOGFILE=str(log)))
    assert done.returncode == 0, done.stderr
    first, *lines = log.read_text().splitlines()
    assert first == "# kept"
    labels = {line.split()[0] for line in lines if not line.startswith("#")}
    assert {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= labels
