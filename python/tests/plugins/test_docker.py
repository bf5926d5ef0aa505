"""docker's client: a Session with an adapter that brings its own pool over a Unix socket."""

from __future__ import annotations

import json
import struct
import tempfile
import threading
from pathlib import Path

import docker
import pytest
import requests
from loopback import CLOSE, STALL, answer


def as_json(value, status=200):
    return answer(json.dumps(value), status, [("Content-Type", "application/json")])


def frame(stream, data):
    return struct.pack(">BxxxL", stream, len(data)) + data


def chunked(*pieces, head=b""):
    parts = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return (
        b"HTTP/1.1 200 OK\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
    )


@pytest.fixture
def daemon(serve):
    """daemon({path: reply}): a client of a mock daemon with these replies, and the daemon."""
    # Not tmp_path: the address of a Unix socket has room for about a hundred characters.
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "d.sock")
        clients = []

        def start(replies, **options):
            server = serve({f"/v1.44{key}": reply for key, reply in replies.items()}, path=path)
            client = docker.APIClient(base_url="unix://" + path, version="1.44", **options)
            clients.append(client)
            return client, server

        yield start
        for client in clients:
            client.close()


def test_plain_calls(daemon):
    client, server = daemon(
        {
            "/containers/json": as_json([{"Id": "c1"}]),
            "/containers/create": as_json({"Id": "c2", "Warnings": []}, 201),
            "/containers/c2": as_json({"message": "no such container: c2"}, 404),
        }
    )
    assert client.containers(all=True) == [{"Id": "c1"}]
    assert client.create_container("image", command="true")["Id"] == "c2"
    with pytest.raises(docker.errors.NotFound, match="no such container"):
        client.remove_container("c2")
    assert json.loads(server.requests[1].body)["Image"] == "image"
    assert server.requests[0].header("User-Agent").startswith("docker-sdk-python")


def test_streamed_json(daemon):
    lines = [b'{"status": "Pulling"}\r\n{"sta', b'tus": "Done"}\r\n']
    client, _ = daemon({"/images/create": chunked(*lines)})
    found = list(client.pull("image", tag="1", stream=True, decode=True))
    assert [line["status"] for line in found] == ["Pulling", "Done"]


def test_logs_in_frames(daemon):
    client, _ = daemon(
        {
            "/containers/c1/json": as_json({"Config": {"Tty": False}}),
            "/containers/c1/logs": chunked(frame(1, b"out\n"), frame(2, b"err\n")),
        }
    )
    assert client.logs("c1") == b"out\nerr\n"
    assert list(client.logs("c1", stream=True)) == [b"out\n", b"err\n"]


def test_the_socket_under_a_response(daemon):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    attached = threading.Event()
    client, _ = daemon(
        {
            "/containers/c1/json": as_json({"Config": {"Tty": False}}),
            "/containers/c1/attach": [head, attached, frame(1, b"hello"), CLOSE],
        }
    )
    sock = client.attach_socket("c1", params={"stdout": 1, "stream": 1})
    attached.set()  # what had come with the head would not be in the socket
    data = b""
    while part := sock.read(100):
        data += part
    assert data == frame(1, b"hello")


def test_time_limit_and_no_daemon(daemon):
    client, server = daemon({"/info": [STALL]}, timeout=0.2)
    with pytest.raises(requests.exceptions.Timeout):
        client.info()
    server.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        client.version()
