"""Compares two runs of requests' own suite, test by test.

usage: compare.py OF_REQUESTS.json OF_WATERCLOCK.json EXPECTED.toml

Prints what differs and `N of M`: of the M tests that pass with requests, N pass with waterclock too.
Fails on a difference that the list of expected ones does not give a reason for, on one that the list has
and that is not there, and below 99 %.
"""

from __future__ import annotations

import json
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LEAST = 99.0

Outcomes = dict[str, tuple[str, str]]


def load(path: str) -> Outcomes:
    with open(path, encoding="utf-8") as file:
        return {test: (outcome, why) for test, (outcome, why) in json.load(file).items()}


def expected_differences(path: str) -> dict[str, str]:
    """Test -> reason."""
    with open(path, "rb") as file:
        entries = tomllib.load(file).get("differs", [])
    reasons: dict[str, str] = {}
    for entry in entries:
        if entry["test"] in reasons or not entry["reason"].strip():
            raise SystemExit(f"{path}: {entry['test']} is there twice, or without a reason")
        reasons[entry["test"]] = entry["reason"]
    return reasons


def compare(theirs: Outcomes, ours: Outcomes, expected: dict[str, str]) -> list[str]:
    """The complaints."""
    complaints = []
    nothing = ("not run", "")
    for test in sorted({*theirs, *ours}):
        (their_outcome, _), (our_outcome, why) = theirs.get(test, nothing), ours.get(test, nothing)
        if their_outcome == our_outcome:
            continue
        print(f"{test}\n    {their_outcome} with requests, {our_outcome} with waterclock {why}")
        if test in expected:
            print(f"    expected: {expected[test]}")
        else:
            complaints.append(f"{test} differs, and no reason is listed")
    for test in expected:
        if theirs.get(test, nothing)[0] == ours.get(test, nothing)[0]:
            complaints.append(f"{test} is listed, but does not differ")
    return complaints


def main(their_path: str, our_path: str, expected_path: str) -> int:
    theirs, ours = load(their_path), load(our_path)
    complaints = compare(theirs, ours, expected_differences(expected_path))
    passing = [test for test, (outcome, _) in theirs.items() if outcome == "passed"]
    passing_here = [test for test in passing if ours.get(test, ("", ""))[0] == "passed"]
    if not passing:
        raise SystemExit("no test passed with requests itself: that says nothing")
    percent = 100 * len(passing_here) / len(passing)
    if percent < LEAST:
        complaints.append(f"fewer than {LEAST:g} % pass")
    for complaint in complaints:
        print(f"!!! {complaint}")
    print(
        f"requests' own suite: {len(passing_here)} of {len(passing)} tests that pass with requests "
        f"pass with waterclock ({percent:.2f} %)"
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
