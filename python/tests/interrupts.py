"""A program whose calls are interrupted by signals while they wait: test_citizen_signals.py runs it.

usage: python interrupts.py HOW WAIT URL ELSEWHERE

WAIT is a name of WAITS, URL a server that answers as `replies` there says, ELSEWHERE a place where no
connection is made, or nobody answers. HOW is one of

* process: SIGINT to the process, as by Ctrl-C;
* thread: SIGINT arrives in another thread than the one that waits, so that the system wakes nobody;
* handled: signals whose handler returns, again and again, during a call with a deadline.

It prints JSON: what came of each call, and what of a call after it.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from urllib3.util import Retry

import waterclock as requests
from waterclock.adapters import HTTPAdapter

Wait = Callable[[requests.Session, str, str, Any], Any]


def read_all(response: requests.Response) -> bytes:
    # On the long way, and through what urllib3 would give.
    return b"".join(iter(lambda: response.raw.read(100_000), b""))


def wait_for_the_pool(session: requests.Session, url: str, elsewhere: str, timeout: Any) -> None:
    session.mount(url, HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))
    with session.get(url + "/half", stream=True):
        session.get(url + "/", timeout=timeout)


def wait_between_attempts(
    session: requests.Session, url: str, elsewhere: str, timeout: Any
) -> None:
    retries = Retry(total=9, backoff_factor=60, status_forcelist=[500])
    session.mount(url, HTTPAdapter(max_retries=retries))
    session.get(url + "/500", timeout=timeout)


def wait_as_told(session: requests.Session, url: str, elsewhere: str, timeout: Any) -> None:
    session.mount(url, HTTPAdapter(max_retries=3))
    session.get(url + "/503", timeout=timeout)


class OverUrllib3(HTTPAdapter):
    """Overrides what only urllib3 can honour."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)


def wait_in_urllib3(session: requests.Session, url: str, elsewhere: str, timeout: Any) -> None:
    session.mount(url, OverUrllib3())
    session.get(url + "/stall", timeout=timeout)


#: The phase in which a deadline ends the wait, and what waits.
WAITS: dict[str, tuple[str, Wait]] = {
    "resolve": ("resolve", lambda s, url, _, t: s.get("http://stuck.test/", timeout=t)),
    "connect": ("connect", lambda s, _, hole, t: s.get(hole, timeout=t)),
    "tls": ("tls", lambda s, _, silent, t: s.get("https" + silent[4:], timeout=t)),
    "tunnel": (
        "tunnel",
        lambda s, _, silent, t: s.get(
            "https://stuck.test/", proxies={"https": silent}, timeout=t
        ),
    ),
    "socks": (
        "tunnel",
        lambda s, _, silent, t: s.get(
            "http://stuck.test/", proxies={"http": "socks5h" + silent[4:]}, timeout=t
        ),
    ),
    "upload": ("upload", lambda s, _, silent, t: s.post(silent, data=bytes(30_000_000), timeout=t)),
    "upload of pieces": (
        "upload",
        lambda s, _, silent, t: s.post(silent, data=itertools.repeat(bytes(9999)), timeout=t),
    ),
    "head": ("first_byte", lambda s, url, _, t: s.get(url + "/stall", timeout=t)),
    "head of a prepared request": (
        "first_byte",
        lambda s, url, _, t: s.send(s.prepare_request(requests.Request("GET", url + "/stall")), timeout=t),
    ),
    "body": ("body", lambda s, url, _, t: s.get(url + "/half", timeout=t)),
    "chunks": ("body", lambda s, url, _, t: s.get(url + "/chunks", timeout=t)),
    "iter_content": (
        "body",
        lambda s, url, _, t: list(s.get(url + "/half", timeout=t, stream=True).iter_content(10)),
    ),
    "iter_lines": (
        "body",
        lambda s, url, _, t: list(s.get(url + "/chunks", timeout=t, stream=True).iter_lines()),
    ),
    "raw": ("ReadTimeoutError", lambda s, url, _, t: read_all(s.get(url + "/half", timeout=t, stream=True))),
    "work": ("body", lambda s, url, _, t: s.get(url + "/bomb", timeout=t)),
    "pool": ("pool", wait_for_the_pool),
    "backoff": ("backoff", wait_between_attempts),
    "retry_after": ("backoff", wait_as_told),
    "urllib3": ("head", wait_in_urllib3),
}  # fmt: skip

PATIENCE = 100
#: What a wait may last after Ctrl-C.
AT_ONCE = 0.1
TRIES = 10


class Sender:
    """Sends signals from a thread of its own."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.sent = 0.0
        self.goes_on = True

    def once(self) -> None:
        time.sleep(0.1)
        self.sent = time.monotonic()
        if self.how == "thread":
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        else:
            os.kill(os.getpid(), signal.SIGINT)

    def again_and_again(self) -> None:
        while self.goes_on:
            time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGUSR1)


def interrupted(wait: Wait, how: str, url: str, elsewhere: str) -> dict[str, Any]:
    """Makes the call, is interrupted, and makes another one."""
    with requests.Session() as session:
        session.get(url + "/")
        sender = Sender(how)
        thread = threading.Thread(target=sender.once)
        ended = ""
        try:
            thread.start()
            wait(session, url, elsewhere, PATIENCE)
        except KeyboardInterrupt:
            ended = "interrupted"
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            ended = repr(error)
        took = time.monotonic() - sender.sent
        thread.join()
        return {
            "ended": ended,
            "took": took,
            "after": session.get(url + "/", timeout=PATIENCE).text,
        }


def handled(wait: Wait, url: str, elsewhere: str) -> dict[str, Any]:
    """Makes the call under a deadline, in a storm of signals."""
    ran = itertools.count()
    signal.signal(signal.SIGUSR1, lambda *_: next(ran))
    with requests.Session() as session:
        session.get(url + "/")
        sender = Sender("process")
        thread = threading.Thread(target=sender.again_and_again)
        thread.start()
        phase, took = "", 0.0
        started = time.monotonic()
        try:
            wait(session, url, elsewhere, requests.Limits(total=0.3))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            took = time.monotonic() - started
            phase = getattr(error, "phase", "") or type(error).__name__
        finally:
            sender.goes_on = False
            thread.join()
        after = session.get(url + "/", timeout=PATIENCE).text
        return {"ended": phase, "took": took, "ran": next(ran), "after": after}


def main(how: str, name: str, url: str, elsewhere: str) -> None:
    wait = WAITS[name][1]
    if how == "handled":
        found = handled(wait, url, elsewhere)
    else:
        found = []
        # Again while it takes too long: the machine may be busy, but not each time.
        while len(found) < TRIES and (not found or found[-1]["took"] > AT_ONCE):
            found.append(interrupted(wait, how, url, elsewhere))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
