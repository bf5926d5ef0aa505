"""`python -m waterclock URL`: the program itself, inside a Python process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from loopback import STALL, Server, answer
from programs import environment, python

COMMAND = [sys.executable, "-m", "waterclock"]


def start(*words: str, **streams: int | IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *words], env=environment(), **streams)  # type: ignore[call-overload, no-any-return]


def test_it_makes_a_request(serve: Callable[..., Server]) -> None:
    server = serve(answer("hello\n"))
    done = python("-m", "waterclock", server.url + "/a", "X-B:1")
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    assert server.url.removeprefix("http://") in done.stderr
    assert (server.requests[0].target, server.requests[0].header("x-b")) == ("/a", "1")


def test_its_help_and_usage_are_the_programs() -> None:
    done = python("-m", "waterclock", "--help")
    assert done.returncode == 0 and "--first-byte-timeout" in done.stdout
    done = python("-m", "waterclock", "--version")
    assert done.stdout.startswith("waterclock ")
    done = python("-m", "waterclock", "help", "timeouts")
    assert done.returncode == 0 and "--first-byte-timeout" in done.stdout
    done = python("-m", "waterclock", "--nonsense")
    assert done.returncode == 2 and "--nonsense" in done.stderr


def test_exit_codes_and_documents_come_out(serve: Callable[..., Server]) -> None:
    server = serve([STALL])
    done = python("-m", "waterclock", "--json", "-m", "0.2", server.url)
    assert done.returncode == 28, done.stderr
    assert json.loads(done.stdout)["error"]["limit"] == "total"
    assert python("-m", "waterclock", "-q", "ftp://x/").returncode in (1, 2, 3)
    assert python("-m", "waterclock", "-f", "-q", serve(answer(status=404)).url).returncode == 22


def test_standard_input_is_a_body(serve: Callable[..., Server]) -> None:
    server = serve(answer())
    done = python("-m", "waterclock", "POST", server.url, "--stdin", input="from a pipe")
    assert done.returncode == 0, done.stderr
    assert server.requests[0].body == b"from a pipe"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_call_and_is_explained(
    serve: Callable[..., Server], number: signal.Signals
) -> None:
    arrived = threading.Event()

    def reply(_: object) -> list[object]:
        arrived.set()
        return [STALL]

    server = serve(reply)
    child = start(server.url, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert arrived.wait(60)
    child.send_signal(number)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert b"Traceback" not in errors and b"waiting" in errors.lower()


def test_a_reader_that_is_gone_is_no_traceback(serve: Callable[..., Server]) -> None:
    server = serve(answer(b"x" * 4_000_000))
    child = start("-q", server.url, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.read(10)
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait(60) == 23


def test_closed_descriptors_are_not_written_into(serve: Callable[..., Server]) -> None:
    # Without standard output the first descriptor that is free is 1: a connection's, or a file's.
    server = serve(answer("not a request"))
    program = "import os, sys; os.close(1); os.close(0); os.execv(sys.executable, sys.argv[1:])"
    done = python("-c", program, *COMMAND, server.url)
    assert done.returncode == 0, done.stderr
    assert [request.method for request in server.requests] == ["GET"]


def test_arguments_that_are_not_text_are_the_programs_to_refuse(tmp_path: Path) -> None:
    command = [*map(os.fsencode, [*COMMAND, "-o"]), b"\xff-file", b"http://127.0.0.1:1/"]
    done = subprocess.run(command, env=environment(), timeout=60, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"invalid UTF-8" in done.stderr and b"Traceback" not in done.stderr


def test_the_demo_is_there() -> None:
    done = python("-m", "waterclock", "demo", "list")
    assert done.returncode == 0 and "Scenes:" in done.stdout
