"""Half a second for as many of ten pages as can be had, and not a moment more."""

from __future__ import annotations

import time
from collections.abc import Iterator

from local_server import Step, response, serving

import waterclock as requests


def page(path: str) -> Iterator[Step]:
    """Each page takes longer than the one before."""
    number = int(path.rpartition("=")[2])
    yield 0.02 * number
    yield response(f"page {number}".encode())


with serving(page) as url, requests.Session() as session:
    started = time.monotonic()
    pages: list[str] = []
    try:
        with requests.deadline(0.5) as deadline:
            for number in range(10):
                pages.append(session.get(url, params={"page": number}).text)
                print(f"{pages[-1]}: {deadline.left():.3f} s left")
    except requests.Timeout as error:
        print(f"then the deadline came, in the phase {error.phase}:")
        print(" ", *getattr(error, "__notes__", []))
    print(f"{len(pages)} pages in {time.monotonic() - started:.3f} s")
