"""Retries with urllib3's Retry, which may take one second with all their pauses."""

from __future__ import annotations

import time
from collections.abc import Iterator

from local_server import Step, response, serving
from urllib3.util import Retry

import waterclock as requests
from waterclock.adapters import HTTPAdapter

calls = 0


def busy(path: str) -> Iterator[Step]:
    """Has time for the third request; `/never` has time for none, and says to come back in a minute."""
    global calls
    calls += 1
    if path == "/never":
        yield response(b"", "503 Service Unavailable", "Retry-After: 60")
    elif calls % 3:
        yield response(b"", "503 Service Unavailable")
    else:
        yield response(b"done")


retry = Retry(total=5, status_forcelist=[503], backoff_factor=0.05)
with serving(busy) as url, requests.Session(timeout=requests.Limits(total=1)) as session:
    session.mount("http://", HTTPAdapter(max_retries=retry))

    reply = session.get(f"{url}/busy")
    print(reply.text, "after", calls, "requests:")
    for hop in reply.timeline.hops if reply.timeline else []:
        print(f"  {hop['status']} at {hop['started']:.3f} s, because of: {hop['reason']}")

    # A pause that does not fit into the budget is refused at once, not slept through.
    started = time.monotonic()
    try:
        session.get(f"{url}/never")
    except requests.RequestException as error:
        print(f"{type(error).__name__} after {time.monotonic() - started:.3f} s:")
        print(" ", *getattr(error, "__notes__", []))
