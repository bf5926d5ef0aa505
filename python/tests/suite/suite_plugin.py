"""A pytest plug-in for requests' own suite: which package it tests, and what became of each test.

Environment:
    SUITE_PACKAGE    "requests", or "waterclock" to have that stand in for it
    SUITE_OUTCOMES   the file that gets {test: [outcome, why]} as JSON
"""

from __future__ import annotations

import json
import os
import sys

import pytest
from loopback import BlackHole

_package = os.environ["SUITE_PACKAGE"]
if _package == "waterclock":
    # Here and not in a hook: the suite's modules import requests while they are collected.
    import waterclock

    waterclock.install()

_outcomes: dict[str, tuple[str, str]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that dial a private address, and count on no answer, dial a black hole on loopback."""
    modules = {getattr(item, "module", None) for item in items}
    for module in modules:
        if getattr(module, "__name__", "").endswith("test_requests"):
            if not hasattr(module, "TARPIT"):
                raise pytest.UsageError("there is no TARPIT: look at what the suite dials now")
            module.TARPIT = _hole.url  # type: ignore[union-attr]


def pytest_configure() -> None:
    global _hole
    _hole = BlackHole()


def pytest_unconfigure() -> None:
    _hole.stop()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        outcome = "failed" if report.when == "call" else f"error in {report.when}"
    elif hasattr(report, "wasxfail"):
        outcome = "xpassed" if report.passed else "xfailed"
    elif report.skipped or report.when == "call":
        outcome = report.outcome
    else:
        return
    why = ""
    if outcome not in ("passed", "xfailed"):
        why = report.longreprtext.strip().rpartition("\n")[2][:300]
    test = report.nodeid
    for folder, name in ((os.getcwd(), "<suite>"), (sys.prefix, "<environment>")):
        test = test.replace(folder, name)  # some tests have paths for arguments
    if report.failed or test not in _outcomes:  # what fails after the call failed
        _outcomes[test] = (outcome, why)


def pytest_sessionfinish() -> None:
    """Writes the outcomes, unless the wrong package was tested."""
    strangers = [
        f"{name} from {module.__file__}"
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "requests"
        and getattr(module, "__file__", None)
        and name.partition(".")[2].partition(".")[0] != "packages"
        and os.path.basename(os.path.dirname(str(module.__file__))) != _package
    ]
    if strangers:
        raise pytest.UsageError(f"not {_package}: " + ", ".join(strangers))
    with open(os.environ["SUITE_OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(_outcomes, file, indent=0)
