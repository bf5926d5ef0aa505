"""The servers: the lab's fast one in a process of its own, and a slow one in a thread."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMALL = b'{"id": 7, "name": "clepsydra", "tags": ["water", "clock"], "full": true}'
GZIPPED = 10_000_000


def document() -> list[dict[str, Any]]:
    """About 10 kB of JSON, of each kind that there is."""
    return [
        {
            "id": number * 7919,
            "name": f"vessel number {number}",
            "level": number / 7,
            "tags": ["water", "clock", "\u6c34", None],
            "full": number % 3 == 0,
            "outlet": {"diameter_mm": 0.5 + number, "sealed": False, "note": 'a "quoted" word'},
        }
        for number in range(50)
    ]


def pattern(length: int) -> bytes:
    """What the server sends for /bytes/N."""
    period = bytes(range(251))
    return (period * (length // 251 + 1))[:length]


def text(length: int) -> bytes:
    """Something that compresses about as well as text does."""
    lines = [
        f"{number * 2654435761 % 2**32:010} drops, level {number % 97}\n"
        for number in range(40_000)
    ]
    block = "".join(lines).encode()
    return (block * (length // len(block) + 1))[:length]


@dataclass
class Server:
    process: subprocess.Popen[str]
    clear: str
    tls: str
    ca: str

    def pids(self) -> Iterator[int]:
        yield from map(int, os.listdir(f"/proc/{self.process.pid}/task"))

    def put_on(self, processors: set[int]) -> None:
        for task in self.pids():
            # A thread of a connection that was closed may be gone by now.
            with suppress(ProcessLookupError):
                os.sched_setaffinity(task, processors)


@contextmanager
def fast_server(program: str, folder: Path) -> Iterator[Server]:
    """Serves as long as the block runs."""
    (folder / "ten.json").write_text(json.dumps(document()))
    (folder / "text.gz").write_bytes(gzip.compress(text(GZIPPED), 6))
    answers = [
        ("/ten", "Content-Type: application/json", folder / "ten.json"),
        ("/gzip", "Content-Type: text/plain\nContent-Encoding: gzip", folder / "text.gz"),
    ]
    ca = folder / "ca.pem"
    command = [program, ca, *[part for answer in answers for part in answer]]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    try:
        clear, tls = process.stdout.readline().split()
        yield Server(process, clear, tls, str(ca))
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def pinned(server: Server) -> Iterator[None]:
    """This process, those that it starts, and the server on one processor, where the system lets us.

    On two of them it is how long a sleeping processor takes to wake up that is measured.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    server.put_on({min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        server.put_on(before)


@contextmanager
def slow_server(drips: int = 20, pause: float = 0.1) -> Iterator[str]:
    """Answers nothing, but under /drip a body of which a byte comes each `pause`."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65536):
                if b" /drip" not in request:
                    continue
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % drips)
                for _ in range(drips):
                    time.sleep(pause)
                    connection.sendall(b".")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
