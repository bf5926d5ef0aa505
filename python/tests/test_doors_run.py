"""`python -m waterclock run`: a program sees what plain `python` would show it, and ends as it would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from programs import HOME, environment, python, write

# What a program can see of the way it was started.
LOOK = """
    import json, sys
    main = sys.modules["__main__"]
    print(json.dumps({
        "argv": sys.argv,
        "path": sys.path[0],
        "file": __file__,
        "globals": sorted(globals()),
        "same": main.__dict__ is globals(),
        "spec": __spec__ and [__spec__.name, __spec__.origin],
        "package": __package__,
        "cached": globals().get("__cached__"),
        "loader": type(__loader__).__name__,
        "name": __name__,
        "builtins": type(__builtins__).__name__,
        "annotations": str(__annotations__) if "__annotations__" in globals() else None,
        "future": compile("1", "", "eval").co_flags,
    }))
"""


def seen(*words: str, cwd: Path) -> dict[str, object]:
    done = python(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    look: dict[str, object] = json.loads(done.stdout)
    return look


@pytest.mark.parametrize("name", ["look.py", "sub/look.py", "link.py", "./look.py"])
def test_a_script_sees_what_python_shows(tmp_path: Path, name: str) -> None:
    write(tmp_path, look=LOOK)
    write(tmp_path / "sub", look=LOOK)
    (tmp_path / "link.py").symlink_to(tmp_path / "sub" / "look.py")
    words = [name, "-x", "--help", ""]
    ours = seen("-m", "waterclock", "run", *words, cwd=tmp_path)
    assert ours == seen(*words, cwd=tmp_path)
    assert ours["argv"] == words


def test_a_module_sees_what_python_shows(tmp_path: Path) -> None:
    write(tmp_path, look=LOOK)
    write(tmp_path / "package", __init__="", look=LOOK, __main__=LOOK)
    for name in ("look", "package.look", "package"):
        # The second time: the first one compiles.
        seen("-m", name, cwd=tmp_path)
        ours = seen("-m", "waterclock", "run", "-m", name, "-x", cwd=tmp_path)
        assert ours == seen("-m", name, "-x", cwd=tmp_path)


@pytest.mark.parametrize("name", ["folder", "archive.pyz"])
def test_folders_and_archives_run(tmp_path: Path, name: str) -> None:
    look = write(tmp_path / "folder", __main__=LOOK) / "__main__.py"
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.write(look, "__main__.py")
    ours = seen("-m", "waterclock", "run", name, "x", cwd=tmp_path)
    theirs = seen(name, "x", cwd=tmp_path)
    assert ours == theirs


def test_a_compiled_script_runs(tmp_path: Path) -> None:
    import py_compile

    write(tmp_path, look=LOOK)
    py_compile.compile(str(tmp_path / "look.py"), cfile=str(tmp_path / "look.pyc"))
    assert seen("-m", "waterclock", "run", "look.pyc", cwd=tmp_path)["name"] == "__main__"


@pytest.mark.parametrize("flag", ["-I", "-P"])
def test_no_folder_is_added_when_python_was_told_not_to(tmp_path: Path, flag: str) -> None:
    if flag == "-P" and sys.version_info < (3, 11):
        pytest.skip("from 3.11 on")
    # Isolated, Python takes no notice of PYTHONPATH, so the package may not be found.
    if flag == "-I" and python("-I", "-c", "import waterclock").returncode:
        pytest.skip("waterclock is not installed")
    write(tmp_path, look=LOOK)
    ours = seen(flag, "-m", "waterclock", "run", "look.py", cwd=tmp_path)
    assert ours["path"] == seen(flag, "look.py", cwd=tmp_path)["path"]


ENDS = {
    "well": "pass",
    "code": "import sys; sys.exit(7)",
    "none": "import sys; sys.exit()",
    "text": "import sys; sys.exit('that was it')",
    "error": """
        def inner():
            raise LookupError("nothing there")

        inner()
        """,
    "chain": """
        try:
            {}["x"]
        except KeyError as error:
            raise ValueError("no x") from error
        """,
    "syntax": "x = (",
    "hook": """
        import sys
        sys.excepthook = lambda kind, value, traceback: print(kind, value, traceback.tb_lineno, value.__traceback__ is traceback)
        raise LookupError("hooked")
        """,
    "broken_hook": """
        import sys
        def hook(kind, value, traceback):
            raise RuntimeError("the hook is broken")
        sys.excepthook = hook
        raise LookupError("hooked")
        """,
    "atexit": """
        import atexit, threading
        atexit.register(print, "at the end", flush=True)
        threading.Thread(target=print, args=("thread",), kwargs={"flush": True}).start()
        1 / 0
        """,
    "imported": "import broken_module",
    "interrupt": "raise KeyboardInterrupt",
    "generator_exit": "raise GeneratorExit",
    "group": "raise SystemExit((1, 2))",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_ends_as_with_python(tmp_path: Path, end: str) -> None:
    write(tmp_path, program=ENDS[end], broken_module="def f():\n    1 / 0\nf()")
    python("-m", "compileall", "-q", "broken_module.py", cwd=tmp_path)
    ours = python("-m", "waterclock", "run", "program.py", cwd=tmp_path)
    theirs = python("program.py", cwd=tmp_path)
    assert ours.returncode == theirs.returncode
    assert ours.stdout == theirs.stdout
    if end == "broken_hook":
        # Where Python shows the stack of the hook, our one frame is in it.
        assert "RuntimeError: the hook is broken" in ours.stderr and "hooked" in ours.stderr
    else:
        assert ours.stderr == theirs.stderr


def test_tracebacks_of_modules_are_the_programs(tmp_path: Path) -> None:
    write(tmp_path, program=ENDS["error"])
    done = python("-m", "waterclock", "run", "-m", "program", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1].startswith(f'  File "{tmp_path / "program.py"}", line ')
    assert "runpy" not in done.stderr and "waterclock" not in done.stderr


def test_an_interrupt_ends_the_process_by_the_signal(tmp_path: Path) -> None:
    write(tmp_path, program="import time; print('ready', flush=True); time.sleep(60)")
    child = subprocess.Popen(
        [sys.executable, "-m", "waterclock", "run", "program.py"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT
    assert errors.endswith("\nKeyboardInterrupt\n") and "_run.py" not in errors


def test_requests_is_waterclock_in_the_program_and_in_what_it_imports(tmp_path: Path) -> None:
    write(
        tmp_path,
        library="from requests.adapters import HTTPAdapter\nfrom requests import Timeout",
        program="""
            import library, requests
            print(requests.__name__, library.Timeout is requests.Timeout, library.HTTPAdapter.__module__)
            """,
    )
    done = python("-m", "waterclock", "run", "program.py", cwd=tmp_path)
    assert done.stdout == "waterclock True waterclock.adapters\n", done.stderr


def test_forked_children_of_multiprocessing_have_it_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        program="""
            import multiprocessing, requests

            def name(_):
                import requests.structures
                return requests.structures.__name__

            if __name__ == "__main__":
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    print(pool.map(name, range(2)))
            """,
    )
    done = python("-m", "waterclock", "run", "program.py", cwd=tmp_path)
    assert done.stdout == "['waterclock.structures', 'waterclock.structures']\n", done.stderr


@pytest.mark.parametrize("name", ["missing.py", "missing/too.py"])
def test_what_is_not_there_is_reported_as_by_python(tmp_path: Path, name: str) -> None:
    ours = python("-m", "waterclock", "run", name, cwd=tmp_path)
    theirs = python(name, cwd=tmp_path)
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)
    ours = python("-m", "waterclock", "run", "-m", "missing", cwd=tmp_path)
    theirs = python("-m", "missing", cwd=tmp_path)
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


def test_it_says_how_it_is_used() -> None:
    done = python("-m", "waterclock", "run", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m waterclock run [--trace FILE] SCRIPT")
    for words in ([], ["-m"], ["--unknown", "x.py"]):
        done = python("-m", "waterclock", "run", *words)
        assert done.returncode == 2 and done.stderr.startswith("usage: ")


def test_it_refuses_when_the_real_requests_came_first(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    write(tmp_path, sitecustomize="import requests", program="print('ran')")
    variables = environment(PYTHONPATH=os.pathsep.join([str(tmp_path), HOME]))
    done = python("-m", "waterclock", "run", "program.py", cwd=tmp_path, env=variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("waterclock: waterclock.install(): the real requests is imported")
    assert "held by: sitecustomize. " in done.stderr


def test_modules_of_requests_run_as_programs(tmp_path: Path) -> None:
    done = python("-m", "waterclock", "run", "-m", "requests.certs", cwd=tmp_path)
    ours = python("-m", "waterclock.certs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ours.stdout
