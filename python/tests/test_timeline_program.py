"""`python -m waterclock run --trace FILE`: all calls of a program in one file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, Server, answer
from programs import environment, python, write

Serve = Callable[..., Server]

SEVERAL = """
    import sys
    import requests
    url = sys.argv[1]
    session = requests.Session()
    session.get(url + "/quick", timeout=30, headers={"Authorization": "Basic hush"})
    session.get(url + "/from", timeout=30)
    session.get(url + "/missing", timeout=30)
    try:
        session.get(url + "/stalled", timeout=0.1)
    except requests.Timeout:
        pass
    with session.get(url + "/quick", stream=True, timeout=30) as streamed:
        for piece in streamed.iter_content(2):
            pass
    sys.stdout.write("done")
"""
PATHS = ["/quick", "/from", "/missing", "/stalled", "/quick"]


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve(
        {
            "/quick": answer("quick"),
            "/from": answer("", 302, [("Location", "/quick")]),
            "/missing": answer("", 404),
            "/stalled": [STALL],
        }
    )


def run(folder: Path, trace: str, source: str, *words: str, code: int = 0, **options: Any) -> str:
    """Runs the source with `--trace`, and returns what it prints."""
    write(folder, program=source)
    done = python(
        "-m", "waterclock", "run", "--trace", trace, "program.py", *words, cwd=folder, **options
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_a_page(tmp_path: Path, server: Server) -> None:
    assert run(tmp_path, "calls.html", SEVERAL, server.url) == "done"
    page = (tmp_path / "calls.html").read_text(encoding="utf-8")
    assert "<h1>5 calls of program.py</h1>" in page
    rows = [line for line in page.splitlines() if 'href="#call-' in line]
    assert len(rows) == 5
    # What was asked for, and not where a redirect led.
    assert [path for row, path in zip(rows, PATHS, strict=False) if f"{path}</a>" in row] == PATHS
    assert "✗ 404" in rows[2]
    assert "✗ timeout" in rows[3]
    assert "read 100 ms" in rows[3]
    assert page.count('role="img"') == 5
    assert "<script" not in page
    assert "hush" not in page


def test_a_trace(tmp_path: Path, server: Server) -> None:
    run(tmp_path, "calls.json", SEVERAL, server.url)
    trace = json.loads((tmp_path / "calls.json").read_text())
    assert (trace["otherData"]["program"], trace["otherData"]["calls"]) == ("program.py", 5)
    hops = [event for event in trace["traceEvents"] if event.get("cat") == "hop"]
    assert [hop["pid"] for hop in hops] == [1, 2, 2, 3, 4, 5]
    ends = [hop["ts"] + hop["dur"] for hop in hops]
    # One after the other, on one axis.
    assert all(hop["ts"] >= end - 1 for hop, end in zip(hops[1:], ends, strict=False))


def test_an_archive_and_spans(tmp_path: Path, server: Server) -> None:
    run(tmp_path, "calls.har", SEVERAL, server.url)
    log = json.loads((tmp_path / "calls.har").read_text())["log"]
    assert len(log["pages"]) == 5
    assert [entry["response"]["status"] for entry in log["entries"]] == [200, 302, 200, 404, 0, 200]
    run(tmp_path, "calls.otlp.json", SEVERAL, server.url)
    spans = json.loads((tmp_path / "calls.otlp.json").read_text())
    assert spans["resourceSpans"][0]["scopeSpans"][0]["spans"]


def test_a_streamed_body_is_followed_to_its_end(tmp_path: Path, serve: Serve) -> None:
    whole = answer("hello")
    server = serve([whole[:-2], 0.2, whole[-2:]])
    source = f"""
        import requests
        def dropped():
            response = requests.get("{server.url}/dropped", stream=True, timeout=30)
            assert response.raw.read() == b"hello"
        dropped()
        kept = requests.get("{server.url}/kept", stream=True, timeout=30)
        assert kept.content == b"hello"
        begun = requests.get("{server.url}/begun", stream=True, timeout=30)
    """
    run(tmp_path, "calls.har", source)
    entries = json.loads((tmp_path / "calls.har").read_text())["log"]["entries"]
    times = [entry["time"] >= 200 for entry in entries]
    assert times == [True, True, False], entries


def test_a_streamed_body_that_fails_is_a_failure(tmp_path: Path, serve: Serve) -> None:
    server = serve([answer("hello")[:-2], STALL])
    source = f"""
        import requests
        response = requests.get("{server.url}", stream=True, timeout=0.1)
        try:
            response.content
        except requests.ConnectionError:
            pass
    """
    run(tmp_path, "calls.html", source)
    page = (tmp_path / "calls.html").read_text()
    assert "✗ 1 of them failed" in page
    assert "✗ read 100 ms" in page


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("sys.exit('words')", 1),
        ("1 / 0", 1),
        ("sys.exit()", 0),
    ],
)
def test_however_the_program_ends(tmp_path: Path, server: Server, ending: str, code: int) -> None:
    source = f"""
        import sys
        import requests
        requests.get("{server.url}/quick", timeout=30)
        {ending}
    """
    run(tmp_path, "calls.html", source, code=code)
    assert "<h1>1 call of program.py</h1>" in (tmp_path / "calls.html").read_text()


def test_an_interrupted_program(tmp_path: Path, server: Server) -> None:
    write(
        tmp_path,
        program=f"""
        import requests
        requests.get("{server.url}/quick", timeout=30)
        print("now", flush=True)
        requests.get("{server.url}/stalled", timeout=30)
    """,
    )
    command = [sys.executable, "-m", "waterclock", "run", "--trace", "calls.html", "program.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"now\n"
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=60)
    assert program.returncode == -signal.SIGINT
    assert "/quick" in (tmp_path / "calls.html").read_text()


def test_calls_of_threads_and_of_functions_at_exit(tmp_path: Path, server: Server) -> None:
    source = f"""
        import atexit, threading, requests
        def ask():
            requests.get("{server.url}/quick", timeout=30)
        atexit.register(ask)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
    """
    run(tmp_path, "calls.html", source)
    assert "<h1>5 calls of program.py</h1>" in (tmp_path / "calls.html").read_text()


def test_a_child_does_not_write_its_parents_file(tmp_path: Path, server: Server) -> None:
    source = f"""
        import os, sys, requests
        requests.get("{server.url}/quick", timeout=30)
        child = os.fork()
        if child == 0:
            requests.get("{server.url}/quick", timeout=30)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert not os.path.exists("calls.html")
    """
    run(tmp_path, "calls.html", source)
    assert "<h1>1 call of program.py</h1>" in (tmp_path / "calls.html").read_text()


def test_the_first_calls_are_kept_and_the_rest_is_counted(tmp_path: Path, server: Server) -> None:
    source = f"""
        import requests
        from waterclock import _program
        _program.MOST_CALLS = 3
        session = requests.Session()
        for _ in range(5):
            session.get("{server.url}/quick", timeout=30)
    """
    run(tmp_path, "calls.html", source)
    page = (tmp_path / "calls.html").read_text()
    assert "<h1>3 calls of program.py</h1>" in page
    assert "2 more calls came after these" in page


def test_a_program_without_calls(tmp_path: Path) -> None:
    run(tmp_path, "calls.html", "print('nothing')")
    assert "no call was made" in (tmp_path / "calls.html").read_text()


def test_modules_and_a_folder_that_is_left(tmp_path: Path, server: Server) -> None:
    write(
        tmp_path,
        module=f"""
        import os, sys, requests
        assert sys.argv[1:] == ["--trace", "mine"], sys.argv
        os.chdir("/")
        requests.get("{server.url}/quick", timeout=30)
    """,
    )
    words = ["--trace=calls.html", "-m", "module", "--trace", "mine"]
    done = python("-m", "waterclock", "run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # What follows the program is the program's.
    assert "1 call of module" in (tmp_path / "calls.html").read_text()
    assert not (tmp_path / "mine").exists()


TAIL = "import sys, requests; print(sys.argv[1:]); requests.get({url!r}, timeout=30)"


def test_the_option_may_stand_at_the_end(tmp_path: Path, server: Server) -> None:
    write(tmp_path, program=TAIL.format(url=server.url + "/quick"))
    for words, seen, is_ours in (
        (["a", "--trace", "calls.html"], "['a']", True),
        (["a", "--trace=calls.html"], "['a', '--trace=calls.html']", False),
        (["--trace", "calls.txt"], "['--trace', 'calls.txt']", False),
        (["--trace", "calls.html", "a"], "['--trace', 'calls.html', 'a']", False),
    ):
        done = python("-m", "waterclock", "run", "program.py", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout.strip()) == (0, seen), done.stderr
        assert (tmp_path / "calls.html").exists() == is_ours
        (tmp_path / "calls.html").unlink(missing_ok=True)


REFUSED = {
    "calls.txt": "the name has to end in",
    "calls": "the name has to end in",
    "nowhere/calls.html": "there is no folder",
    "folder.html": "this is a folder",
}


@pytest.mark.parametrize("trace", REFUSED)
def test_a_file_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path, trace: str) -> None:
    (tmp_path / "folder.html").mkdir()
    write(tmp_path, program="print('it ran')")
    done = python("-m", "waterclock", "run", "--trace", trace, "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert REFUSED[trace] in done.stderr


def test_no_file_is_no_usage(tmp_path: Path) -> None:
    for words in (["--trace"], ["--trace", "calls.html"], ["--trace="]):
        done = python("-m", "waterclock", "run", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert "usage" in done.stderr


def test_a_file_that_becomes_impossible_is_said(tmp_path: Path, server: Server) -> None:
    source = f"""
        import os, requests
        requests.get("{server.url}/quick", timeout=30)
        os.mkdir("calls.html")
    """
    write(tmp_path, program=source)
    done = python("-m", "waterclock", "run", "--trace", "calls.html", "program.py", cwd=tmp_path)
    assert done.returncode == 0
    assert "waterclock: cannot write" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["calls.html", "program.py"]
