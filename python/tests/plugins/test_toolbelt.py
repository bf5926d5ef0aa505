"""requests-toolbelt: bodies with `read` and `len`, adapters that shape the pool, and its helpers."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time

import pytest
import requests
from loopback import answer
from requests_toolbelt import (
    MultipartDecoder,
    MultipartEncoder,
    MultipartEncoderMonitor,
    StreamingIterator,
)
from requests_toolbelt.adapters.fingerprint import FingerprintAdapter
from requests_toolbelt.adapters.host_header_ssl import HostHeaderSSLAdapter
from requests_toolbelt.adapters.socket_options import SocketOptionsAdapter, TCPKeepAliveAdapter
from requests_toolbelt.adapters.source import SourceAddressAdapter
from requests_toolbelt.adapters.ssl import SSLAdapter
from requests_toolbelt.auth.guess import GuessAuth
from requests_toolbelt.cookies.forgetful import ForgetfulCookieJar
from requests_toolbelt.downloadutils import stream, tee
from requests_toolbelt.sessions import BaseUrlSession
from requests_toolbelt.threaded import pool
from requests_toolbelt.utils import dump
from requests_toolbelt.utils.user_agent import user_agent


def test_multipart_is_streamed_with_a_length(serve):
    server = serve(answer("ok"))
    encoder = MultipartEncoder({"a": "1", "file": ("f.txt", b"x" * 50000, "text/plain")})
    headers = {"Content-Type": encoder.content_type}
    assert requests.post(server.url, data=encoder, headers=headers).text == "ok"
    (request,) = server.requests
    assert request.header("Content-Length") == str(len(request.body))
    parts = MultipartDecoder(request.body, encoder.content_type).parts
    assert [part.content for part in parts] == [b"1", b"x" * 50000]


def test_monitor_sees_the_body_go(serve):
    server = serve(answer("ok"))
    seen = []
    encoder = MultipartEncoder({"file": ("f.txt", b"x" * 50000)})
    monitor = MultipartEncoderMonitor(encoder, lambda m: seen.append(m.bytes_read))
    requests.post(server.url, data=monitor, headers={"Content-Type": monitor.content_type})
    assert seen[-1] == len(server.requests[0].body)
    assert seen == sorted(seen)


def test_streaming_iterator(serve):
    server = serve(answer("ok"))
    body = StreamingIterator(6, iter([b"abc", b"def"]))
    requests.put(server.url, data=body)
    assert server.requests[0].body == b"abcdef"
    assert server.requests[0].header("Content-Length") == "6"


def test_base_url(serve):
    server = serve(answer("ok"))
    session = BaseUrlSession(base_url=server.url + "/api/")
    assert session.get("things", params={"a": 1}).url == server.url + "/api/things?a=1"
    prepared = session.prepare_request(requests.Request("GET", "/root"))
    assert prepared.url == server.url + "/root"


@pytest.mark.parametrize(
    "adapter",
    [
        SourceAddressAdapter("127.0.0.1"),
        SocketOptionsAdapter(socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]),
        TCPKeepAliveAdapter(idle=60, interval=10, count=3),
    ],
    ids=lambda adapter: type(adapter).__name__,
)
def test_adapters_that_shape_the_socket(serve, adapter):
    server = serve(answer("ok"))
    with requests.Session() as session:
        session.mount("http://", adapter)
        for _ in range(2):
            assert session.get(server.url, timeout=5).text == "ok"
    assert server.connections == 1


def test_tls_version(tls_serve, ca_file):
    server = tls_serve(answer("ok"))
    with requests.Session() as session:
        session.mount("https://", SSLAdapter(ssl.PROTOCOL_TLS_CLIENT))
        assert session.get(server.url, verify=ca_file).text == "ok"


def test_fingerprint(tls_serve, server_context, ca_file):
    server = tls_serve(answer("ok"))
    pem = ssl.get_server_certificate(("localhost", server.port))
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    for fingerprint, is_right in ((pin, True), ("0" * 64, False)):
        with requests.Session() as session:
            session.mount("https://", FingerprintAdapter(fingerprint))
            if is_right:
                assert session.get(server.url, verify=ca_file).text == "ok"
            else:
                with pytest.raises(requests.exceptions.SSLError):
                    session.get(server.url, verify=ca_file)


def test_host_header_decides_about_the_certificate(tls_serve, server_context, ca_file):
    server = tls_serve(answer("ok"), tls=server_context("service.example"))
    with requests.Session() as session:
        with pytest.raises(requests.exceptions.SSLError):
            session.get(server.url, verify=ca_file, headers={"Host": "service.example"})
        session.mount("https://", HostHeaderSSLAdapter())
        found = session.get(server.url, verify=ca_file, headers={"Host": "service.example"})
        assert found.text == "ok"
    assert server.requests[-1].header("Host") == "service.example"


@pytest.mark.parametrize(
    ("challenge", "begins"),
    [('Basic realm="r"', "Basic dTpw"), ('Digest realm="r", nonce="n", qop="auth"', "Digest ")],
)
def test_guessed_authentication(serve, challenge, begins):
    def reply(request):
        if request.header("Authorization"):
            return answer("in")
        return answer("no", 401, [("WWW-Authenticate", challenge)])

    server = serve(reply)
    found = requests.get(server.url, auth=GuessAuth("u", "p"))
    assert found.text == "in"
    assert (server.requests[-1].header("Authorization") or "").startswith(begins)
    assert len(found.history) == 1


def test_forgetful_cookies(serve):
    server = serve(answer("ok", headers=[("Set-Cookie", "a=b")]))
    session = requests.Session()
    session.cookies = ForgetfulCookieJar()
    session.get(server.url)
    session.get(server.url)
    assert server.requests[1].header("Cookie") is None


def test_dump_shows_the_exchange(serve):
    server = serve(
        {"/a": answer("", 302, [("Location", "/b")]), "/b": answer("end", headers=[("X-One", "1")])}
    )
    shown = dump.dump_all(requests.post(server.url + "/a", data={"k": "v"})).decode()
    for line in (
        "< POST /a HTTP/1.1",
        "k=v",
        "> HTTP/1.1 302 Found",
        "< GET /b HTTP/1.1",
        "> X-One: 1",
    ):
        assert line in shown
    assert shown.endswith("end")


def test_downloads(serve, tmp_path):
    server = serve(
        answer(b"x" * 9000, headers=[("Content-Disposition", "attachment; filename=f.bin")])
    )
    found = requests.get(server.url, stream=True)
    path = stream.stream_response_to_file(found, path=str(tmp_path))
    assert (tmp_path / "f.bin").read_bytes() == b"x" * 9000
    assert path.endswith("f.bin")
    copy = tmp_path / "copy"
    pieces = tee.tee_to_file(requests.get(server.url, stream=True), filename=str(copy))
    assert b"".join(pieces) == copy.read_bytes() == b"x" * 9000


def test_a_pool_of_threads(serve):
    def reply(request):
        # toolbelt starts its threads before they have all that they need: not at once.
        time.sleep(0.05)
        return answer(request.target)

    server = serve(reply)
    pooled = pool.Pool.from_urls([f"{server.url}/{n}" for n in range(12)], num_processes=4)
    pooled.join_all()
    assert sorted(r.text for r in pooled.responses()) == sorted(f"/{n}" for n in range(12))
    assert not list(pooled.exceptions())


def test_user_agent():
    assert user_agent("mine", "1").startswith("mine/1 ")
