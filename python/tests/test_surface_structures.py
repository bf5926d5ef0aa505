"""Mappings, codes and hooks, compared with those of requests."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest

import waterclock
from waterclock import hooks, status_codes, structures

requests = pytest.importorskip("requests")

CONTENTS: list[Any] = [
    None,
    {},
    {"Accept": "a", "aCCEPT": "b"},
    [("X", 1), ("x", 2), ("Y", 3)],
    OrderedDict([("b", 1), ("A", 2)]),
    waterclock.structures.CaseInsensitiveDict(Q=1),
]


@pytest.mark.parametrize("content", CONTENTS)
def test_case_insensitive(content: Any) -> None:
    ours = structures.CaseInsensitiveDict(content, Extra="e")
    reference = requests.structures.CaseInsensitiveDict(content, Extra="e")
    for view in (list, repr, len, lambda one: list(one.lower_items()), lambda one: one._store):
        assert view(ours) == view(reference)
    for mapping in (ours, reference):
        assert mapping["eXTRA"] == mapping.get("EXTRA") == "e"
        assert "extra" in mapping
        assert mapping.get("none") is None
        with pytest.raises(KeyError, match="none"):
            mapping["None"]
        mapping["EXTRA"] = "f"
        mapping.setdefault("extra", "g")
        del mapping["Extra"]
        assert "extra" not in mapping
    assert ours == reference
    assert reference == ours
    assert ours.copy() == ours
    assert ours.copy() is not ours
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert copy.deepcopy(ours) == ours


def test_case_insensitive_comparison() -> None:
    fields = structures.CaseInsensitiveDict({"A": 1})
    assert fields == {"a": 1}
    assert fields != {"a": 2}
    assert fields != [("a", 1)]
    with pytest.raises(AttributeError):
        _ = fields == {1: 1}
    with pytest.raises(AttributeError):
        structures.CaseInsensitiveDict({1: 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        hash(fields)
    assert structures.CaseInsensitiveDict[str] is not None
    assert type(fields._store) is OrderedDict


def test_subclasses_see_every_item() -> None:
    class Loud(structures.CaseInsensitiveDict[str]):
        def __setitem__(self, key: str, value: str) -> None:
            super().__setitem__(key, value.upper())

    assert dict(Loud({"a": "x"}, b="y")) == {"a": "X", "b": "Y"}
    assert type(Loud({"a": "x"}).copy()) is structures.CaseInsensitiveDict


def test_lookup() -> None:
    for package in (structures, requests.structures):
        lookup = package.LookupDict(name="test")
        lookup.bad_gateway = 502
        assert repr(lookup) == "<lookup 'test'>"
        assert (lookup["bad_gateway"], lookup["x"]) == (502, None)
        assert (lookup.get("bad_gateway"), lookup.get("x", 1)) == (502, 1)
        assert len(lookup) == 0
        with pytest.raises(AttributeError, match="'LookupDict' object has no attribute 'x'"):
            _ = lookup.x
        assert copy.copy(lookup).bad_gateway == 502
        assert pickle.loads(pickle.dumps(lookup)).bad_gateway == 502


def test_codes() -> None:
    assert vars(waterclock.codes) == vars(requests.codes)
    assert repr(waterclock.codes) == repr(requests.codes)
    assert status_codes._codes == requests.status_codes._codes
    assert "* 418: im_a_teapot, teapot, i_am_a_teapot" in (status_codes.__doc__ or "")


def test_hooks() -> None:
    seen = []

    def first(value: Any, **kwargs: Any) -> Any:
        seen.append((value, kwargs))
        return value + "1"

    def second(value: Any, **kwargs: Any) -> None:
        seen.append((value, kwargs))

    for module in (hooks, requests.hooks):
        seen.clear()
        assert module.default_hooks() == {"response": []}
        assert module.dispatch_hook("response", None, "x") == "x"
        assert module.dispatch_hook("response", {"response": []}, "x") == "x"
        assert module.dispatch_hook("response", {"response": first}, "x") == "x1"
        chain = {"response": (first, second, first)}
        assert module.dispatch_hook("response", chain, "x", stream=1) == "x11"
        assert seen[1:] == [("x", {"stream": 1}), ("x1", {"stream": 1}), ("x1", {"stream": 1})]
        assert module.dispatch_hook("other", chain, "x") == "x"
