"""Released packages that plug into requests, tried with waterclock in its place (scripts/plugin_checks).

Everything here says `requests`. PLUGIN_PACKAGE says which package that has to be: "waterclock", or
"requests" to see that the tests ask for nothing that requests itself does not do.
"""

from __future__ import annotations

import os

import pytest

PACKAGE = os.environ.get("PLUGIN_PACKAGE")

# Without the environment of scripts/plugin_checks there is nothing to try.
collect_ignore_glob = [] if PACKAGE else ["test_*.py"]


def pytest_collection_finish() -> None:
    if PACKAGE:
        import requests

        if requests.__name__ != PACKAGE:
            raise pytest.UsageError(f"`requests` is {requests.__name__}, and not {PACKAGE}")


@pytest.fixture
def is_waterclock() -> bool:
    return PACKAGE == "waterclock"
