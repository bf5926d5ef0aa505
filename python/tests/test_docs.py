"""Executes what the documentation shows: Python blocks, examples, and the examples in docstrings.

In a block of a page `https://example.com` is a server of ours; each block is a program of its own. If a block
marked `text` follows, it is what the program prints: numbers and bars may differ. Commands for a shell are
executed by a test of the Rust workspace.
"""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import programs
import pytest
from loopback import Received, Server, answer

import waterclock

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/cookbook.md",
    "docs/moving-from-requests.md",
    "docs/quickstart.md",
]
EXAMPLES = sorted((ROOT / "python" / "examples").glob("*.py"))
TESTS = ROOT / "python" / "tests"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str | None]]:
    """The Python programs of a page, with what they print, if the page shows it."""
    text = (ROOT / page).read_text()
    found: list[tuple[str, str | None]] = []
    end = 0
    for block in _BLOCK.finditer(text):
        kind, content = block.groups()
        if kind == "python":
            found.append((content, None))
        elif kind == "text" and found and not text[end : block.start()].strip():
            found[-1] = (found[-1][0], content)
        end = block.end()
    return found


@pytest.fixture
def example_com(serve: Callable[..., Server]) -> Server:
    fields = [("Content-Type", "application/json"), *((f"X-{n}", "y") for n in range(3))]
    items = answer(json.dumps(["apple", "pear"]), 200, fields)
    # Five lines, the last of which comes with the body.
    *lines, rest = items.split(b"\r\n", 5)
    slow = [step for line in [*(line + b"\r\n" for line in lines), rest] for step in (0.05, line)]
    return serve(
        {
            "/": items,
            "/items": items,
            "/slow": slow,
            "/get": told,
            "/post": told,
            "/page": answer("안녕하세요", 200, [("Content-Type", "text/plain; charset=utf-8")]),
            "/missing": answer("nothing", 404),
            "/login": answer("", 200, [("Set-Cookie", "visit=1")]),
            "/old": answer("", 302, [("Location", "/items")]),
        }
    )


def told(request: Received) -> bytes:
    """What was asked, as JSON."""
    told = {"headers": dict(request.headers), "body": request.body.decode()}
    return answer(json.dumps(told), 200, [("Content-Type", "application/json")])


def programs_of_pages() -> list[Any]:
    return [
        pytest.param(program, printed, id=f"{page}-{number}")
        for page in PAGES
        for number, (program, printed) in enumerate(blocks(page), 1)
    ]


@pytest.mark.parametrize(("program", "printed"), programs_of_pages())
def test_blocks_of_pages(
    program: str, printed: str | None, example_com: Server, tmp_path: Path
) -> None:
    if "patch_requests" in program:
        pytest.importorskip("requests")
    source = program.replace("https://example.com", example_com.url)
    for _ in range(3):
        done = programs.python("-c", source, cwd=tmp_path)
        shown = done.stdout.replace(example_com.authority, "example.com")
        if done.returncode == 0 and (printed is None or words(shown) == words(printed)):
            return
    # On a busy machine two waits may have become one, or too long, but not three times.
    assert done.returncode == 0, done.stderr
    assert words(shown) == words(printed or ""), shown


def words(text: str) -> list[str]:
    """Words without what differs from run to run, as the test of the Rust workspace has it."""
    lines = [
        line for line in text.splitlines() if "short wait" not in line and " #  wait" not in line
    ]
    split = [
        word for line in lines for word in line.split() if not set(word) & set("█▏▕▐░┐┘│▎▌✗▊▋▍▉")
    ]
    return [re.sub(r"[\d.,]*\d", "0", word) for word in split]


def test_there_are_blocks() -> None:
    assert all(blocks(page) for page in PAGES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples(example: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    done = programs.python(str(example), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert done.stderr == ""
    # They are for people, who wait for them. (Less than three seconds where nothing else runs.)
    assert time.monotonic() - started < 30


def modules() -> list[str]:
    found = pkgutil.iter_modules(waterclock.__path__)
    # Importing these is to run them, or needs pytest's own import.
    return sorted(m.name for m in found if m.name not in ("__main__", "_engine", "pytest_plugin"))


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    # Rooms of one house: those at the front are entered first.
    for public in ("sessions", "adapters", name):
        module = importlib.import_module(f"waterclock.{public}")
    failed, _ = doctest.testmod(module)
    assert failed == 0


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "moving-from-requests.md").read_text()
    named = re.findall(r"`([\w/.]*)(?:::(\w+))?`", page)
    file = ""
    count = 0
    for path, function in named:
        if not path.endswith((".py", ".rs")) and not (path == "" and function):
            continue
        file = path or file
        source = (ROOT / file) if "/" in file else (TESTS / file)
        if not source.name.startswith("test_") and not file.endswith(".rs"):
            continue
        assert source.is_file(), f"there is no {source}"
        if function:
            count += 1
            pattern = rf"^\s*(def|fn) {function}\("
            assert re.search(pattern, source.read_text(), re.MULTILINE), f"no {function} in {file}"
    assert count > 30
