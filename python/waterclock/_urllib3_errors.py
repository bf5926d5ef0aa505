"""The exceptions that urllib3 would have raised for a failure of the engine: same classes, arguments and words."""

from __future__ import annotations

import re
import sys

from ._errors import class_name, detail_of, is_length_conflict, is_of_proxy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import EngineError
    from ._errors import Attempt
    from .models import Response


def after_no_retry(error: EngineError, attempt: Attempt) -> Any:
    """What urlopen raises for a call that is made once: `Retry(0, read=False)`."""
    from urllib3 import exceptions as theirs

    made = of_failure(error, attempt)
    retried = (
        theirs.ConnectTimeoutError,
        theirs.ProxyError,
        theirs.SSLError,
    )
    if not isinstance(made, retried):
        return made
    wrapped = theirs.MaxRetryError(pool_of(attempt), target_of(attempt), made)
    wrapped.__cause__ = made
    return wrapped


def of_failure(error: EngineError, attempt: Attempt) -> Any:
    """What urlopen counts as the error of one attempt, before retries are asked."""
    made = _of_failure(error, attempt)
    # Where the time went is found again by this; an attribute would be pickled.
    made.__cause__ = error
    return made


def _of_failure(error: EngineError, attempt: Attempt) -> Any:
    from urllib3 import exceptions as theirs

    kind = error.kind
    if kind == "timeout":
        return _timeout(error, attempt)
    if kind in ("resolve", "connect"):
        return _through_proxy(_not_connected(error, attempt), attempt)
    if kind == "proxy":
        return _proxy_failed(error, attempt)
    if kind == "tls" and error.errno is not None:
        return theirs.ProtocolError("Connection aborted.", _os_error(error))
    if kind in ("tls", "certificate"):
        made = theirs.SSLError(_ssl_error(error))
        return _tls_of_proxy(made) if is_of_proxy(error) else made
    if kind == "invalid-url":
        return theirs.LocationValueError(error.message)
    if kind == "protocol" and _conflict(error) is not None:
        return theirs.InvalidHeader(_conflict(error))
    inner = _broken(error)
    if attempt.is_forwarded and isinstance(inner, ConnectionError):
        return theirs.ProxyError("Unable to connect to proxy", inner)
    return theirs.ProtocolError("Connection aborted.", inner)


def _tls_of_proxy(made: Any) -> Any:
    from urllib3 import exceptions as theirs

    text = "Unable to connect to proxy"
    if "WRONG_VERSION_NUMBER" in str(made):
        text += (
            ". Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP. "
            "See: https://urllib3.readthedocs.io/en/latest/advanced-usage.html#https-proxy-error-http-proxy"
        )
    return theirs.ProxyError(text, made)


def _timeout(error: EngineError, attempt: Attempt) -> Any:
    from urllib3 import exceptions as theirs

    name = class_name(error, attempt)
    seconds = error.configured
    if name in ("ConnectTimeout", "ProxyConnectTimeout"):
        conn = connection_of(attempt)
        shown = _shown(attempt.connect, seconds)
        text = f"Connection to {conn.host} timed out. (connect timeout={shown})"
        return _through_proxy(theirs.ConnectTimeoutError(conn, text), attempt)
    pool = pool_of(attempt)
    if name == "PoolTimeout":
        text = "Pool is empty and a new connection can't be opened due to blocking mode."
        return theirs.EmptyPoolError(pool, text)
    if name == "UploadTimeout":
        return theirs.ProtocolError("Connection aborted.", TimeoutError("timed out"))
    if name == "BodyTimeout":
        return theirs.ReadTimeoutError(pool, None, "Read timed out.")
    early = name in ("HandshakeTimeout", "TunnelTimeout")
    shown = _shown(attempt.connect if early else attempt.read, seconds)
    text = f"Read timed out. (read timeout={shown})"
    return theirs.ReadTimeoutError(pool, target_of(attempt), text)


