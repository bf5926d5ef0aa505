"""The short way of a call, for tests that count what takes it, compare it with the long one, or close it.

`_fast.call` is asked for it, and before that, by `Session.get`, the way of the session's latest call: both at one door.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import shadow

import waterclock
from waterclock import _fast
from waterclock._fast_way import NAME

Call = Callable[..., Any]

_call = _fast.call
_here = threading.local()


def take(session: Any, *args: Any) -> Any:
    """Take the short way; None if it is closed to this call."""
    shortcut = _here.__dict__.pop("shortcut", None)
    if shortcut is None:
        return _call(session, *args)
    response = shortcut()
    _here.missed = response is None
    return response


def is_asked_once_more() -> bool:
    """Say whether that was a short cut of `Session.get` which leads nowhere any more: `_fast.call` is asked next."""
    return bool(_here.__dict__.pop("missed", False))


class _Shortcut:
    """In the place of a session's way: asks for it in the words of `_fast.call`."""

    def __init__(self, way: Any, ask: Call) -> None:
        self.way = way
        self.ask = ask

    def get(self, session: Any, url: Any, kwargs: dict[str, Any]) -> Any:
        given = {**dict.fromkeys(shadow.NAMES), "allow_redirects": True, **kwargs}
        if len(given) > len(shadow.NAMES):
            return None
        given |= {"method": "GET", "url": url}
        if given["timeout"] is None:
            given["timeout"] = session.timeout
        _here.shortcut = lambda: self.way.get(session, url, kwargs)
        try:
            return self.ask(session, *given.values())
        finally:
            _here.__dict__.pop("shortcut", None)


def open_door(ask: Call) -> None:
    """Have `ask` asked for each call, with the arguments of `_fast.call`."""

    def way(session: Any) -> Any:
        found = session.__dict__.get(NAME)
        return None if found is None else _Shortcut(found, ask)

    _fast.call = ask
    waterclock.Session._waterclock_way = property(way)  # type: ignore[assignment]


def close_door() -> None:
    """End what `open_door` began."""
    _fast.call = _call
    waterclock.Session._waterclock_way = None


@contextmanager
def asking(ask: Call) -> Iterator[None]:
    """The same for a block, inside which another one may be."""
    before = _fast.call, vars(waterclock.Session)["_waterclock_way"]
    open_door(ask)
    try:
        yield
    finally:
        _fast.call, waterclock.Session._waterclock_way = before


def only_the_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close the short way for the rest of a test."""
    monkeypatch.setattr(_fast, "call", lambda *_: None)
    monkeypatch.setattr(waterclock.Session, "_waterclock_way", property(lambda _: None))
