"""`Response.raw`: a real response of urllib3 over what our engine receives, made when somebody looks at it.

Below it is something that looks like the HTTPResponse of http.client: urllib3 reads from it, programs look at its
headers, its socket and its certificate, and caches put wrappers around it.
"""

from __future__ import annotations

import http.client
import io
import sys

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import IncompleteRead

from ._response_body import read_ahead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import EngineError, Reply
    from .models import Response

# How much is asked for when the caller wants what is there.
_PIECE = 65536


def urllib3_response(response: Response) -> HTTPResponse:
    """The `raw` of a response that stands on a reply of our engine."""
    reply: Any = response.__dict__["_reply"]
    request = response.__dict__.get("request")
    target = getattr(request, "path_url", None)
    retries = response.__dict__.get("_retries")
    if retries is None:
        retries = getattr(response.connection, "max_retries", None)
    raw = of_reply(reply, target, retries)
    begun = read_ahead(response)
    if begun:
        raw._fp.fp._pending = begun  # type: ignore[union-attr]
    elif response._content is not False or (reply.is_done and reply.expected is None):
        # Everything was read, or nothing more will be: for urllib3 this is a response read to its end.
        raw._fp.close()  # type: ignore[union-attr]
        raw.release_conn()
    return raw


def of_reply(reply: Reply, target: str | None = None, retries: Any = None) -> HTTPResponse:
    """A response of urllib3 over a reply."""
    is_coded = reply.keep_coded()
    original = _Original(reply)
    raw = HTTPResponse(
        body=original,
        headers=HTTPHeaderDict(reply.headers),
        status=reply.status,
        version=reply.version,
        version_string="HTTP/1.1",  # the version that was asked in, also for an answer in 1.0
        reason=reply.reason,
        preload_content=False,
        decode_content=False,
        original_response=original,
        pool=_pool(reply),
        connection=_Connection(reply),  # type: ignore[arg-type]
        msg=original.msg,
        retries=retries,
        request_method=reply.method,
        request_url=target if target is not None else _target(reply.url),
    )
    # What `shutdown()` calls, from any thread (urllib3 2.3 and newer).
    raw._sock_shutdown = lambda how: reply.shutdown()
    if not is_coded:
        # Reading has begun, decoded: what comes from now on is not to be decoded again.
        raw._decoder_initialized = True
    received = reply.received
    if received:
        raw._fp_bytes_read = received
        if raw.length_remaining is not None:
            raw.length_remaining = max(0, raw.length_remaining - received) if is_coded else None
    return raw


def _target(url: str) -> str:
    rest = url.partition("://")[2]
    at = rest.find("/")
    return rest[at:].partition("#")[0] if at >= 0 else "/"


def _pool(reply: Reply) -> Any:
    """What urllib3 names in its errors, and gives the connection back to."""
    from ._urllib3_errors import pool_of_url

    pool = pool_of_url(reply.url)
    # A connection of our engine finds its way back by itself.
    pool._put_conn = lambda connection: connection and connection.release()
    return pool


