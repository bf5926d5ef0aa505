"""The tests' own servers do what they say (seen with http.client, which shares nothing with us)."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading

import pytest
from loopback import CLOSE, RESET, STALL, answer


def test_replies_come_in_order_and_the_last_repeats(serve):
    server = serve(answer("one"), answer("two", 404))
    connection = http.client.HTTPConnection(server.host, server.port)
    seen = []
    for number in range(3):
        connection.request("POST", f"/{number}", body=b"x" * number)
        response = connection.getresponse()
        seen.append((response.status, response.read()))
    assert seen == [(200, b"one"), (404, b"two"), (404, b"two")]
    assert [r.body for r in server.requests] == [b"", b"x", b"xx"]
    assert server.requests[1].header("content-LENGTH") == "1"
    assert server.connections == 1
    connection.close()


def test_paths_functions_and_chunked_requests(serve):
    server = serve({"/echo": lambda request: answer(request.body[::-1])})
    connection = http.client.HTTPConnection(server.host, server.port)
    connection.request("PUT", "/echo?q", body=iter([b"ab", b"c"]), encode_chunked=True)
    assert connection.getresponse().read() == b"cba"
    connection.request("GET", "/other")
    assert connection.getresponse().status == 404
    connection.close()


def test_steps(serve):
    gate = threading.Event()
    server = serve([b"HTTP/1.1 200 OK\r\n", gate, b"\r\nrest", CLOSE])
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 200 OK\r\n"
        gate.set()
        rest = b""
        while part := sock.recv(100):
            rest += part
        assert rest == b"\r\nrest"


def test_reset_and_stall(serve):
    server = serve([b"x", RESET], [STALL])
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while sock.recv(100):
                pass
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(100)


def test_tls(tls_serve, ca_file, client_certificate):
    server = tls_serve(answer("safe"), ask_client=True)
    context = ssl.create_default_context(cafile=ca_file)
    context.load_cert_chain(*client_certificate)
    connection = http.client.HTTPSConnection("localhost", server.port, context=context)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"safe"
    connection.close()


def test_black_hole(black_hole):
    with pytest.raises(TimeoutError):
        socket.create_connection((black_hole.host, black_hole.port), timeout=0.1)
