"""What all tests of the Python package share.

`serve(...)` starts a scripted server (see loopback.py), `tls_serve(...)` one that speaks TLS with a
certificate of `authority`, whose CA is in the file `ca_file`. `black_hole` is where no connection is made.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from loopback import BlackHole, Server

pytest.register_assert_rewrite("both", "differences", "threeways", "timing")

if TYPE_CHECKING:
    import trustme

# They send clients elsewhere, or change whom they trust: with them a test would test the environment.
# Removed here, and not in a fixture, so that programs started by a test do not see them either.
_UNWANTED = [
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
    "NETRC",
    "REQUEST_METHOD",
    *[f"{scheme}_proxy" for scheme in ("http", "https", "ftp", "all", "no")],
]
for _name in _UNWANTED:
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)


# A shell that is not interactive has what it starts in the background ignore Ctrl-C, and so would our programs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a .netrc."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """serve(reply, ...) or serve({path: reply}): a server that is stopped when the test ends."""
    servers: list[Server] = []

    def start(*replies: Any, **options: Any) -> Server:
        given = replies[0] if len(replies) == 1 and isinstance(replies[0], dict) else replies
        server = Server(given, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def same(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, clean_home: Any
) -> Callable[..., None]:
    """same(replies, program): a server with the replies for each of the runs that are compared (both.py)."""
    from both import compare

    def check(replies: Any, program: Any) -> None:
        given = replies if isinstance(replies, list) else [replies]
        compare(lambda: serve(*given), program, monkeypatch)

    return check


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    import trustme

    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def client_certificate(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """The files of a client's certificate and of its key."""
    folder = tmp_path_factory.mktemp("client")
    certificate, key = str(folder / "client.pem"), str(folder / "client.key")
    issued = authority.issue_cert("client@example.org")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> Callable[..., ssl.SSLContext]:
    """server_context("localhost", ...): TLS settings of a server with such a certificate."""

    def make(*names: str, ask_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
        if ask_client:
            authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    return make


@pytest.fixture
def tls_serve(
    serve: Callable[..., Server], server_context: Callable[..., ssl.SSLContext]
) -> Callable[..., Server]:
    """As serve(), over TLS, for https://localhost:port (the certificate has 127.0.0.1 and ::1 too)."""

    def start(*replies: Any, ask_client: bool = False, **options: Any) -> Server:
        options.setdefault("tls", server_context(ask_client=ask_client))
        options.setdefault("name", "localhost")
        return serve(*replies, **options)

    return start


@pytest.fixture
def black_hole() -> Iterator[BlackHole]:
    hole = BlackHole()
    yield hole
    hole.stop()


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts connections and never says or reads anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def stuck_lookup(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library to preload (LD_PRELOAD) into a program: lookups of `stuck.*` never end there."""
    import shutil
    import subprocess

    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip(
            "SKIPPED: there is no C compiler (cc) to make a name service with that is stuck"
        )
    library = str(tmp_path_factory.mktemp("stuck") / "stuck_lookup.so")
    source = str(Path(__file__).with_name("stuck_lookup.c"))
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library
