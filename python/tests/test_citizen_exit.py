"""The end of a program: it never hangs, never crashes, and what runs at the end can still make calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, Server, answer
from programs import environment, python, write

PRELUDE = """
import atexit, gc, os, sys, threading, time
import waterclock as requests

URL = sys.argv[1]
# Threads are ended wherever they are.
sys.setswitchinterval(1e-6)
session = requests.Session()

def for_ever(work):
    def run():
        while True:
            try:
                work()
            except Exception:
                pass
    threading.Thread(target=run, daemon=True).start()
"""

#: What a program does; it has to end by itself, quickly, with code 0 and nothing on stderr.
ENDINGS = {
    "daemon threads wait for an answer": """
for _ in range(8):
    for_ever(lambda: session.get(URL + "/stall"))
time.sleep(0.2)
""",
    "daemon threads make calls": """
for _ in range(8):
    for_ever(lambda: session.get(URL))
time.sleep(0.2)
""",
    "daemon threads run into limits": """
for _ in range(16):
    for_ever(lambda: session.get(URL + "/stall", timeout=0.002))
time.sleep(0.2)
""",
    "daemon threads send what generators make": """
def pieces():
    while True:
        for _ in range(50):
            pass
        yield b"a few bytes"
for _ in range(8):
    for_ever(lambda: session.post(URL + "/upload", data=pieces()))
time.sleep(0.2)
""",
    "daemon threads read streams": """
def read():
    for _ in session.get(URL + "/big", stream=True).iter_content(100):
        pass
for _ in range(4):
    for_ever(read)
time.sleep(0.2)
""",
    "lookups never answer": """
for number in range(8):
    for_ever(lambda: session.get(f"http://stuck.{number}/"))
try:
    session.get("http://stuck.main/", timeout=0.2)
except requests.ConnectTimeout:
    pass
""",
    "streams are left open": """
left = session.get(URL + "/half", stream=True)
begun = session.get(URL + "/half", stream=True).iter_content(2)
next(begun)
raw = session.get(URL + "/half", stream=True).raw
raw.read(1)
cycle = [session.get(URL + "/half", stream=True)]
cycle.append(cycle)
""",
    "nothing was ever asked for": "del session",
    "sys.exit in the middle of a stream": """
for _ in session.get(URL + "/big", stream=True).iter_content(1000):
    sys.exit(0)
""",
    "a thread's call ends after the main thread": """
threading.Thread(target=lambda: print(session.get(URL + "/late").text)).start()
""",
    "a worker has calls in its queue": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(4)
for _ in range(8):
    pool.submit(session.get, URL + "/late")
""",
    "objects make calls when they die": """
class Farewell:
    get = session.get
    url = URL
    def __del__(self):
        try:
            self.get(self.url)
        except Exception:
            pass  # when all modules are gone, it may be too late
        self.get.__self__.close()
farewell = Farewell()
cycle = [farewell]
cycle.append(cycle)
""",
}


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    replies: dict[str, Any] = {
        "/": answer("ok"),
        "/stall": [STALL],
        "/upload": [STALL],
        "/late": [0.3, answer("late")],
        "/half": [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello", STALL],
        "/big": answer(bytes(20_000_000)),
    }
    return serve(replies, read_body=False)


def run(folder: Path, source: str, url: str, **variables: str) -> str:
    write(folder, program=PRELUDE + source)
    done = python(str(folder / "program.py"), url, env=environment(**variables), cwd=folder)
    said = done.stderr
    if "_select_for_exit" in said and said.endswith("dictionary changed size during iteration\n"):
        # CPython's own: weakref.finalize looks through a table to which threads add, as urllib3's pools do.
        said = ""
    assert (done.returncode, said) == (0, "")
    return done.stdout


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends(ending: str, server: Server, stuck_lookup: str, tmp_path: Path) -> None:
    variables = {"LD_PRELOAD": stuck_lookup} if "lookups" in ending else {}
    for _ in range(3):
        run(tmp_path, ENDINGS[ending], server.url, **variables)


def test_calls_at_exit(server: Server, tmp_path: Path) -> None:
    """Handlers that were registered before and after the first call, and one that waits for a thread."""
    printed = run(
        tmp_path,
        """
import queue, weakref
tasks = queue.Queue()
def work():
    # As clients of monitoring services do: a daemon thread sends what is in a queue.
    while True:
        print(tasks.get(), session.get(URL + "/late").text, flush=True)
        tasks.task_done()
threading.Thread(target=work, daemon=True).start()
def flush():
    tasks.put("flushed")
    tasks.join()
atexit.register(print, "last")
atexit.register(lambda: print("before", requests.get(URL).text))
atexit.register(flush)
weakref.finalize(session, lambda: print("finalized", requests.get(URL).text))
session.get(URL)
for_ever(lambda: session.get(URL + "/stall"))
atexit.register(lambda: print("after", session.get(URL).text))
atexit.register(session.close)
print("main")
""",
        server.url,
    )
    lines = printed.splitlines()
    assert lines == ["main", "after ok", "finalized ok", "flushed late", "before ok", "last"]


def test_a_handler_registered_before_the_import(server: Server, tmp_path: Path) -> None:
    write(
        tmp_path,
        program="""
import atexit, sys
@atexit.register
def end():
    import waterclock
    print(waterclock.get(sys.argv[1]).text, waterclock.Session().get(sys.argv[1]).text)
import waterclock
waterclock.get(sys.argv[1])
""",
    )
    done = python(str(tmp_path / "program.py"), server.url, env=environment(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok ok\n", "")


def test_the_first_call_may_be_at_exit(server: Server, tmp_path: Path) -> None:
    printed = run(tmp_path, "atexit.register(lambda: print(requests.get(URL).text))", server.url)
    assert printed == "ok\n"
