"""Limits with names: each bounds one thing, and the error says which one it was."""

from __future__ import annotations

from collections.abc import Iterator

from local_server import Step, response, serving

import waterclock as requests


def page(path: str) -> Iterator[Step]:
    if path == "/thinks":
        yield 0.5
    whole = response(b"x" * 20)
    for place in range(0, len(whole), 10):
        if path == "/dribbles":
            yield 0.04
        yield whole[place : place + 10]


# Each limit is in seconds; what has no limit may take as long as it likes.
limits = requests.Limits(connect=0.5, first_byte=0.1, read=0.2, body=0.05, total=2)
with serving(page) as url, requests.Session(timeout=limits) as session:
    for path in ("/quick", "/thinks", "/dribbles"):
        try:
            print(path, session.get(url + path).status_code)
        except requests.Timeout as error:
            print(f"{path}: {type(error).__name__}")
            print(f"  limit {error.limit}, phase {error.phase}, request sent: {error.request_sent}")
            print(" ", "\n  ".join(error.timeline.verdict) if error.timeline else error)
