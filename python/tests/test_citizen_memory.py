"""A body that is larger than the memory that the program may have: `MemoryError`, as from requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loopback import Server
from programs import environment, python

MEBIBYTE = b"x" * (1 << 20)
#: More than the program may have.
COUNT = 500

PROGRAM = """
import resource, sys
import waterclock as requests

session = requests.Session()
session.get(sys.argv[1] + "/small", timeout=30)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
for stream in (False, True):
    try:
        session.get(sys.argv[1] + sys.argv[2], timeout=30, stream=stream).content
    except MemoryError:
        pass
    else:
        raise SystemExit("there was memory")
    assert len(session.get(sys.argv[1] + "/small", timeout=30).content) == 1 << 20
"""


@pytest.mark.parametrize("path", ["/length", "/chunked"])
def test_a_body_larger_than_memory(serve: Callable[..., Server], path: str) -> None:
    ok = b"HTTP/1.1 200 OK\r\n"
    chunk = b"100000\r\n" + MEBIBYTE + b"\r\n"
    server = serve(
        {
            "/small": [ok + b"Content-Length: 1048576\r\n\r\n", MEBIBYTE],
            "/length": [ok + b"Content-Length: %d\r\n\r\n" % (COUNT << 20), *([MEBIBYTE] * COUNT)],
            "/chunked": [ok + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * COUNT)],
        }
    )
    done = python("-c", PROGRAM, server.url, path, env=environment())
    assert done.returncode == 0, done.stderr
