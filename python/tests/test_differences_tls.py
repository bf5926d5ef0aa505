"""TLS, where waterclock does something else than requests.

docs/moving-from-requests.md says why.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from differences import of_requests, of_waterclock
from loopback import CLOSE, Server, answer

import waterclock

Serve = Callable[..., Server]

OK = answer("ok")


def getting(server: Server, verify: Any) -> Callable[[Any], Any]:
    return lambda package: package.get(server.url, verify=verify, timeout=10).text


def test_an_early_answer_to_an_upload_is_read(tls_serve: Serve, ca_file: str) -> None:
    server = tls_serve([answer("too long", 413), CLOSE], read_body=False)

    def program(package: Any) -> Any:
        body = b"x" * 20_000_000
        return package.post(server.url, data=body, verify=ca_file, timeout=10).status_code

    # It depends on the version of Python.
    assert of_requests(program) in ("SSLError", 413)
    assert of_waterclock(program) == 413


def test_a_post_is_sent_once(tls_serve: Serve, ca_file: str) -> None:
    def program(package: Any) -> Any:
        server = tls_serve([CLOSE], read_body=False)
        with package.Session() as session:
            session.mount("https://", package.adapters.HTTPAdapter(max_retries=3))
            with pytest.raises(package.ConnectionError):
                session.post(server.url, data=b"x" * 20_000_000, verify=ca_file, timeout=10)
        return len(server.requests)

    # It depends on the version of Python; and on nothing that a caller could know.
    assert of_requests(program) in (4, 1)
    assert of_waterclock(program) == 1


def test_a_body_that_is_cut_without_a_word_is_not_whole(tls_serve: Serve, ca_file: str) -> None:
    """Its length is not known, and TLS was not ended: anybody on the way may have cut it."""
    server = tls_serve([b"HTTP/1.0 200 OK\r\n\r\nhalf", CLOSE])
    assert of_requests(getting(server, ca_file)) == "half"
    assert of_waterclock(getting(server, ca_file)) == "ChunkedEncodingError"


def test_ciphers_without_authentication_are_not_offered(
    serve: Serve, authority: trustme.CA, ca_file: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384")
    server = serve(OK, tls=context, name="localhost")
    assert of_requests(getting(server, ca_file)) == "ok"
    assert of_waterclock(getting(server, ca_file)) == "SSLError"


@pytest.fixture
def own_certificate(tmp_path: Path) -> Callable[[bool], tuple[ssl.SSLContext, str]]:
    """A certificate that is signed by itself, as `openssl req -x509` makes it."""

    def make(is_authority: bool) -> tuple[ssl.SSLContext, str]:
        certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
        words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
        extensions = ["subjectAltName=DNS:localhost"]
        extensions += [] if is_authority else ["basicConstraints=critical,CA:FALSE"]
        added = [word for extension in extensions for word in ("-addext", extension)]
        try:
            subprocess.run(["openssl", *words.split(), *added], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no openssl to make certificates with: {error}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context, str(certificate)

    return make


@pytest.mark.parametrize("is_authority", [True, False])
def test_a_certificate_that_vouches_for_itself_is_trusted(
    is_authority: bool, serve: Serve, own_certificate: Any
) -> None:
    context, file = own_certificate(is_authority)
    server = serve(OK, tls=context, name="localhost")
    assert of_requests(getting(server, file)) == of_waterclock(getting(server, file)) == "ok"


def test_a_folder_of_certificates_needs_no_hashes(
    tls_serve: Serve, ca_file: str, tmp_path: Path
) -> None:
    (tmp_path / "any-name.pem").write_bytes(Path(ca_file).read_bytes())
    server = tls_serve(OK)
    assert of_requests(getting(server, str(tmp_path))) == "SSLError"
    assert of_waterclock(getting(server, str(tmp_path))) == "ok"


def test_an_error_says_what_to_do(tls_serve: Serve) -> None:
    server = tls_serve(OK)
    with pytest.raises(waterclock.exceptions.SSLError) as caught:
        waterclock.get(server.url, timeout=10)
    (note,) = caught.value.__notes__
    assert "verify=FILE" in note and "--" not in note
