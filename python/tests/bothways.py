"""A pytest plug-in that sends the requests of any test suite both ways, and compares.

`-p bothways --both-ways`: each request that takes the short way is made once, by the short way. What it sent and got
is kept, and the long way runs for the same call over an engine that plays it back (see shadow.py): all that is to be
sent, the state of every response or exception, and the session's cookies have to be the same, else the test fails.

`-p bothways --way long`: no request takes the short way. The suite's outcomes must not differ.

At the end it says how many requests took which way; BOTHWAYS_REPORT names a file that gets that as JSON.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import shadow
import ways

import waterclock.adapters
from waterclock import _fast_guard

_counts: Counter[str] = Counter()
_differences: list[str] = []
_inside = threading.local()
_lock = threading.Lock()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("waterclock's two ways")
    group.addoption(
        "--both-ways", action="store_true", help="compare the short way with the long one"
    )
    group.addoption("--way", choices=("short", "long"), default="short", help="the way to take")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("way") == "long":
        ways.open_door(_long)
    elif config.getoption("both_ways"):
        ways.open_door(_compared)
    else:
        ways.open_door(_counted)


def pytest_unconfigure() -> None:
    ways.close_door()


def _count(what: str) -> None:
    with _lock:
        _counts[what] += 1


def _long(*args: Any) -> None:
    _count("long")


def _counted(session: Any, *args: Any) -> Any:
    try:
        response = ways.take(session, *args)
    except BaseException:
        _count("short")
        raise
    if ways.is_asked_once_more():
        return None
    _count("long" if response is None else "short")
    return response


def _why_long(session: Any, *args: Any) -> str:
    """Roughly why a call was not ordinary, for the report."""
    given = dict(zip(shadow.NAMES, args, strict=True))
    for name in ("files", "cookies", "hooks", "proxies", "cert"):
        if given[name]:
            return f"{name}="
    if _fast_guard.why_not():
        return str(_fast_guard.why_not())
    auth = given["auth"] or getattr(session, "auth", None)
    if auth is not None and type(auth) is not tuple:
        return f"auth of {type(auth).__name__}"
    if given["verify"] is False or getattr(session, "verify", None) is False:
        return "verify=False"
    if not isinstance(given["data"], (str, bytes, dict, list, tuple, type(None))):
        return f"data of {type(given['data']).__name__}"
    for adapter in session.adapters.values():
        if type(adapter) is not waterclock.adapters.HTTPAdapter:
            return "another adapter"
    if type(given["url"]) is str and not given["url"].startswith(("http://", "https://")):
        return "its URL"
    return "something else"


def _compared(session: Any, *args: Any) -> Any:
    """Go the short way and, over what that one saw, the long one."""
    if getattr(_inside, "shadow", False):
        return None
    before = shadow.Before(session)
    tape = before.record(session)
    failure = response = None
    try:
        response = ways.take(session, *args)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        failure = error
    finally:
        tape.stop()
    if ways.is_asked_once_more():
        return None
    if response is None and failure is None:
        _count("long")
        _count(f"because of {_why_long(session, *args)}")
        return None
    _count("short")
    _inside.shadow = True
    try:
        found = shadow.differences(before, tape, args, session, response, failure)
    except shadow.Incomparable as reason:
        _count(f"not compared: {reason}")
        found = []
    finally:
        _inside.shadow = False
    if found:
        where = os.environ.get("PYTEST_CURRENT_TEST", "")
        with _lock:
            _differences.append(f"{args[0]} {args[1]} in {where}\n    " + "\n    ".join(found))
    if failure is not None:
        raise failure
    return response


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test whose requests differ, whatever became of it."""
    with _lock:
        _differences.clear()
    try:
        return (yield)
    finally:
        with _lock:
            found = list(_differences)
            _counts["differences"] += len(found)
            _differences.clear()
        if found:
            pytest.fail("the two ways differ:\n" + "\n".join(found), pytrace=False)


def pytest_sessionfinish() -> None:
    path = os.environ.get("BOTHWAYS_REPORT")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(_counts), file, indent=1)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    short, long = _counts.pop("short", 0), _counts.pop("long", 0)
    line = f"requests: {short} took the short way, {long} the long one"
    rest = [f"{number} {what}" for what, number in sorted(_counts.items()) if number]
    terminalreporter.write_line("; ".join([line, *rest]))
