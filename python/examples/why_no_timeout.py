"""timeout=0.12, and the call took 0.3 s without an error. Why? And what does what was meant?"""

from __future__ import annotations

from collections.abc import Iterator

from local_server import Step, response, serving

import waterclock as requests


def slow_head(path: str) -> Iterator[Step]:
    """Sends a head of five lines, each 55 ms after the one before, and then the rest."""
    whole = response(b"hello\n", "200 OK", "X-One: 1", "X-Two: 2", "X-Three: 3")
    for line in whole.splitlines(keepends=True)[:5]:
        yield 0.055
        yield line
    yield b"\r\nhello\n"


with serving(slow_head) as url:
    print("timeout=0.12 is a limit for each single wait:\n")
    reply = requests.get(url, timeout=0.12)
    print(reply.explain())

    print("\nA limit for the whole call has another name:\n")
    try:
        requests.get(url, timeout=requests.Limits(total=0.12))
    except requests.Timeout as error:
        print(error.explain())
        print("limit:", error.limit, " phase:", error.phase, " request sent:", error.request_sent)