class _Original(http.client.HTTPResponse):
    """The HTTPResponse of http.client as others see it; its bytes come from the engine.

    Not its constructor: that wants a socket, and reads from it.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._method = reply.method
        self.debuglevel = 0
        message = http.client.HTTPMessage()
        for name, value in reply.headers:
            message[name] = value
        self.headers = self.msg = message
        self.version = reply.version
        self.status = self.code = reply.status
        self.reason = reply.reason
        self.chunked = reply.is_chunked
        self.chunk_left = None
        self.will_close = message.get("Connection", "").lower() == "close"
        self.length = reply.expected
        self._is_closed = False
        # http.client has a buffered reader here until the body is over; urllib3 looks whether it is None.
        self.fp: Any = _Wire(self)

    def _read_some(self, amount: int | None, fill: bool) -> bytes:
        """Bytes from the engine; its failures as those of a socket, which urllib3 translates."""
        wire = self.fp
        if wire is None:
            return b""
        begun: bytes = wire.take(amount)
        if begun and amount is not None and (len(begun) == amount or not fill):
            return begun
        read = self._reply.read
        try:
            if amount is None:
                data: bytes = begun + read()
            else:
                data = begun + read(amount - len(begun), fill)
                # Chunks come as they arrive; http.client goes on until it has what was asked for.
                while fill and 0 < len(data) < amount:
                    more = read(amount - len(data), True)
                    if not more:
                        break
                    data += more
        except Exception as error:
            self._fail(error)
            raise
        if self._reply.is_done:
            self._end()
        return data

    def _fail(self, error: Exception) -> None:
        from . import _engine

        if isinstance(error, _engine.EngineError):
            raise _as_of_socket(error) from error

    def _end(self) -> None:
        self.fp = None

    def read(self, amt: int | None = None) -> bytes:
        if self.fp is None or amt == 0:
            return b""
        if amt is not None and amt < 0:
            amt = None
        data = self._read_some(amt, True)
        if not data or amt is None:
            self._end()
        return data

    def read1(self, n: int = -1) -> bytes:
        if self.fp is None or n == 0:
            return b""
        data = self._read_some(n if n > 0 else _PIECE, False)
        if not data:
            self._end()
        return data

    def readinto(self, b: Any) -> int:
        with memoryview(b).cast("B") as view:
            data = self.read(len(view))
            view[: len(data)] = data
        return len(data)

    def peek(self, n: int = -1) -> bytes:
        return b"" if self.fp is None else self.fp.peek()

    def _safe_read(self, amt: int) -> bytes:
        """What urllib3 takes a chunk with, whose size it had from `fp.readline`."""
        data: bytes = self.fp.take_chunk(amt)
        return data

    def isclosed(self) -> bool:
        return self.fp is None

    def _close_conn(self) -> None:
        self._end()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.fp = None
            self._reply.close()

    @property
    def closed(self) -> bool:  # type: ignore[override]
        return self._is_closed

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError("the socket belongs to the engine")

    def readable(self) -> bool:
        return True


class _Wire:
    """The `fp` of http.client: lines of chunk sizes as urllib3 reads them, and the way to the socket.

    The engine has undone the framing. So that urllib3 gives chunks as they arrive, what has arrived is given to it as a
    chunk with a line in front.
    """

    def __init__(self, original: _Original) -> None:
        self._original = original
        self.raw = _Socket(original._reply)
        self._pending = b""
        self._owes_end = False

    closed = False

    def take(self, amount: int | None) -> bytes:
        """Of what has been announced as a chunk, as much as is wanted."""
        count = len(self._pending) if amount is None else amount
        data, self._pending = self._pending[:count], self._pending[count:]
        return data

    def peek(self) -> bytes:
        if not self._pending:
            self._pending = self._next()
        return self._pending

    def _next(self) -> bytes:
        original = self._original
        try:
            data: bytes = original._reply.read(_PIECE, False)
        except Exception as error:
            original._fail(error)
            raise
        return data

    def readline(self, limit: int = -1) -> bytes:
        if self._owes_end:
            self._owes_end = False
            return b"\r\n"  # the end of the trailer section
        if not self._pending:
            self._pending = self._next()
        if not self._pending:
            self._owes_end = True
            return b"0\r\n"
        return b"%x\r\n" % len(self._pending)

    def take_chunk(self, amount: int) -> bytes:
        # The two bytes after a chunk's data, which urllib3 throws away.
        if not self._pending and amount == 2:
            return b"\r\n"
        return self.take(amount)

    def read(self, amount: int = -1) -> bytes:
        return self._original.read(amount if amount >= 0 else None)

    def close(self) -> None:
        self._original.close()

    def flush(self) -> None:
        pass


def _as_of_socket(error: EngineError) -> BaseException:
    """What http.client or a socket would have raised where the engine failed."""
    kind = error.kind
    if kind == "timeout":
        return TimeoutError("timed out")
    if kind in ("tls", "certificate"):
        import ssl

        return ssl.SSLError(1, error.message)
    if error.errno is not None:
        import os

        return OSError(error.errno, os.strerror(error.errno))
    if kind in ("incomplete-body", "closed", "cancelled"):
        received = error.received or 0
        if error.expected is not None:
            return IncompleteRead(received, error.expected - received)
        from urllib3.exceptions import ProtocolError

        return ProtocolError("Response ended prematurely")
    from ._urllib3_errors import bad_chunk

    return bad_chunk(error.message) or http.client.HTTPException(error.message)


class _Connection:
    """The connection as others see it: where to, whether trusted, and its socket."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.timeout = None
        from .adapters import host_and_port

        self.host, self.port = host_and_port(reply.url)
        self._socket: _Socket | None = None

    @property
    def sock(self) -> _Socket:
        if self._socket is None:
            self._socket = _Socket(self._reply)
        return self._socket

    @property
    def is_closed(self) -> bool:
        return self._reply.is_done

    @property
    def is_verified(self) -> bool:
        return self._reply.url[:6].lower() == "https:"

    def release(self) -> None:
        """The connection goes back to the engine; if the body was not read, it cannot serve again."""
        self._reply.close()

    def close(self) -> None:
        self._reply.close()


class _Socket(io.RawIOBase):
    """As much of a socket as programs ask about: addresses and certificates. There is no file descriptor to be had."""

    def __init__(self, reply: Reply) -> None:
        self._about: dict[str, Any] = reply.connection or {}

    @property
    def _sock(self) -> _Socket:
        return self

    sock = _sock

    @property
    def _tls(self) -> dict[str, Any]:
        return self._about.get("tls") or {}

    def fileno(self) -> int:
        raise OSError("the socket belongs to the engine")

    def gettimeout(self) -> float | None:
        return None

    def getsockname(self) -> Any:
        return _address(self._about.get("local"))

    def getpeername(self) -> Any:
        return _address(self._about.get("remote"))

    def version(self) -> str | None:
        name: str | None = self._tls.get("version")
        return None if name is None else name.replace("TLS ", "TLSv")

    def cipher(self) -> tuple[str, str, int] | None:
        name = self._tls.get("cipher")
        if name is None:
            return None
        bits = 128 if "128" in name else 256
        return str(name), self.version() or "", bits

    def selected_alpn_protocol(self) -> str | None:
        return self._tls.get("alpn")

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The peer's certificate: its DER, or a dictionary as of `ssl`. None without TLS, or without one."""
        certificates = self._tls.get("certificates") or []
        if not certificates:
            return None
        if binary_form:
            return bytes(certificates[0])
        return _decoded(bytes(certificates[0]))


def _address(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port) if port.isdigit() else 0


def _decoded(certificate: bytes) -> dict[str, Any]:
    """What `ssl` shows of a certificate. It decodes files only, so the certificate becomes one for a moment."""
    import os
    import ssl
    import tempfile

    pem = ssl.DER_cert_to_PEM_cert(certificate)
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(pem)
        decode = sys.modules["_ssl"]._test_decode_cert
        found: dict[str, Any] = decode(path)
        return found
    finally:
        os.unlink(path)
