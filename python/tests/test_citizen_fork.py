"""A forked child works with connections of its own, and leaves its parent's alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, Server, answer
from programs import environment, python, write

#: What every program here begins with. `child(work)` runs it in a child and gives what it returned, or a
#: text that says what went wrong; the child gets 30 seconds for it and for its end.
PRELUDE = '''
import gc, json, os, signal, sys, threading, time, warnings
import waterclock as requests

# Python 3.12 advises against forking with threads; whether that works here is what is tested.
warnings.filterwarnings("ignore", category=DeprecationWarning)
PLAIN, TLS, CA = sys.argv[1:4]
TIMEOUT = 30

def wait_for(pid):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "the child did not end"

def child(work, leave=os._exit):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            found = work()
        except BaseException as error:
            found = repr(error)
        os.write(writer, json.dumps(found).encode())
        os.close(writer)
        leave(0)
    os.close(writer)
    status = wait_for(pid)
    with os.fdopen(reader) as file:
        found = json.loads(file.read() or '"nothing"')
    return found if status == 0 else [status, found]

session = requests.Session()
session.verify = CA

def both():
    """The numbers of the connections that a plain and a TLS request went over."""
    return [int(session.get(url, timeout=TIMEOUT).text) for url in (PLAIN, TLS)]
'''

Run = Callable[..., Any]
Servers = tuple[Server, Server]


@pytest.fixture
def servers(serve: Callable[..., Server], tls_serve: Callable[..., Server]) -> Servers:
    replies: dict[str, Any] = {
        "/": lambda request: answer(f"{request.connection}"),
        "/stall": [STALL],
        "/late": [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 0.5, b"late"],
        "/half": [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 0.5, b"world"],
    }
    return serve(replies), tls_serve(replies)


@pytest.fixture
def run(servers: Servers, ca_file: str, tmp_path: Path) -> Run:
    """Runs a program after the prelude, which has to end well; gives the JSON it prints."""

    def run(source: str, **variables: str) -> Any:
        write(tmp_path, program=PRELUDE + source)
        urls = [server.url for server in servers]
        done = python(
            str(tmp_path / "program.py"), *urls, ca_file, env=environment(**variables), cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert "Fatal" not in done.stderr
        return json.loads(done.stdout)

    return run


LEAVING = [
    ("os._exit", "both"),
    ("sys.exit", "both"),
    ("sys.exit", "lambda: (both(), session.close())[0]"),
    ("sys.exit", "lambda: (both(), globals().pop('session'), gc.collect())[0]"),
    # A child that never makes a call and lets everything go.
    ("sys.exit", "lambda: (globals().pop('session'), gc.collect(), [2, 2])[2]"),
]


@pytest.mark.parametrize(("leave", "work"), LEAVING)
def test_connections_are_not_shared(run: Run, servers: Servers, leave: str, work: str) -> None:
    found = run(
        f"""
before = both()
inside = child({work}, {leave})
print(json.dumps([before, inside, both()]))
"""
    )
    # The child had new ones. Its parent still has its own: nobody has said goodbye on them.
    assert found == [[1, 1], [2, 2], [1, 1]]
    assert {server.connections for server in servers} <= {1, 2}


def test_children_of_children_and_of_threads(run: Run, servers: Servers) -> None:
    found = run(
        """
before = both()
def generations(left):
    mine = both()
    return mine + (child(lambda: generations(left - 1)) if left else []) + both()
inside = []
thread = threading.Thread(target=lambda: inside.append(child(lambda: generations(2), sys.exit)))
thread.start()
thread.join()
print(json.dumps([before, inside, both()]))
"""
    )
    assert found == [[1, 1], [[2, 2, 3, 3, 4, 4, 4, 4, 3, 3, 2, 2]], [1, 1]]


def test_while_other_threads_are_in_calls_and_lookups(run: Run, stuck_lookup: str) -> None:
    found = run(
        """
before = both()
late = []
def in_call():
    late.append(session.get(PLAIN + "/late", timeout=TIMEOUT).text)
