"""Runs a program with requests and, both ways, with waterclock, and compares what it saw and what was sent.

A program is a function of the package (`requests` or `waterclock`) and a server; what it returns, or the
exception it raises, and every request the server received have to be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import ways
from loopback import Server

import waterclock

Program = Callable[[Any, Server], Any]


def outcome(function: Callable[[], Any]) -> tuple[Any, ...]:
    """What a call returns, or which exception it raises."""
    try:
        return ("returned", function())
    except Exception as error:  # noqa: BLE001 - every class is compared
        return ("raised", type(error), str(error))


def as_theirs(result: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put the name of requests' class in the place of ours, if ours is that one or derives from it."""
    if result[0] == "raised" and theirs[0] == "raised":
        names = {base.__name__ for base in result[1].__mro__}
        if theirs[1].__name__ in names:
            return ("raised", theirs[1], result[2])
    return result


def received(server: Server) -> list[Any]:
    """Every request that came in; the header's order is not compared, its values are."""
    return [
        (one.method, one.target, sorted((n.lower(), v) for n, v in one.headers), one.body)
        for one in server.requests
    ]


def compare(
    make_server: Callable[[], Server], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run `program` with requests, with waterclock, and with waterclock the long way."""
    requests = pytest.importorskip("requests")

    def run(package: Any) -> Any:
        server = make_server()
        result = outcome(lambda: program(package, server))
        place = f":{server.port}"

        def unported(value: Any) -> Any:
            if isinstance(value, str):
                return value.replace(place, ":PORT")
            if isinstance(value, (list, tuple)):
                return type(value)(map(unported, value))
            if isinstance(value, dict):
                return {key: unported(one) for key, one in value.items()}
            return value

        return unported(result), unported(received(server))

    theirs, sent = run(requests)

    def check(way: str) -> None:
        ours, sent_by_us = run(waterclock)
        assert as_theirs(ours, theirs) == theirs, f"{way} way: {ours}\nrequests: {theirs}"
        assert sent_by_us == sent, f"{way} way sent {sent_by_us}\nrequests: {sent}"

    check("short")
    with monkeypatch.context() as patch:
        ways.only_the_long_one(patch)
        check("long")
