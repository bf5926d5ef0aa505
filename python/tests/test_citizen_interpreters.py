"""A second interpreter in the process cannot use waterclock, and says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import Server, answer
from programs import environment, python, write

PROGRAM = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

{before}
second = interpreters.create()
interpreters.run_string(second, '''
try:
    import waterclock
    print("session", waterclock.Session())
except ImportError as error:
    print("ImportError:", error)
''')
interpreters.destroy(second)
import waterclock
print(waterclock.get(sys.argv[1], timeout=60).text, flush=True)
"""


def module_is_there() -> bool:
    try:
        __import__("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    except ImportError:
        return False
    return True


@pytest.mark.skipif(not module_is_there(), reason="SKIPPED: this Python cannot make interpreters")
def test_a_second_interpreter_gets_an_import_error(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve(answer("first"))
    before = "import waterclock; waterclock.get(sys.argv[1], timeout=60)"
    write(tmp_path, program=PROGRAM.format(before=before))
    done = python(str(tmp_path / "program.py"), server.url, env=environment(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    refusal, text = done.stdout.splitlines()
    assert refusal.startswith("ImportError: ")
    assert "interpreter" in refusal
    assert text == "first"
