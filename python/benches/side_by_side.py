"""waterclock and requests side by side, in turns, on one machine: `scripts/bench_python`.

Every figure is the best of several rounds in which the clients take turns, so that what else the machine does
hits all of them. The server is the lab's fast one, in a process of its own. Single calls are made with client
and server on one processor: on two of them it is how long a sleeping processor takes to wake up that is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MIB = 1 << 20


@contextmanager
def pinned(server: subprocess.Popen[str]) -> Iterator[None]:
    """This process and the server on one processor, where the system lets us."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    put_on(server, {min(before)})
    try:
        yield
    finally:
        put_on(server, before)


def put_on(server: subprocess.Popen[str], processors: set[int]) -> None:
    for task in (0, *map(int, os.listdir(f"/proc/{server.pid}/task"))):
        # A thread of a connection that was closed may be gone by now.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(task, processors)


@contextmanager
def fast_server(program: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The lab's server, which lives as long as the block, and its URL."""
    server = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdin is not None
    try:
        yield server, server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def sessions() -> dict[str, Any]:
    """A session of each client; one of waterclock goes the way that Python sees."""
    import requests

    import waterclock

    class Seen(waterclock.Session):
        """Overrides a method, so that every request goes through all of them."""

        def prepare_request(self, request: Any) -> Any:
            return super().prepare_request(request)

    return {
        "requests": requests.Session(),
        "waterclock, Python-visible path": Seen(),
        "waterclock": waterclock.Session(),
    }


def get(session: Any, url: str) -> None:
    response = session.get(url, timeout=30)
    response.status_code, response.headers["content-type"], response.content


def in_turns(work: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The best of `rounds` for each, taken in turns."""
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            best[name] = min(best[name], run())
    return best


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def calls(url: str, rounds: int) -> dict[str, float]:
    """Microseconds of a keep-alive GET of a small JSON document."""
    count = 500

    def many(session: Any) -> float:
        return timed(lambda: [get(session, url) for _ in range(count)]) / count * 1e6

    made = sessions()
    for session in made.values():
        many(session)
    return in_turns({name: (lambda s=s: many(s)) for name, s in made.items()}, rounds)


def threads(url: str, rounds: int) -> dict[str, float]:
    """Calls per second of one thread and of eight, on one session."""
    import waterclock

    session = waterclock.Session()
    get(session, url)

    def rate(count: int) -> float:
        each = 8000 // count
        workers = [
            threading.Thread(target=lambda: [get(session, url) for _ in range(each)])
            for _ in range(count)
        ]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return (time.perf_counter() - started) / (each * count)

    best = in_turns({"1 thread": lambda: rate(1), "8 threads": lambda: rate(8)}, rounds)
    return {name: 1 / seconds for name, seconds in best.items()}


def download(url: str, size: int, rounds: int) -> dict[str, float]:
    """MiB/s of a large body in pieces of 64 KiB, beside a bare `recv_into` loop."""
    import requests

    import waterclock

    host, _, port = url.partition("://")[2].rstrip("/").partition(":")
    path = f"/bytes/{size}"

    def bare() -> float:
        with socket.create_connection((host, int(port))) as connection:
            request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            room = bytearray(65536)
            total = 0
            started = time.perf_counter()
            while count := connection.recv_into(room):
                total += count
            took = time.perf_counter() - started
        assert total > size
        return took

    def pieces(session: Any) -> float:
        with session.get(url.rstrip("/") + path, stream=True) as response:
            total = 0
            started = time.perf_counter()
            for piece in response.iter_content(65536):
                total += len(piece)
            took = time.perf_counter() - started
        assert total == size
        return took

    work: dict[str, Callable[[], float]] = {"recv_into": bare}
    for name, session in (("requests", requests.Session()), ("waterclock", waterclock.Session())):
        work[name] = lambda session=session: pieces(session)
    best = in_turns(work, rounds)
    return {name: size / MIB / seconds for name, seconds in best.items()}


MEMORY = """
import resource, sys
import {module} as client
session = client.Session()
session.get(sys.argv[1] + "json").content
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
before = peak()
body = session.get(sys.argv[1] + "bytes/" + sys.argv[2]).content
assert len(body) == int(sys.argv[2])
print((peak() - before) * 1024 / len(body))
"""


def memory(url: str) -> dict[str, float]:
    """Peak memory of `.content` of 256 MiB, in bodies."""
    return {
        module: float(python(MEMORY.format(module=module), url, str(256 * MIB)))
        for module in ("requests", "waterclock")
    }


def python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


IMPORT = """
import time
started = time.process_time()
{code}
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(time.process_time() - started, peak)
"""


def imports(rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds and MiB of an import, and of a session, over bare Python."""
    lines = {
        "nothing": "pass",
        "import waterclock": "import waterclock",
        "... and Session()": "import waterclock; waterclock.Session()",
        "import requests": "import requests",
    }
    found: dict[str, tuple[float, float]] = {}
    for name, code in lines.items():
        runs = [python(IMPORT.format(code=code)).split() for _ in range(3 * rounds)]
        found[name] = (
            min(float(seconds) for seconds, _ in runs) * 1e3,
            min(float(kib) for _, kib in runs) / 1024,
        )
    bare = found.pop("nothing")
    return {name: (ms - bare[0], mib - bare[1]) for name, (ms, mib) in found.items()}


COUNTED = """
import sys
import {module} as client
session = client.Session()
for _ in range(int(sys.argv[2])):
    response = session.get(sys.argv[1], timeout=30)
    response.status_code, response.headers["content-type"], response.content
"""


GUARD = """
import sys, time
{code}
import waterclock
from waterclock import _fast_guard
waterclock.Session()
assert _fast_guard.is_pristine()
started = time.perf_counter()
for _ in range(100_000):
    _fast_guard.is_pristine()
print((time.perf_counter() - started) * 1e4)
"""


def guard(rounds: int) -> dict[str, float]:
    """Nanoseconds of the identity checks that each call begins with."""
    lines = {
        "waterclock alone": "",
        "all that can be replaced imported": "import http.cookiejar, ssl, urllib3, waterclock.auth",
    }
    work = {name: GUARD.format(code=code) for name, code in lines.items()}
    return in_turns({name: (lambda c=c: float(python(c))) for name, c in work.items()}, rounds)


def instructions(url: str) -> dict[str, float]:
    """User instructions of a call, counted by callgrind; nothing if valgrind is not here."""
    from shutil import which

    if which("valgrind") is None:
        return {}
    environment = {**os.environ, "PYTHONHASHSEED": "0"}

    def count(module: str, times: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        command += [sys.executable, "-c", COUNTED.format(module=module), url, str(times)]
        run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        line = next(line for line in run.stderr.splitlines() if "Collected" in line)
        return int(line.split()[-1])

    found = {}
    for module in ("waterclock",):
        found[module] = (count(module, 800) - count(module, 300)) / 500
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="the program fast_server of waterclock-lab")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=1024, help="size of the streamed body")
    options = parser.parse_args()
    with fast_server(options.server) as (server, url):
        with pinned(server):
            found = calls(url + "json", options.rounds)
        ours = found["waterclock"]
        print("keep-alive GET of a small JSON document, us a call (and as often as requests)")
        for name, us in found.items():
            print(f"  {name:34} {us:8.1f}  {found['requests'] / us:5.1f}")
        counted = instructions(url + "json")
        for name, count in counted.items():
            print(f"  {name}: {count:,.0f} instructions a call")
        print("identity checks of a call, ns")
        for name, ns in guard(options.rounds).items():
            print(f"  {name:34} {ns:8.0f}")
        rates = threads(url + "json", options.rounds)
        more = rates["8 threads"] / rates["1 thread"]
        print(f"one session, calls/s: {rates['1 thread']:,.0f} by one thread,", end=" ")
        print(f"{rates['8 threads']:,.0f} by eight ({more:.2f} times)")
        print(f"{options.mib} MiB by iter_content(65536), MiB/s (and of recv_into)")
        streamed = download(url, options.mib * MIB, max(3, options.rounds // 2))
        for name, rate in streamed.items():
            print(f"  {name:34} {rate:8.0f}  {rate / streamed['recv_into']:5.2f}")
        print("peak memory of .content of 256 MiB, in bodies")
        for name, bodies in memory(url).items():
            print(f"  {name:34} {bodies:8.3f}")
    print("cost over bare Python, ms of CPU and MiB")
    for name, (ms, mib) in imports(options.rounds).items():
        print(f"  {name:34} {ms:8.1f} {mib:8.1f}")
    print(json.dumps({"us": ours, "times_requests": found["requests"] / ours}))


if __name__ == "__main__":
    main()
