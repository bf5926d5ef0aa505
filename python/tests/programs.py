"""Python programs that tests run in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import waterclock

HOME = str(Path(waterclock.__file__).parents[1])


def environment(**variables: str) -> dict[str, str]:
    """This process's, without what would change how a child writes; and waterclock is found."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    path = os.pathsep.join(filter(None, [HOME, kept.get("PYTHONPATH")]))
    return {**kept, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": path, **variables}


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs `python WORDS...`, within a minute; `options` are those of subprocess.run."""
    options.setdefault("env", environment())
    command = [sys.executable, *words]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, **options
    )


def write(folder: Path, **sources: str) -> Path:
    """Writes modules by name, and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
    return folder


def check(folder: Path, source: str, *words: str) -> str:
    """Runs the source, which has to end well, and returns what it prints."""
    write(folder, program=source)
    done = python(str(folder / "program.py"), *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
