"""A server on loopback that does what a test tells it to, byte by byte.

A reply is what is sent for one request:

* `bytes`: sent as they are, and the connection stays open for the next request;
* a list of steps: `bytes` are sent, a number waits that many seconds, an `Event` waits until the test
  sets it, and `CLOSE`, `RESET`, `STALL` end the connection well, end it with a reset, or go silent;
* a function of the request that returns either of these.

Every wait ends when the server is stopped, so that a failing test cannot hang the others.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING


class Step(Enum):
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


CLOSE, RESET, STALL = Step.CLOSE, Step.RESET, Step.STALL

if TYPE_CHECKING:
    Action = bytes | int | float | threading.Event | Step
    Script = bytes | Sequence[Action]
    Reply = Script | Callable[["Received"], Script]


@dataclass
class Received:
    """One request as it came from the wire."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    head: bytes  # everything before the body, the empty line included
    connection: int  # 1 for the first connection that the server accepted
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


def answer(
    body: bytes | str = b"",
    status: int | str = "200 OK",
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A whole response with a Content-Length."""
    data = body.encode() if isinstance(body, str) else body
    line = f"{status} {_REASONS.get(status, 'Some Reason')}" if isinstance(status, int) else status
    head = [f"HTTP/1.1 {line}", f"Content-Length: {len(data)}"]
    head += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + data


_REASONS: dict[int | str, str] = {
    200: "OK",
    201: "Created",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class Server:
    """Answers the n-th request with the n-th reply, and every later one with the last reply.

    With a dictionary, the reply is the one under the request's path ("*" for any other path).
    `path` is that of a Unix socket, to be used instead of a port.
    """

    def __init__(
        self,
        replies: Sequence[Reply] | dict[str, Reply],
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        name: str | None = None,
        path: str | None = None,
        read_body: bool = True,
    ) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.host = name or host
        self._replies = replies
        self._tls = tls
        self._read_body = read_body
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self._listener.listen(64)
            self.port = 0
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, 0), family=family, backlog=64)
            self.port = self._listener.getsockname()[1]
        self._spawn(self._accept)

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The server's address, without a path: add one that begins with a slash."""
        return f"{'https' if self._tls else 'http'}://{self.authority}"

    def stop(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            # Closing alone would leave accept() waiting.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for sock in still_open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            self._spawn(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):  # as with a Unix socket
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._track(sock, True)
        try:
            if self._tls is not None:
                plain, sock = sock, self._tls.wrap_socket(sock, server_side=True)
                self._track(plain, False)
                self._track(sock, True)
            reader = sock.makefile("rb")
            while not self._stopping.is_set():
                request = read_request(reader, number, self._read_body, sock)
                if request is None or not self._perform(sock, self._reply_to(request)):
                    return
        except (OSError, ValueError):
            return  # the client has gone, or sent what is not HTTP: tests look at the client
        finally:
            self._track(sock, False)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # a reader made from it would keep it open
            sock.close()

    def _track(self, sock: socket.socket, is_open: bool) -> None:
        with self._lock:
            (self._open.add if is_open else self._open.discard)(sock)

    def _reply_to(self, request: Received) -> Script:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        reply: Reply
        if isinstance(self._replies, dict):
            path = request.target.partition("?")[0]
            found = self._replies.get(path, self._replies.get("*"))
            reply = answer(b"", 404) if found is None else found
        else:
            reply = self._replies[min(number, len(self._replies) - 1)]
        return reply(request) if callable(reply) else reply

    def _perform(self, sock: socket.socket, script: Script) -> bool:
        """Does what the script says; False when the connection is not to be used again."""
        for action in [script] if isinstance(script, bytes) else script:
            if isinstance(action, bytes):
                sock.sendall(action)
            elif isinstance(action, threading.Event):
                while not action.wait(0.02) and not self._stopping.is_set():
                    pass
            elif isinstance(action, Step):
                if action is STALL:
                    self._stopping.wait()
                elif action is RESET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    _detach_and_close(sock)
                return False
            else:
                self._stopping.wait(action)
        return True


def _detach_and_close(sock: socket.socket) -> None:
    # The reader made from the socket holds a reference that a mere close() would wait for.
    socket.close(sock.detach())


def read_request(
    reader: object, number: int, read_body: bool = True, sock: socket.socket | None = None
) -> Received | None:
    """Reads one request; None at the end of the connection."""
    readline: Callable[[], bytes] = reader.readline  # type: ignore[attr-defined]
    read: Callable[[int], bytes] = reader.read  # type: ignore[attr-defined]
    first = readline()
    if not first.strip():
        return None
    head = first
    headers = _read_fields(readline)
    for name, value in headers:
        head += f"{name}: {value}\r\n".encode("latin-1")
    method, target, version = first.decode("latin-1").split()
    request = Received(method, target, version, headers, b"", head + b"\r\n", number)
    if not read_body:
        return request
    if (request.header("expect") or "").lower() == "100-continue" and sock is not None:
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in (request.header("transfer-encoding") or "").lower():
        while size := int(readline().split(b";")[0], 16):
            request.body += read(size)
            readline()
        request.trailers = _read_fields(readline)
    else:
        request.body = read(int(request.header("content-length") or 0))
    return request


def _read_fields(readline: Callable[[], bytes]) -> list[tuple[str, str]]:
    fields = []
    while (line := readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        fields.append((name, value.strip(" \t\r\n")))
    return fields


class BlackHole:
    """An address on loopback where a connection is never made: its queue of connections is full."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._listener = socket.socket()
        self._listener.bind((host, 0))
        self._listener.listen(0)
        self.host, self.port = self._listener.getsockname()
        self.url = f"http://{self.host}:{self.port}"
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((self.host, self.port))
            self._fillers.append(filler)

    def stop(self) -> None:
        for sock in [*self._fillers, self._listener]:
            sock.close()
