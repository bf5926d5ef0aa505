"""Every failure, provoked twice: with waterclock and with requests, and compared.

`str()`, the classes of what is inside (`e.args[0]`, `.reason`) and their words must be the same. The class itself is that
of requests, or one that derives from it where requests' class misleads.
"""

from __future__ import annotations

import pickle
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from loopback import CLOSE, RESET, STALL, BlackHole, Server, answer
from programs import check

import waterclock

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# Name, what the server does, timeout, and the class if it is not requests' very own.
HEADS: list[tuple[str, Any, Any, str | None]] = [
    ("closed", [CLOSE], None, None),
    ("reset", [RESET], None, None),
    ("not http", [b"garbage\r\n\r\n", CLOSE], None, None),
    ("another version", [b"HTTP/3 200 OK\r\n\r\n", CLOSE], None, None),
    ("no status", [b"HTTP/1.1 abc OK\r\n\r\n", CLOSE], None, None),
    ("silent", [STALL], 0.3, None),
    ("silent, both limits", [STALL], (5, 0.1), None),
    ("long header", [OK + b"A: " + b"b" * 70000 + b"\r\n\r\n", CLOSE], None, None),
    (
        "two lengths",
        [OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", CLOSE],
        None,
        None,
    ),
]
BODIES: list[tuple[str, Any, Any, str | None]] = [
    ("cut", [OK + b"Content-Length: 5\r\n\r\nabc", CLOSE], None, None),
    ("reset in the body", [OK + b"Content-Length: 5\r\n\r\nabc", 0.05, RESET], None, None),
    ("stalled body", [OK + b"Content-Length: 5\r\n\r\nabc", STALL], (5, 0.3), "BodyTimeout"),
    ("stalled chunk", [CHUNKED + b"5\r\nab", STALL], (5, 0.3), "BodyTimeout"),
    ("cut between chunks", [CHUNKED + b"2\r\nab\r\n", CLOSE], None, None),
    ("cut before chunks", [CHUNKED, CLOSE], None, None),
    ("reset in a chunk", [CHUNKED + b"5\r\nab", 0.05, RESET], None, None),
    ("not gzip", answer(b"notgzip", headers=[("Content-Encoding", "gzip")]), None, None),
    ("not deflate", answer(b"notgzip", headers=[("Content-Encoding", "deflate")]), None, None),
]


def raised(package: Any, url: str, **options: Any) -> BaseException:
    session = package.Session()
    session.trust_env = False
    with pytest.raises(Exception) as caught:
        session.request(options.pop("method", "GET"), url, **options)
    return caught.value


def described(error: Any) -> list[str]:
    """What a program can see of an exception, but for what is never the same twice."""
    lines = [normal(str(error)), normal(repr(error.args))]
    inner = [*error.args, getattr(error, "reason", None), getattr(error, "original_error", None)]
    for cause in inner:
        if isinstance(cause, BaseException):
            kind = type(cause)
            lines.append(f"{kind.__module__}.{kind.__name__}")
            lines += described(cause)
    return lines


def normal(text: str) -> str:
    text = re.sub(r"(port=|127\.0\.0\.1:)\d+", r"\1N", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0xN", text)
    return re.sub(r" \(_ssl\.c:\d+\)", "", text)


def compare(url: Callable[[], str], expected: str | None = None, **options: Any) -> Any:
    """Provokes both, compares, and returns ours."""
    theirs = raised(requests, url(), **options)
    ours = raised(waterclock, url(), **options)
    assert described(ours) == described(theirs)
    names = [kind.__name__ for kind in type(ours).__mro__]
    assert names[0] == (expected or type(theirs).__name__)
    for kind in type(theirs).__mro__:
        assert kind.__name__ in names
    assert (ours.request is None) == (theirs.request is None)  # type: ignore[attr-defined]
    assert ours.response is None
    return ours


@pytest.mark.parametrize(
    ("name", "script", "timeout", "expected"), HEADS, ids=lambda v: str(v)[:20]
)
def test_before_the_head(
    serve: Callable[..., Server], name: str, script: Any, timeout: Any, expected: str | None
) -> None:
    error = compare(lambda: serve(script).url + "/a?b=c", expected, timeout=timeout)
    assert error.request.url.endswith("/a?b=c")
    assert error.request_sent == "yes"
    assert error.timeline is not None


@pytest.mark.parametrize(
    ("name", "script", "timeout", "expected"), BODIES, ids=lambda v: str(v)[:20]
)
def test_in_the_body(
    serve: Callable[..., Server], name: str, script: Any, timeout: Any, expected: str | None
) -> None:
    error = compare(lambda: serve(script).url + "/", expected, timeout=timeout)
    assert error.phase == "body"
    assert error.timeline is not None


@pytest.mark.parametrize(
    ("name", "script", "timeout", "expected"), BODIES, ids=lambda v: str(v)[:20]
)
def test_in_the_body_through_raw(
    serve: Callable[..., Server], name: str, script: Any, timeout: Any, expected: str | None
) -> None:
    """`raw` is a real response of urllib3, and raises what that raises."""

    def read(package: Any) -> Any:
        session = package.Session()
        session.trust_env = False
        response = session.get(serve(script).url, timeout=timeout, stream=True)
        with pytest.raises(Exception) as caught:
            list(response.raw.stream(2, decode_content=True))
        return caught.value

    ours, theirs = read(waterclock), read(requests)
    assert type(ours) is type(theirs)
    assert described(ours) == described(theirs)


def test_refused(unused_port: int) -> None:
    error = compare(lambda: f"http://127.0.0.1:{unused_port}/a?b=c")
    assert error.request_sent == "no"
    compare(lambda: f"https://127.0.0.1:{unused_port}/")
    compare(lambda: f"http://localhost:{unused_port}/")


def test_unknown_name() -> None:
    compare(lambda: "http://name.invalid/x")


@pytest.mark.parametrize("timeout", [0.1, (0.1, 5)])
def test_no_connection_in_time(black_hole: BlackHole, timeout: Any) -> None:
    error = compare(lambda: black_hole.url + "/x", timeout=timeout)
    assert error.limit == "address"
    compare(lambda: black_hole.url.replace("http", "https") + "/x", timeout=timeout)


def test_no_handshake_in_time(silent: str) -> None:
    url = silent.replace("http", "https")
    error = compare(lambda: url, "HandshakeTimeout", timeout=(0.3, 5))
    assert isinstance(error, waterclock.ConnectTimeout)
    assert isinstance(error, waterclock.ReadTimeout)
    assert error.limit == "tls"


def test_no_upload_in_time(silent: str) -> None:
    error = compare(
        lambda: silent, "UploadTimeout", method="POST", data=b"x" * 20_000_000, timeout=(0.5, 3)
    )
    assert isinstance(error, waterclock.Timeout)
    assert error.request_sent == "partly"


def test_certificates(tls_serve: Callable[..., Server], ca_file: str, server_context: Any) -> None:
    compare(lambda: tls_serve(answer(b"")).url)
    compare(lambda: tls_serve(answer(b""), tls=server_context("example.org")).url, verify=ca_file)
    compare(
        lambda: tls_serve(answer(b""), tls=server_context("example.org"), name="127.0.0.1").url,
        verify=ca_file,
    )


def test_not_tls(talkative: str) -> None:
    compare(lambda: talkative.replace("http", "https"))


def test_proxies(
    serve: Callable[..., Server], unused_port: int, black_hole: BlackHole, silent: str
) -> None:
    refused = f"http://u:p@127.0.0.1:{unused_port}"
    compare(lambda: "http://example.org/x", proxies={"http": refused})
    compare(lambda: "https://example.org/x", proxies={"https": refused})
    compare(lambda: "http://example.org/x", proxies={"http": "http://proxy.invalid:3128"})
    for scheme in ("http", "https"):
        compare(
            lambda scheme=scheme: f"{scheme}://example.org/x",  # type: ignore[misc]
            "ProxyConnectTimeout",
            proxies={scheme: black_hole.url},
            timeout=0.1,
        )
    compare(
        lambda: "https://example.org/",
        "TunnelTimeout",
        proxies={"https": silent},
        timeout=(0.3, 4),
    )
    for status in (407, 403):
        proxy = serve(answer(b"", status)).url
        error = compare(lambda: "https://example.org/x", proxies={"https": proxy})
        assert error.request_sent == "no"
    for script in ([CLOSE], [RESET], [b"garbage\r\n\r\n", CLOSE]):
        proxy = serve(script).url
        compare(lambda: "https://example.org/x", "ProxyError", proxies={"https": proxy})
    for script in ([CLOSE], [RESET]):
        proxy = serve(script).url
        compare(lambda: "http://example.org/x", proxies={"http": proxy})
    proxy = serve([STALL]).url
    compare(lambda: "http://example.org/x", proxies={"http": proxy}, timeout=0.3)


def test_https_proxy_that_speaks_http(talkative: str) -> None:
    compare(lambda: "https://example.org/", proxies={"https": talkative.replace("http", "https")})


def test_socks(unused_port: int, black_hole: BlackHole, silent: str) -> None:
    def through(url: str) -> dict[str, str]:
        return dict.fromkeys(("http", "https"), url.replace("http", "socks5h"))

    compare(lambda: "http://example.org/", proxies=through(f"http://127.0.0.1:{unused_port}"))
    for scheme in ("http", "https"):
        for proxy in (black_hole.url, silent):
            compare(
                lambda scheme=scheme: f"{scheme}://example.org/",  # type: ignore[misc]
                proxies=through(proxy),
                timeout=0.3,
            )


URLS = [
    "http:///x",
    "http://localhost:99999/x",
    "http://localhost:abc/x",
    "ftp://localhost/x",
    "http://loc alhost/x",
]


@pytest.mark.parametrize("url", URLS)
def test_urls_that_cannot_be_used(url: str) -> None:
    def send(package: Any) -> Any:
        request = package.Request("GET", "http://localhost/").prepare()
        request.url = url
        with pytest.raises(Exception) as caught:
            package.Session().get_adapter("http://x").send(request)
        return caught.value

    ours, theirs = send(waterclock), send(requests)
    assert type(ours).__name__ == type(theirs).__name__
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("proxy", ["http:///x", "http:/bad:3128", "ftp://127.0.0.1:1"])
def test_proxies_that_cannot_be_used(proxy: str) -> None:
    compare(lambda: "http://example.org/", proxies={"http": proxy})


def test_files_that_are_not_there(ca_file: str) -> None:
    for options in (
        {"verify": "/nonexistent"},
        {"cert": "/nonexistent"},
        {"cert": (ca_file, "/nonexistent")},
    ):
        errors = [
            raised(package, "https://localhost/", **options) for package in (requests, waterclock)
        ]
        assert type(errors[0]) is type(errors[1]) is OSError
        assert str(errors[0]) == str(errors[1])


def test_what_is_inside_survives_pickling(serve: Callable[..., Server]) -> None:
    error = raised(waterclock, serve([CLOSE]).url)
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)


def test_nothing_of_urllib3_is_imported_before_somebody_looks(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    out = check(
        tmp_path,
        f"""
        import sys, waterclock
        try:
            waterclock.get({serve([CLOSE]).url!r})
        except waterclock.ConnectionError as error:
            print("urllib3" in sys.modules, error.phase)
            str(error)
            print("urllib3" in sys.modules)
        """,
    )
    assert out.split() == ["False", "first_byte", "True"]


def test_a_note_says_what_happened(serve: Callable[..., Server]) -> None:
    error = raised(waterclock, serve([STALL]).url, timeout=(5, 0.1))
    (note,) = error.__notes__  # type: ignore[attr-defined]
    assert note.startswith("waterclock: read limit of 100 ms fired in read headers")


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def talkative() -> Iterator[str]:
    """A server that answers whatever comes with what is neither HTTP nor TLS."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                sock.recv(65536)  # all of it: closing would reset the connection otherwise
                sock.sendall(b"plain text here\r\n" * 3)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)
