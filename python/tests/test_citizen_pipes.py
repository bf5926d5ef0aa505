"""SIGPIPE, where a program has given it back its meaning, as command line tools do: it would end the program."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loopback import RESET, Server
from programs import environment, python

PROGRAM = """
import signal, sys
import waterclock as requests

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
session = requests.Session()
session.verify = sys.argv[2]

def endless():
    while True:
        yield b"x" * 65536

for _ in range(5):
    try:
        session.post(sys.argv[1], data=endless(), timeout=30)
    except requests.ConnectionError:
        pass
    else:
        raise SystemExit("there was an answer")
    # What is idle is reset, too.
    session.get(sys.argv[1] + "/idle", timeout=30)
"""


@pytest.mark.parametrize("secure", [False, True])
def test_sigpipe_does_not_end_the_program(
    secure: bool, serve: Callable[..., Server], tls_serve: Callable[..., Server], ca_file: str
) -> None:
    idle = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    replies = {"/": [0.02, RESET], "/idle": [idle, 0.001, RESET]}
    server = (tls_serve if secure else serve)(replies, read_body=False)
    done = python("-c", PROGRAM, server.url, ca_file, env=environment())
    assert done.returncode == 0, (done.returncode, done.stderr)
