"""Threads may begin to use waterclock at the same time, whatever they use of it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import Server, answer
from programs import environment, python

PROGRAM = Path(__file__).with_name("first_use.py")


def things() -> list[str]:
    """The names of what the program can do: its functions without arguments."""
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    return [one.name for one in functions if not one.args.args]


ALL = things()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve(
        {
            "/": answer("{}"),
            "/redirect": answer("", 302, [("Location", "/")]),
            "/cookie": answer("", 200, [("Set-Cookie", "a=b")]),
            "/500": answer("", 500),
            "*": answer("through a proxy"),
        }
    )


def run(names: list[str], server: Server) -> None:
    done = python(str(PROGRAM), server.url, *names, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), names


@pytest.mark.parametrize("turn", range(6))
def test_everything_at_once(turn: int, server: Server) -> None:
    # Another one starts first each time.
    at = turn * len(ALL) // 6
    run(ALL[at:] + ALL[:at], server)


@pytest.mark.parametrize("thing", ["get", "raw", "refused", "cookie", "upload"])
def test_the_same_thing_in_all_threads(thing: str, server: Server) -> None:
    run([thing] * 8, server)