def _shown(given: Any, fired: float | None) -> Any:
    """The number for the message: as the caller wrote it, if it is the one that fired."""
    if fired is None or (given is not None and abs(float(given) - fired) < 1e-6):
        return given
    return fired


def _not_connected(error: EngineError, attempt: Attempt) -> Any:
    from urllib3 import exceptions as theirs

    conn = connection_of(attempt)
    if error.kind == "resolve":
        import socket

        text = detail_of(error).rpartition("information: ")[2]
        number = _RESOLVER.get(text, socket.EAI_NONAME)
        made: Any = theirs.NameResolutionError(conn.host, conn, socket.gaierror(number, text))
    else:
        text = str(_os_error(error))
        made = theirs.NewConnectionError(conn, f"Failed to establish a new connection: {text}")
    return made


# What getaddrinfo says, with its numbers as on Linux.
_RESOLVER = {
    "Name or service not known": -2,
    "Temporary failure in name resolution": -3,
    "Non-recoverable failure in name resolution": -4,
    "No address associated with hostname": -5,
}


def _through_proxy(made: Any, attempt: Attempt) -> Any:
    """As urlopen wraps what happened before it had reached the proxy."""
    if attempt.proxy is None or attempt.is_socks:
        return made
    from urllib3 import exceptions as theirs

    return theirs.ProxyError("Unable to connect to proxy", made)


def _proxy_failed(error: EngineError, attempt: Attempt) -> Any:
    from urllib3 import exceptions as theirs

    detail = detail_of(error)
    if attempt.is_socks:
        conn = connection_of(attempt)
        text = _socks_text(detail)
        return theirs.NewConnectionError(conn, f"Failed to establish a new connection: {text}")
    if error.proxy_status is not None:
        reason = (error.proxy_reason or "").strip()
        refused = OSError(f"Tunnel connection failed: {error.proxy_status} {reason}")
        return theirs.ProxyError("Unable to connect to proxy", refused)
    return theirs.ProtocolError("Connection aborted.", _broken(error))


# How PySocks names the answers of a SOCKS5 proxy (RFC 1928, section 6).
_SOCKS5 = {
    1: "General SOCKS server failure",
    2: "Connection not allowed by ruleset",
    3: "Network unreachable",
    4: "Host unreachable",
    5: "Connection refused",
    6: "TTL expired",
    7: "Command not supported, or protocol error",
    8: "Address type not supported",
}


def _socks_text(detail: str) -> str:
    before, _, code = detail.rpartition("(code ")
    if before and code.rstrip(")").isdigit() and int(code.rstrip(")")) in _SOCKS5:
        number = int(code.rstrip(")"))
        return f"0x{number:02x}: {_SOCKS5[number]}"
    if " closed " in detail:
        return "Connection closed unexpectedly"
    return detail


def _broken(error: EngineError) -> BaseException:
    """What http.client or the socket raises for a connection that broke before the response's head was there."""
    import http.client

    kind = error.kind
    detail = detail_of(error)
    if error.errno is not None:
        return _os_error(error)
    received = quoted(detail)
    if received is not None:
        if detail.startswith("neither HTTP/1.0"):
            return http.client.UnknownProtocol(received.split(" ")[0])
        if "status line" in detail or "does not answer in HTTP" in detail:
            return http.client.BadStatusLine(received + "\r\n")
    if " closed " in detail or kind == "closed":
        return http.client.RemoteDisconnected("Remote end closed connection without response")
    if kind == "too-large" and "header fields" in detail:
        return http.client.HTTPException("got more than 100 headers")
    if kind == "too-large" and "interim" not in detail:
        return http.client.LineTooLong("header line")
    return http.client.HTTPException(detail)


def quoted(text: str) -> str | None:
    """What is between the first and the last quotation mark."""
    start, end = text.find('"'), text.rfind('"')
    if start < 0 or end <= start:
        return None
    return text[start + 1 : end]


