"""Every name of requests 2.34.2 is there, and looks the same.

What requests has is pinned in names_requests_2_34_2.json (see scripts/pin_names), so that this test
needs no requests. A class or function may have more parameters than its model if they can be left
out, and more members; a class may have more bases.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import waterclock

PINNED = json.loads(
    (Path(__file__).parent / "names_requests_2_34_2.json").read_text(encoding="utf-8")
)
PLAIN = (type(None), bool, int, float, str, bytes)


def module_named(name: str) -> ModuleType:
    """Import a module of waterclock by its name in requests."""
    path = f"waterclock.{name}" if name else "waterclock"
    importlib.import_module(path)
    # Not `from waterclock import __version__`, which is a string.
    return sys.modules[path]


def ours(full_name: str) -> str:
    """Turn the name of a class in requests into our name for it."""
    head, _, rest = full_name.partition(".")
    return f"waterclock.{rest}" if head == "requests" else full_name


def is_plain(value: object) -> bool:
    """Say whether `repr` tells all about a value."""
    if type(value) is dict:
        return all(is_plain(part) for item in value.items() for part in item)
    if isinstance(value, (list, tuple, set, frozenset)) and type(value).__module__ == "builtins":
        return all(map(is_plain, value))
    return type(value) in PLAIN


def shown(value: object) -> str:
    """Return a value the way scripts/pin_names does."""
    if not is_plain(value):
        return f"<{type(value).__name__}>"
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}({sorted(value)!r})"
    return repr(value)


def parameters(function: Any) -> list[str]:
    """Return parameters the way scripts/pin_names does."""
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**", "KEYWORD_ONLY": "keyword "}
    return [
        stars.get(one.kind.name, "")
        + one.name
        + ("" if one.default is one.empty else f"={shown(one.default)}")
        for one in inspect.signature(function).parameters.values()
    ]


def check_parameters(function: Any, pinned: list[str] | None) -> list[str]:
    """Return what is wrong with the parameters of a function."""
    if pinned is None:
        return []
    have = parameters(function)
    if have == pinned:
        return []
    extra = [one for one in have if one not in pinned]
    same_order = [one for one in have if one in pinned] == pinned
    if same_order and all("=" in one or one.startswith("*") for one in extra):
        return []
    return [f"takes {have}, not {pinned}"]


def check_member(cls: type, name: str, pinned: dict[str, Any]) -> list[str]:
    """Return what is wrong with one member of a class."""
    if not hasattr(cls, name):
        return ["is missing"]
    value = inspect.getattr_static(cls, name)
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if pinned["kind"] == "function":
        return check_parameters(value, pinned["parameters"])
    if pinned["kind"] == "value" and shown(value) != pinned["value"]:
        return [f"is {shown(value)}, not {pinned['value']}"]
    return []


def check_class(cls: Any, pinned: dict[str, Any]) -> list[str]:
    """Return what is wrong with a class."""
    if not isinstance(cls, type):
        return [f"is no class but {cls!r}"]
    have = [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__[1:]]
    wanted = [ours(base) for base in pinned["bases"]]
    wrong = []
    if [base for base in have if base in wanted] != wanted:
        wrong.append(f"has bases {have}, not {wanted}")
    wrong += check_parameters(cls, pinned["parameters"])
    for name, member in pinned["members"].items():
        wrong += [f".{name} {text}" for text in check_member(cls, name, member)]
    return wrong


def check(value: Any, pinned: dict[str, Any]) -> list[str]:
    """Return what is wrong with what a name stands for."""
    kind = pinned["kind"]
    if kind == "class":
        return check_class(value, pinned)
    if kind == "function":
        return check_parameters(value, pinned["parameters"])
    if kind == "same":
        home = module_named(pinned["module"].partition(".")[2])
        if getattr(home, pinned["name"]) is not value:
            return [f"is not {pinned['name']} of {home.__name__}"]
    if kind == "module" and value is not sys.modules.get(ours(pinned["name"])):
        return [f"is not the module {ours(pinned['name'])}"]
    if kind == "value" and shown(value) != pinned["value"]:
        return [f"is {shown(value)}, not {pinned['value']}"]
    if kind == "object" and type(value).__name__ != pinned["type"]:
        return [f"is a {type(value).__name__}, not a {pinned['type']}"]
    return []


@pytest.mark.parametrize("name", PINNED["modules"])
def test_module(name: str) -> None:
    module = module_named(name)
    pinned = PINNED["modules"][name]
    wrong = []
    for attribute, description in pinned["names"].items():
        if not hasattr(module, attribute):
            wrong.append(f"{attribute} is missing")
            continue
        value = getattr(module, attribute)
        wrong += [f"{attribute} {text}" for text in check(value, description)]
    assert not wrong


@pytest.mark.parametrize("name", PINNED["modules"])
def test_dir(name: str) -> None:
    pinned = PINNED["modules"][name]
    module = module_named(name)
    assert set(pinned["names"]) <= set(dir(module))
    if pinned["all"]:
        assert sorted(module.__all__) == pinned["all"]


def test_codes() -> None:
    assert vars(waterclock.codes) == PINNED["codes"]


@pytest.mark.parametrize("path", PINNED["starting"])
def test_new_object(path: str) -> None:
    module, _, name = path.partition(".")
    made = getattr(module_named(module), name)()
    wrong = []
    for attribute, text in PINNED["starting"][path].items():
        have = shown(getattr(made, attribute))
        if have != text:
            wrong.append(f"{attribute} is {have}, not {text}")
    assert not wrong


def test_star_imports() -> None:
    """`from module import *` also gives the names that are looked for late."""
    for name in ("exceptions", "utils", "compat", "cookies"):
        namespace: dict[str, Any] = {}
        exec(f"from waterclock.{name} import *", namespace)  # noqa: S102
        public = [one for one in PINNED["modules"][name]["names"] if not one.startswith("_")]
        assert [one for one in public if one not in namespace] == []


HEAVY = [
    "certifi",
    "charset_normalizer",
    "chardet",
    "datetime",
    "email",
    "hashlib",
    "http.client",
    "http.cookiejar",
    "idna",
    "json",
    "logging",
    "socket",
    "ssl",
    "typing",
    "urllib.request",
    "urllib3",
]


def test_import_is_light() -> None:
    """`import waterclock` brings in nothing that programs pay for without having asked."""
    program = f"import sys, waterclock; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
