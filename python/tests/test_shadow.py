"""The tool that compares the two ways (shadow.py)."""

from __future__ import annotations

import shadow

import waterclock.adapters


def test_recorders_of_threads_are_taken_out_in_any_order() -> None:
    adapter = waterclock.adapters.HTTPAdapter()
    engine = adapter._engine
    first, second = shadow.Tape(), shadow.Tape()
    first.watch(adapter)
    second.watch(adapter)
    first.stop()
    left = adapter.__dict__["_engine"]
    assert (left._tape, left._engine) == (second, engine)
    second.stop()
    assert adapter.__dict__["_engine"] is engine