calls = [threading.Thread(target=in_call) for _ in range(3)]
others = [
    threading.Thread(target=lambda url=url: session.get(url), daemon=True)
    for url in [PLAIN + "/stall", TLS + "/stall"] + [f"http://stuck.{n}/" for n in range(6)]
]
for thread in calls + others:
    thread.start()
time.sleep(0.2)
def names():
    # All threads for lookups are stuck; those are the parent's.
    both()
    return session.get(PLAIN.replace("127.0.0.1", "localhost"), timeout=TIMEOUT).status_code
inside = [child(names), child(names, sys.exit)]
for thread in calls:
    thread.join()
print(json.dumps([inside, late, session.get(PLAIN).ok]))
sys.stdout.flush()
os._exit(0)
""",
        LD_PRELOAD=stuck_lookup,
    )
    assert found == [[200, 200], ["late"] * 3, True]


def test_many_children_while_threads_make_calls(run: Run) -> None:
    found = run(
        """
ended = threading.Event()
failed = []
made = []
def calls():
    own = requests.Session()
    while not ended.is_set():
        try:
            made.append(session.get(PLAIN, timeout=TIMEOUT).ok and own.get(PLAIN, timeout=TIMEOUT).ok)
        except Exception as error:
            failed.append(repr(error))
threads = [threading.Thread(target=calls) for _ in range(4)]
for thread in threads:
    thread.start()
inside = [child(lambda: session.get(PLAIN, timeout=TIMEOUT).status_code, sys.exit) for _ in range(25)]
ended.set()
for thread in threads:
    thread.join()
print(json.dumps([inside, failed, bool(made) and all(made)]))
"""
    )
    assert found == [[200] * 25, [], True]


def test_a_response_that_is_open_stays_the_parents(run: Run) -> None:
    found = run(
        """
whole = session.get(PLAIN)
half = session.get(TLS + "/half", stream=True, timeout=TIMEOUT)
def inside():
    try:
        return half.content.decode()
    except RuntimeError as error:
        return [str(error), whole.text, whole.json(), whole.explain() != "", half.status_code, half.close()]
print(json.dumps([child(inside, sys.exit), half.text]))
"""
    )
    inside, text = found
    refusal, *rest = inside
    assert refusal == (
        "this response belongs to the parent process: its connection cannot be shared"
    )
    assert rest == ["1", 1, True, 200, None]
    assert text == "helloworld"


def test_a_call_that_goes_on_in_the_child_is_a_call_of_its_own(run: Run) -> None:
    """A request that was sent before the fork is sent again in the child, as authentication does."""
    found = run(
        """
first = session.get(PLAIN)
again = lambda: first.connection.send(first.request.copy(), timeout=TIMEOUT).text
print(json.dumps([first.text, child(again), again()]))
"""
    )
    assert found == ["1", "2", "1"]


def test_ctrl_c_in_the_child(run: Run) -> None:
    found = run(
        """
both()
def inside():
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        session.get(PLAIN + "/stall", timeout=TIMEOUT)
    except KeyboardInterrupt:
        return time.monotonic() - started
found = []
# The thread that forks becomes the child's main thread.
thread = threading.Thread(target=lambda: found.append(child(inside, sys.exit)))
thread.start()
thread.join()
print(json.dumps([child(inside), *found]))
"""
    )
    assert all(0.1 <= seconds < 10 for seconds in found), found


def test_a_deadline_goes_on_in_the_child(run: Run) -> None:
    found = run(
        """
with requests.deadline(1.0):
    started = time.monotonic()
    time.sleep(0.3)
    def inside():
        try:
            session.get(PLAIN + "/stall")
        except requests.Timeout as error:
            return [error.limit, time.monotonic() - started]
    print(json.dumps(child(inside)))
"""
    )
    assert found[0] == "total"
    assert 1.0 <= found[1] < 20


def test_programs_that_are_started_inherit_no_sockets(run: Run) -> None:
    found = run(
        """
import subprocess
both()
half = session.get(PLAIN + "/half", stream=True, timeout=TIMEOUT)
seen = subprocess.run(["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, text=True)
print(json.dumps("socket:" in seen.stdout or "eventfd" in seen.stdout))
"""
    )
    assert found is False
