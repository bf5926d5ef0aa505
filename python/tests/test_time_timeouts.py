"""What `timeout=` may be, and in which words it may not: as in requests, both ways."""

from __future__ import annotations

import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from loopback import Server, answer
from threeways import check

import waterclock

Serve = Callable[..., Server]
Timeout = urllib3.Timeout


class Number(float):
    pass


def gets(serve: Serve, timeout: Any, short: bool) -> Any:
    def program(package: Any, server: Server) -> Any:
        return [
            package.get(server.url, timeout=timeout),
            package.post(server.url, data="body", timeout=timeout, stream=True).content,
        ]

    return check(lambda: serve(answer("ok")), program, short=short)


@pytest.mark.parametrize(
    "timeout", [None, 1, 0.5, 3600, 1e-1, (1, 2), (0.5, None), (None, 1), (None, None)], ids=repr
)
def test_numbers_and_pairs(serve: Serve, timeout: Any) -> None:
    gets(serve, timeout, short=True)


@pytest.mark.parametrize(
    "timeout",
    [
        Timeout(5),
        Timeout(connect=1, read=2),
        Timeout(total=5),
        Timeout(),
        Timeout(connect=None, read=None),
        Timeout.DEFAULT_TIMEOUT,
        (Timeout.DEFAULT_TIMEOUT, 1),
        (1, Timeout.DEFAULT_TIMEOUT),
        Number(5),
    ],
    ids=repr,
)
def test_what_only_the_long_way_knows(serve: Serve, timeout: Any) -> None:
    gets(serve, timeout, short=False)


@pytest.mark.parametrize(
    "timeout",
    [
        0,
        0.0,
        -1,
        -0.5,
        True,
        False,
        "5",
        b"5",
        "",
        [1, 2],
        {},
        {"total": 1},
        datetime.timedelta(seconds=1),
        object,
        float,
        (0, 1),
        (1, 0),
        (-1, 1),
        (1, True),
        (False, 1),
        (),
        (1,),
        (1, 2, 3),
        ("1", 2),
        (1, "2"),
        float("nan"),
        (float("nan"), 1),
    ],
    ids=repr,
)
def test_what_is_refused(serve: Serve, timeout: Any) -> None:
    ours = gets(serve, timeout, short=False)
    # requests finds out about some of them after it has sent the request.
    assert ours.received == []
    assert ours.failure["class"] == "ValueError"


TEXTS = {
    0: "Attempted to set connect timeout to 0, but the timeout cannot be set to a value less than or equal to 0.",
    True: "Timeout cannot be a boolean value. It must be an int, float or None.",
    "5": "Timeout value connect was 5, but it must be an int, float or None.",
    (0, 1): (
        "Invalid timeout (0, 1). Pass a (connect, read) timeout tuple, or a single float to set "
        "both timeouts to the same value."
    ),
    (1, float("nan")): "Invalid value NaN (not a number)",
    float("nan"): "Invalid value NaN (not a number)",
}


@pytest.mark.parametrize("timeout", TEXTS, ids=repr)
@pytest.mark.parametrize("how", ["call", "session", "send"])
def test_the_words(serve: Serve, timeout: Any, how: str) -> None:
    server = serve(answer("ok"))
    session = waterclock.Session()
    options: dict[str, Any] = {"timeout": timeout}
    if how == "session":
        session.timeout, options = timeout, {}
    with pytest.raises(ValueError) as caught:
        if how == "send":
            prepared = session.prepare_request(waterclock.Request("GET", server.url))
            session.send(prepared, **options)
        else:
            session.get(server.url, **options)
    assert type(caught.value) is ValueError
    assert str(caught.value) == TEXTS[timeout]
    assert server.requests == []


@pytest.mark.parametrize("timeout", [float("inf"), 1e10, 10**400, (1, float("inf"))], ids=repr)
def test_no_limit_where_requests_has_an_error(serve: Serve, timeout: Any) -> None:
    limits = waterclock.get(serve(answer("ok")).url, timeout=timeout).timeline.limits  # type: ignore[union-attr]
    assert limits["read"] is None or limits["read"] >= 1e9


@pytest.mark.parametrize("timeout", [decimal.Decimal(5), fractions.Fraction(9, 2)], ids=repr)
def test_numbers_of_other_classes(serve: Serve, timeout: Any) -> None:
    """requests lets them pass, and then fails with a TypeError of the socket's."""
    limits = waterclock.get(serve(answer("ok")).url, timeout=timeout).timeline.limits  # type: ignore[union-attr]
    assert limits["read"] == float(timeout)


def test_totals_of_urllib3_are_deadlines(serve: Serve) -> None:
    timeline: Any = waterclock.get(serve(answer("ok")).url, timeout=Timeout(total=5)).timeline
    assert timeline.limits["total"] == 5.0