def _os_error(error: EngineError) -> OSError:
    """The OSError with the system's number, which makes it a ConnectionResetError, for example."""
    import os

    if error.errno is None:
        return OSError(detail_of(error))
    return OSError(error.errno, os.strerror(error.errno))


def _conflict(error: EngineError) -> str | None:
    if not is_length_conflict(error):
        return None
    import re

    numbers = ", ".join(re.findall(r"\b\d+\b", detail_of(error)))
    return f"Content-Length contained multiple unmatching values ({numbers})"


# The words of OpenSSL (X509_V_ERR_...) for what our verifier found, which programs look for; the first match counts.
_CERTIFICATE = (
    ("expired", 10, "certificate has expired"),
    ("not yet valid", 9, "certificate is not yet valid"),
    ("not valid yet", 9, "certificate is not yet valid"),
    ("self-signed certificate in", 19, "self-signed certificate in certificate chain"),
    ("self-signed", 18, "self-signed certificate"),
    ("self signed", 18, "self-signed certificate"),
    ("revoked", 23, "certificate revoked"),
    ("issuer", 20, "unable to get local issuer certificate"),
    ("unknown authority", 20, "unable to get local issuer certificate"),
    ("signed by", 20, "unable to get local issuer certificate"),
)


def _ssl_error(error: EngineError) -> Exception:
    import ssl

    detail = detail_of(error)
    if error.kind == "certificate":
        code, words = _verdict_of_openssl(error, detail)
        text = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {words}"
        made: Any = ssl.SSLCertVerificationError(1, text)
        made.verify_code, made.verify_message = code, words
        made.reason, made.library = "CERTIFICATE_VERIFY_FAILED", "SSL"
        return made  # type: ignore[no-any-return]
    lowered = detail.lower()
    if "closed" in lowered or "eof" in lowered or "ended" in lowered:
        text = "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"
        return ssl.SSLEOFError(8, text)
    if "not tls" in lowered or "speak" in lowered or "plain" in lowered or "corrupt" in lowered:
        return ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    return ssl.SSLError(1, f"[SSL] {detail}")


def unusable_file(text: str) -> Any:
    """What a file with certificates or a key is refused with: OpenSSL names no file, so its words are put in front."""
    import ssl

    if "holds no certificate" in text:
        return ssl.SSLError(
            136, f"[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found: {text}"
        )
    return ssl.SSLError(524297, f"[SSL] PEM lib: {text}")


def _verdict_of_openssl(error: EngineError, detail: str) -> tuple[int, str]:
    lowered = detail.lower()
    host = error.host or ""
    if "not valid for" in lowered or "is for" in lowered or "not for" in lowered:
        if host.replace(".", "").isdigit() or ":" in host:
            bare = host.strip("[]")
            return 64, f"IP address mismatch, certificate is not valid for '{bare}'."
        return 62, f"Hostname mismatch, certificate is not valid for '{host}'."
    for sign, code, words in _CERTIFICATE:
        if sign in lowered:
            return code, words
    return 1, detail


def of_body(error: EngineError, response: Response | None) -> Any:
    """What urllib3 raises for a failure while a response's body is read."""
    from urllib3 import exceptions as theirs

    made: Any
    kind = error.kind
    if kind == "timeout":
        reply = None if response is None else response.__dict__.get("_reply")
        if reply is not None:
            pool = pool_of_url(reply.url)
        else:
            pool = _pool("https" if error.port == 443 else "http", error.host or "", error.port)
        made = theirs.ReadTimeoutError(pool, None, "Read timed out.")
    elif kind == "decode":
        words = re.search(r"not valid (\S+):|the (\S+) stream", detail_of(error))
        coding = (words[1] or words[2]) if words else ""
        text = f"Received response with content-encoding: {coding}, but failed to decode it."
        made = theirs.DecodeError(text, _decoder_error(detail_of(error), coding))
    elif kind in ("tls", "certificate"):
        made = theirs.SSLError(_ssl_error(error))
    else:
        made = _cut_short(error)
    made.__cause__ = error
    return made


