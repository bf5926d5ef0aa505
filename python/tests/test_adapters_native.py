"""One call of our engine: timeouts, bodies, fields, warnings and lines of the log, beside requests."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from loopback import STALL, Server, answer
from programs import check
from urllib3.util import SKIP_HEADER, Timeout

import waterclock
from waterclock import _timeouts

BAD_TIMEOUTS = [
    0, -1, 0.0, True, False, "5", [1, 2], {}, (0, 1), (1, 0), (1, True), (), (1,), (1, 2, 3),
    float("nan"), ("a", 1), (None, "b"), object, (float("nan"), 1),
]  # fmt: skip


@pytest.mark.parametrize("timeout", BAD_TIMEOUTS, ids=repr)
def test_timeouts_that_are_none(serve: Callable[..., Server], timeout: Any) -> None:
    server = serve(answer(b""))
    texts = []
    for package in (requests, waterclock):
        with pytest.raises(ValueError) as caught:
            package.get(server.url, timeout=timeout)
        assert type(caught.value) is ValueError
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


GOOD_TIMEOUTS: list[tuple[Any, Any]] = [
    (None, None),
    (1, 1),
    (0.5, 0.5),
    ((1, 2.5), (1, 2.5)),
    ((None, 2), (None, 2)),
    (Decimal("0.5"), 0.5),
    (float("inf"), None),
    (1e10, None),
    (10**400, None),
    ((float("inf"), 1), (None, 1)),
    (Timeout(1, connect=None, read=None), None),
    (Timeout(connect=1, read=2), (1, 2)),
    (Timeout.DEFAULT_TIMEOUT, None),
]


@pytest.mark.parametrize(("timeout", "expected"), GOOD_TIMEOUTS, ids=repr)
def test_timeouts(timeout: Any, expected: Any) -> None:
    checked = _timeouts.checked(timeout)
    if isinstance(timeout, Timeout) and timeout.total is not None:
        assert checked.total == timeout.total
    else:
        assert checked == expected
        assert type(checked) is type(expected)


def test_limits_are_taken_as_they_are() -> None:
    limits = waterclock.Limits(total=1, first_byte=2)
    assert _timeouts.checked(limits) is limits


@pytest.mark.parametrize("timeout", [(5, 0.1), Timeout(read=0.1), Timeout(total=0.3)])
def test_timeouts_fire(serve: Callable[..., Server], timeout: Any) -> None:
    with pytest.raises(waterclock.ReadTimeout):
        waterclock.get(serve([STALL]).url, timeout=timeout)


def test_a_deadline_that_is_over_sends_nothing(serve: Callable[..., Server]) -> None:
    server = serve(answer(b""))
    with waterclock.deadline(0.0):
        for options in ({}, {"hooks": {"response": print}}):
            with pytest.raises(waterclock.Timeout) as caught:
                waterclock.get(server.url, **options)
            assert (caught.value.limit, caught.value.request_sent) == ("total", "no")
    assert server.connections == 0


def test_waiting_for_a_connection(serve: Callable[..., Server]) -> None:
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", STALL])
    session = waterclock.Session()
    session.mount("http://", waterclock.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
    with (
        session.get(server.url, stream=True),
        pytest.raises(waterclock.exceptions.PoolTimeout) as caught,
    ):
        session.get(server.url, timeout=waterclock.Limits(pool=0.1))
    assert isinstance(caught.value, waterclock.ConnectionError)
    assert isinstance(caught.value, waterclock.Timeout)
    assert isinstance(caught.value.args[0], urllib3.exceptions.EmptyPoolError)


def lines() -> Iterator[bytes]:
    yield b"one"
    yield b""
    yield b"two"


class Readable:
    """Has a length and can be read, and nothing else."""

    def __init__(self) -> None:
        self.left = b"some bytes"
        self.len = len(self.left)

    def read(self, size: int = -1) -> bytes:
        size = len(self.left) if size < 0 else size
        data, self.left = self.left[:size], self.left[size:]
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter([self.read()])


BODIES: list[Callable[[], Any]] = [
    lambda: b"bytes",
    lambda: "text \u00e9",
    lambda: {"a": ["b", "c"]},
    lambda: io.BytesIO(b"a file" * 10000),
    lambda: io.StringIO("text \u00e9 in a file"),
    lambda: open(__file__, "rb"),  # noqa: SIM115
    lines,
    lambda: iter(["text", b"bytes"]),
    Readable,
    lambda: bytearray(b"buffer"),
    lambda: memoryview(b"buffer"),
    lambda: io.BytesIO(b""),
    lambda: b"x" * 300_000,
]


@pytest.mark.parametrize("body", BODIES)
def test_bodies(serve: Callable[..., Server], body: Callable[[], Any]) -> None:
    server = serve(answer(b""))
    session = requests.Session(), waterclock.Session()
    for one in session:
        one.headers["User-Agent"] = "same"
        one.post(server.url, data=body())
    theirs, ours = server.requests
    assert ours.body == theirs.body
    assert sorted(ours.headers) == sorted(theirs.headers)


def test_what_a_body_raises_comes_out_as_it_is(serve: Callable[..., Server]) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError("own")

    with pytest.raises(RuntimeError, match="own"):
        waterclock.post(serve(answer(b"")).url, data=broken())

    class File(Readable):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "disk")

    errors = []
    for package in (requests, waterclock):
        with pytest.raises(OSError) as caught:
            package.post(serve(answer(b"")).url, data=File())
        errors.append((type(caught.value).__name__, str(caught.value)))
    assert (
        errors[0] == errors[1] == ("ConnectionError", "('Connection aborted.', OSError(5, 'disk'))")
    )


def send(package: Any, url: str, change: Callable[[Any], Any]) -> Any:
    request = package.Request("GET", url).prepare()
    request.headers.update({"User-Agent": "same", "Accept-Encoding": "gzip"})
    change(request)
    return package.Session().get_adapter("http://x").send(request)


FIELDS: list[Callable[[Any], Any]] = [
    lambda r: r.headers.update({"X": b"bytes"}),
    lambda r: r.headers.update({"X": 5}),
    lambda r: r.headers.update({"X": "\u00e9"}),
    lambda r: r.headers.update({"x-Lower": "a", "X-Upper": "b"}),
    lambda r: r.headers.update({"Host": "elsewhere"}),
    lambda r: r.headers.pop("User-Agent"),
    lambda r: r.headers.pop("Accept-Encoding"),
    lambda r: r.headers.update({"User-Agent": SKIP_HEADER, "Accept-Encoding": SKIP_HEADER}),
    lambda r: setattr(r, "method", "PROPFIND"),
    lambda r: setattr(r, "url", r.url + "a b?c d"),
    lambda r: setattr(r, "url", r.url + "\u00e9"),
]


@pytest.mark.parametrize("change", FIELDS)
def test_fields_on_the_wire(serve: Callable[..., Server], change: Callable[[Any], Any]) -> None:
    server = serve(answer(b""))
    for package in (requests, waterclock):
        assert send(package, server.url + "/", change).status_code == 200
    theirs, ours = server.requests
    assert (ours.method, ours.target) == (theirs.method, theirs.target)
    assert ours.headers == theirs.headers


REFUSED: list[Callable[[Any], Any]] = [
    lambda r: r.headers.update({"X": "a\nb"}),
    lambda r: r.headers.update({"X": "\u20ac"}),
    lambda r: r.headers.update({"X": None}),
    lambda r: r.headers.update({"X\n": "a"}),
    lambda r: r.headers.update({"X": SKIP_HEADER}),
    lambda r: setattr(r, "method", "GE\nT"),
    lambda r: setattr(r, "body", 5),
]


@pytest.mark.parametrize("change", REFUSED)
def test_fields_that_cannot_be_sent(
    serve: Callable[..., Server], change: Callable[[Any], Any]
) -> None:
    server = serve(answer(b""))
    errors = []
    for package in (requests, waterclock):
        with pytest.raises(Exception) as caught:
            send(package, server.url, change)
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]
    assert server.requests == []


def test_a_length_that_the_caller_knows_is_said_once(serve: Callable[..., Server]) -> None:
    """requests says two lengths here, which a server may take for two requests."""
    server = serve(answer(b""))
    waterclock.put(server.url, data=lines(), headers={"Content-Length": "6"})
    (request,) = server.requests
    assert request.body == b"onetwo"
    assert request.header("Transfer-Encoding") is None


def test_a_warning_for_each_unverified_call(tls_serve: Callable[..., Server]) -> None:
    server = tls_serve(answer(b""))
    texts = []
    for package in (requests, waterclock):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            session = package.Session()
            for _ in range(2):
                session.get(server.url, verify=False)
        assert [w.category for w in caught] == [urllib3.exceptions.InsecureRequestWarning] * 2
        texts.append([str(w.message) for w in caught])
    assert texts[0] == texts[1]


def test_the_warning_can_be_switched_off(tls_serve: Callable[..., Server], tmp_path: Path) -> None:
    server = tls_serve(answer(b"ok"))
    out = check(
        tmp_path,
        f"""
        import warnings
        import waterclock as requests
        warnings.simplefilter("error")
        requests.packages.urllib3.disable_warnings()
        print(requests.get({server.url!r}, verify=False).text)
        warnings.filterwarnings("error", module="urllib3.connectionpool")
        try:
            requests.get({server.url!r}, verify=False)
        except requests.packages.urllib3.exceptions.InsecureRequestWarning:
            print("refused")
        """,
    )
    assert out.split() == ["ok", "refused"]
    assert len(server.requests) == 1


def test_log_lines(serve: Callable[..., Server], caplog: pytest.LogCaptureFixture) -> None:
    proxy = serve(answer(b""))

    def logged(package: Any) -> list[str]:
        server = serve(answer(b"hello"))
        session = package.Session()
        session.trust_env = False
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
            session.get(server.url + "/a?b=c d")
            session.post(server.url)
            session.head(server.url)
            session.get("http://h.invalid/p", proxies={"http": proxy.url})
        texts = [r.getMessage() for r in caplog.records if r.name == "urllib3.connectionpool"]
        return [text.replace(str(server.port), "N") for text in texts]

    theirs, ours = logged(requests), logged(waterclock)

    def without_numbers(texts: list[str]) -> list[str]:
        return [text.replace("(2)", "(1)") for text in texts]

    assert without_numbers(ours) == without_numbers(theirs)


def test_nothing_is_logged_where_nobody_logs(serve: Callable[..., Server], tmp_path: Path) -> None:
    out = check(
        tmp_path,
        f"""
        import sys
        import waterclock
        session = waterclock.Session()
        session.hooks["response"].append(lambda response, **kwargs: None)
        session.get({serve(answer(b"")).url!r}, headers={{"X": "y"}})
        heavy = ("urllib3", "logging", "ssl", "http.client", "email", "http.cookiejar")
        print([name for name in heavy if name in sys.modules])
        """,
    )
    assert out.strip() == "[]"


def test_a_guard_may_refuse_a_connection(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(answer(b""))
    out = check(
        tmp_path,
        f"""
        import sys
        import waterclock

        def guard(event, arguments):
            if event == "http.client.connect":
                print(event, *arguments[1:])
                raise PermissionError("no")

        sys.addaudithook(guard)
        for options in ({{}}, {{"hooks": {{"response": print}}}}):
            try:
                waterclock.get({server.url!r}, **options)
            except PermissionError:
                print("refused")
        """,
    )
    assert out.split("\n")[:-1] == [f"http.client.connect 127.0.0.1 {server.port}", "refused"] * 2
    assert server.requests == []
