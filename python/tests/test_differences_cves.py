"""Flaws that requests or urllib3 have had, where code of the Python package could bring them back.

docs/security.md has all of them, with the tests of the client below.
"""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from differences import of_requests, of_waterclock
from loopback import Server, answer

import waterclock

Serve = Callable[..., Server]

OK = answer("ok")
ZEROS = gzip.compress(bytes(50_000_000))


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Proxy-Authorization"])
def test_cve_2018_18074_2023_43804_2024_37891_secrets_stay(serve: Serve, name: str) -> None:
    def program(package: Any) -> Any:
        other = serve(OK)
        first = serve(answer("", 302, [("Location", other.url)]))
        package.get(first.url, headers={name: "secret"}, timeout=10)
        return first.requests[0].header(name), other.requests[0].header(name)

    assert of_waterclock(program) == ("secret", None)


def test_proxy_authorization_is_for_the_proxy(serve: Serve) -> None:
    """requests sends it into the tunnel, to the server behind it."""
    heads: list[bytes] = []

    def program(package: Any) -> Any:
        proxy = serve(lambda request: heads.append(request.head) or answer("", 407))
        headers = {"Proxy-Authorization": "secret"}
        with pytest.raises(package.exceptions.ProxyError):
            package.get("https://a.invalid/", headers=headers, proxies={"https": proxy.url})
        return b"secret" in heads[-1]

    assert of_requests(program) is False
    assert of_waterclock(program) is True


def test_cve_2023_32681_a_proxys_credentials_stay_with_it(
    serve: Serve, tls_serve: Serve, ca_file: str
) -> None:
    """A redirect from http to https, which goes through a tunnel of the same proxy."""
    heads: list[bytes] = []

    def reply(request: Any) -> Any:
        heads.append(request.head)
        if request.method == "CONNECT":
            return answer("", 502)
        return answer("", 302, [("Location", "https://a.invalid/")])

    proxy = serve(reply)
    address = proxy.url.replace("http://", "http://user:password@")
    with pytest.raises(waterclock.exceptions.ProxyError):
        waterclock.get("http://a.invalid/", proxies={"http": address, "https": address})
    assert [head.split()[0] for head in heads] == [b"GET", b"CONNECT"]
    assert all(head.count(b"Proxy-Authorization: Basic ") == 1 for head in heads)


def test_regression_6726_a_client_certificate_is_for_its_caller(
    tls_serve: Serve, ca_file: str, client_certificate: tuple[str, str]
) -> None:
    server = tls_serve(OK, ask_client=True)
    with waterclock.Session() as session:
        session.verify = ca_file
        assert session.get(server.url, cert=client_certificate).text == "ok"
        with pytest.raises(waterclock.ConnectionError):
            session.get(server.url)


def test_cve_2026_21441_a_bomb_in_a_redirect(serve: Serve) -> None:
    coded = answer(ZEROS, 302, [("Location", "/there"), ("Content-Encoding", "gzip")])
    server = serve({"/": coded, "/there": OK})
    assert _peak(lambda: waterclock.get(server.url + "/").text) < 5_000_000


def test_cve_2025_66471_a_small_read_of_a_bomb(serve: Serve) -> None:
    server = serve(answer(ZEROS, 200, [("Content-Encoding", "gzip")]))

    def read() -> None:
        with waterclock.get(server.url, stream=True) as response:
            assert next(response.iter_content(10)) == bytes(10)

    assert _peak(read) < 5_000_000


def test_cve_2025_66418_a_long_chain_of_codings(serve: Serve) -> None:
    server = serve(answer("x", 200, [("Content-Encoding", ", ".join(["gzip"] * 6))]))

    def program(package: Any) -> Any:
        return package.get(server.url).text

    assert of_waterclock(program) == "ContentDecodingError"


def test_ghsa_vxq7_64xx_v4gw_a_chunk_size_without_an_end(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = serve([head, *[b"0" * 65536] * 100])

    def program(package: Any) -> Any:
        return package.get(server.url, timeout=10).text

    assert of_waterclock(program) == "ChunkedEncodingError"


def _peak(program: Callable[[], Any]) -> int:
    """How many bytes of Python's memory it takes at once."""
    program()
    tracemalloc.start()
    try:
        program()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
