"""For tests of what differs from requests: the same program with either package.

docs/moving-from-requests.md names these tests, so each of them says what requests does as well.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
import ways

import waterclock

Program = Callable[[Any], Any]


def outcome(program: Program, package: Any) -> Any:
    """What the program returns; for an exception the name of its class."""
    try:
        return program(package)
    except Exception as error:  # noqa: BLE001 - the class is what is asked for
        return type(error).__name__


def of_requests(program: Program) -> Any:
    """What requests makes of it."""
    return outcome(program, pytest.importorskip("requests"))


def of_waterclock(program: Program) -> Any:
    """What waterclock makes of it, which is the same both ways."""
    found = outcome(program, waterclock)
    with pytest.MonkeyPatch.context() as patch:
        ways.only_the_long_one(patch)
        assert outcome(program, waterclock) == found
    return found


def timed(program: Callable[[], Any]) -> float:
    """How many seconds it takes, whatever comes of it."""
    started = time.monotonic()
    with contextlib.suppress(Exception):
        program()
    return time.monotonic() - started