def _decoder_error(detail: str, coding: str) -> Exception:
    if coding not in ("gzip", "x-gzip", "deflate"):
        return ValueError(detail)
    import zlib

    what = detail.partition(": ")[2].partition(" (after ")[0]
    if "magic bytes" in what:
        what = "incorrect header check"
    return zlib.error(f"Error -3 while decompressing data: {what}")


def _cut_short(error: EngineError) -> Any:
    from urllib3 import exceptions as theirs

    inner: Any
    if error.errno is not None:
        inner = _os_error(error)
    elif error.expected is not None:
        received = error.received or 0
        inner = theirs.IncompleteRead(received, error.expected - received)
    else:
        detail = detail_of(error)
        if error.kind in ("incomplete-body", "closed", "cancelled"):
            return theirs.ProtocolError("Response ended prematurely")
        inner = bad_chunk(detail) or OSError(detail)
    return theirs.ProtocolError(f"Connection broken: {inner!r}", inner)


def bad_chunk(detail: str) -> Any:
    """urllib3's error for a chunk size that is none, if that is what happened."""
    import re

    from urllib3 import exceptions as theirs

    found = re.search(r"unexpected byte '(.*)' in the line of the chunk after (\d+) bytes", detail)
    if found is None:
        return None
    made: Any = theirs.InvalidChunkLength.__new__(theirs.InvalidChunkLength)
    made.partial, made.expected, made.response = int(found[2]), None, None
    made.length = found[1].encode("ascii", "replace")
    return made


# Pools and connections that were never used: urllib3 writes them into its messages, and programs ask them for
# host and port.


def _place_of(attempt: Attempt) -> tuple[str, str, int | None]:
    """Scheme, host and port of the pool: the proxy's where an http proxy is asked for an http URL."""
    url = attempt.proxy if attempt.is_forwarded else attempt.request.url
    return _split(url or "")


def _split(url: str) -> tuple[str, str, int | None]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(scheme)


def pool_of(attempt: Attempt) -> Any:
    scheme, host, port = _place_of(attempt)
    if attempt.is_socks:
        socks = sys.modules.get("urllib3.contrib.socks")
        if socks is None:
            try:
                from urllib3.contrib import socks
            except ImportError:
                socks = None
        if socks is not None:
            chosen = (
                socks.SOCKSHTTPSConnectionPool
                if scheme == "https"
                else socks.SOCKSHTTPConnectionPool
            )
            return chosen(host, port, _socks_options={})
    return _pool(scheme, host, port)


def pool_of_url(url: str) -> Any:
    return _pool(*_split(url))


def _pool(scheme: str, host: str, port: int | None) -> Any:
    import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    return (HTTPSConnectionPool if scheme == "https" else HTTPConnectionPool)(host, port)


def connection_of(attempt: Attempt) -> Any:
    """The connection that was not made: to the proxy, if there is one."""
    pool = pool_of(attempt)
    if attempt.proxy is not None and not attempt.is_socks:
        _, host, port = _split(attempt.proxy)
        return type(pool).ConnectionCls(host, port)
    if attempt.is_socks and "_socks_options" in pool.conn_kw:
        return pool.ConnectionCls({}, host=pool.host, port=pool.port)
    return type(pool).ConnectionCls(pool.host, pool.port)


def target_of(attempt: Attempt) -> str:
    """What the request line has: urllib3 has it in its messages, encoded once more."""
    import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
    from urllib3.util.url import parse_url

    target = attempt.shown_target()
    if target.startswith("/"):
        path: str = parse_url("http://host" + target).request_uri
        return path
    whole: str = parse_url(target)._replace(fragment=None).url
    return whole
