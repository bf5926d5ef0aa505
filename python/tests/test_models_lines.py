"""`iter_lines`: the lines of the whole body, wherever its pieces begin and end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import waterclock


class Pieces:
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def stream(self, size: int, decode_content: bool) -> Iterator[bytes]:
        yield from self.pieces


def lines_of(pieces: list[bytes], encoding: str | None = None, **kwargs: Any) -> list[Any]:
    response = waterclock.Response()
    response.raw = Pieces(pieces)
    response.encoding = encoding
    return list(response.iter_lines(decode_unicode=encoding is not None, **kwargs))


def splits(body: bytes) -> Iterator[list[bytes]]:
    """Every way to cut a body into pieces."""
    for count in range(len(body)):
        for cuts in itertools.combinations(range(1, len(body)), count):
            edges = [0, *cuts, len(body)]
            yield [body[a:b] for a, b in itertools.pairwise(edges)]


BODIES = [
    b"a\r\nb\nc\rd",
    b"\r\n\r\n\r\n",
    b"\r\r\n\n",
    b"a\n\nb\r\n",
    b"\n",
    b"a",
    b"a\r",
    b"a\r\n",
    b"ab\x0bc\x85d",
]


@pytest.mark.parametrize("body", BODIES)
def test_lines(body: bytes) -> None:
    for pieces in splits(body):
        assert lines_of(pieces) == body.splitlines(), pieces
        text = body.decode("latin-1")
        assert lines_of(pieces, "latin-1") == text.splitlines(), pieces


@pytest.mark.parametrize("body", [b"a|b|", b"|", b"||", b"a", b"a||b|c", b"|a"])
def test_delimiters(body: bytes) -> None:
    for pieces in splits(body):
        assert lines_of(pieces, delimiter=b"|") == body.split(b"|"), pieces
        assert lines_of(pieces, delimiter=b"||") == body.split(b"||"), pieces


def test_nothing_has_no_lines() -> None:
    assert lines_of([]) == lines_of([b""]) == lines_of([], delimiter=b"|") == []


def test_a_line_is_given_as_soon_as_it_is_complete() -> None:
    given = []

    class Slow:
        def stream(self, size: int, decode_content: bool) -> Iterator[bytes]:
            for piece in (b"one\r", b"\ntwo\r\nth", b"ree"):
                given.append(piece)
                yield piece

    response = waterclock.Response()
    response.raw = Slow()
    lines = response.iter_lines()
    assert next(lines) == b"one"
    assert len(given) == 1
    assert next(lines) == b"two"
    assert len(given) == 2
    assert list(lines) == [b"three"]


def test_as_in_requests_where_requests_is_right() -> None:
    requests = pytest.importorskip("requests")
    for body in BODIES:
        found = []
        for package in (requests, waterclock):
            response = package.Response()
            response.raw = Pieces([body])
            found.append(list(response.iter_lines()))
        assert found[0] == found[1]
