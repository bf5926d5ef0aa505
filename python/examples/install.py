"""A program that says `import requests`, unmodified, with waterclock in its place.

From a shell the same is `python -m waterclock run unmodified/prices.py URL`.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

from local_server import Step, response, serving

import waterclock

# Before anything imports requests.
waterclock.install()


def prices(path: str) -> Iterator[Step]:
    yield response(b'{"apple": 3, "pear": 4}', "200 OK", "Content-Type: application/json")


with serving(prices) as url:
    sys.argv[1:] = [url]
    # A deadline round a program that knows nothing of it.
    with waterclock.deadline(2):
        runpy.run_path(str(Path(__file__).parent / "unmodified" / "prices.py"), run_name="__main__")
