"""One program three ways: with requests, with waterclock, and with waterclock the long way.

What it saw (responses, exceptions) and what its server received, to the byte, has to be the same. A test also says which
way it is to be: a table that silently takes the long way would compare nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import shadow
import ways
from loopback import Server

import waterclock

if TYPE_CHECKING:
    from collections.abc import Iterator

requests = pytest.importorskip("requests")

#: What a program gives back: a response, or anything that can be compared.
Program = Callable[[Any, Server], Any]


@dataclass
class Seen:
    """What came of a program."""

    result: Any = None
    failure: dict[str, Any] | None = None
    received: list[Any] = field(default_factory=list)
    #: The number of the connection of each request.
    connections: list[int] = field(default_factory=list)
    #: How often the short way was asked for, and taken.
    asked: int = 0
    taken: int = 0


@contextmanager
def watched(seen: Seen, *, force_long: bool = False) -> Iterator[None]:
    """Count what takes the short way; or let nothing take it."""

    def call(*args: Any) -> Any:
        if force_long:
            seen.asked += 1
            return None
        try:
            response = ways.take(*args)
        except BaseException:
            seen.asked += 1
            seen.taken += 1
            raise
        seen.asked += not ways.is_asked_once_more()
        seen.taken += response is not None
        return response

    with ways.asking(call):
        yield


def run(
    package: Any, make_server: Callable[[], Server], program: Program, *, force_long: bool = False
) -> Seen:
    """Run `program` with one of the packages, over a server of its own."""
    server = make_server()
    seen = Seen()
    with watched(seen, force_long=force_long):
        try:
            seen.result = as_seen(program(package, server))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
            seen.failure = failure_of(error)
    place = re.compile(rf"\b{server.port}\b")
    seen.result = without_port(seen.result, place)
    seen.failure = without_port(seen.failure, place)
    for one in server.requests:
        body = (one.header("transfer-encoding"), one.body, one.trailers)
        seen.received.append(without_port((one.head, body), place))
        seen.connections.append(one.connection)
    return seen


def as_seen(value: Any) -> Any:
    """A value to be compared; of a response, all that a program can see."""
    if hasattr(value, "status_code"):
        return shadow.state(value)
    if isinstance(value, (list, tuple)):
        return [as_seen(one) for one in value]
    if isinstance(value, dict):
        return {name: as_seen(one) for name, one in value.items()}
    return value


def failure_of(error: BaseException) -> dict[str, Any]:
    state = shadow.failure_state(error)
    # What requests has not.
    for ours in ("limit", "phase", "request_sent", "notes"):
        state.pop(ours)
    return state


def without_port(value: Any, place: re.Pattern[str]) -> Any:
    """Put a word in the place of the port, which each server has of its own."""
    if isinstance(value, str):
        return place.sub("PORT", value)
    if isinstance(value, bytes):
        return place.sub("PORT", value.decode("latin-1")).encode("latin-1")
    if isinstance(value, (list, tuple)):
        return type(value)(without_port(one, place) for one in value)
    if isinstance(value, dict):
        return {key: without_port(one, place) for key, one in value.items()}
    return value


def as_theirs(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> dict[str, Any] | None:
    """Our failure, with requests' class in the place of ours where that derives from it."""
    if ours is None or theirs is None:
        return ours
    if theirs["class"] in ours["bases"]:
        return {**ours, "class": theirs["class"], "bases": theirs["bases"]}
    return ours


def same(what: str, way: str, ours: Any, theirs: Any) -> None:
    """Fail with all differences if there are any."""
    found = list(_differing("", ours, theirs))
    if found:
        pytest.fail(f"{what}, the {way} way and as it should be:\n" + "\n".join(found))


def _differing(path: str, ours: Any, theirs: Any) -> Iterator[str]:
    if ours == theirs:
        return
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from _differing(f"{path}.{key}", ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from _differing(f"{path}[{number}]", *pair)
    else:
        yield f"{path}\n  {ours!r}\n  {theirs!r}"


def check(
    make_server: Callable[[], Server],
    program: Program,
    *,
    short: bool = True,
    connections: bool = True,
    like_requests: bool = True,
) -> Seen:
    """Run it three ways and compare; `short`: whether each of its requests is to take the short way.

    Returns what was seen the short way. With `connections`, the same requests share a connection.
    Where we differ from requests on purpose, the long way says how it is to be.
    """
    ours = run(waterclock, make_server, program)
    long = run(waterclock, make_server, program, force_long=True)
    theirs = run(requests, make_server, program) if like_requests else long
    for name, seen in (("short", ours), ("long", long)):
        same("sent", name, seen.received, theirs.received)
        if connections:
            same("connections", name, seen.connections, theirs.connections)
        same("raised", name, as_theirs(seen.failure, theirs.failure), theirs.failure)
        same("returned", name, seen.result, theirs.result)
    # Ours have the same class both ways, too.
    same("raised", "short", ours.failure, long.failure)
    if short:
        assert ours.taken == ours.asked, "a request took the long way"
    else:
        assert ours.taken < ours.asked, "no request took the long way"
    return ours
