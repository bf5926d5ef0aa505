"""Pools of processes: forked, spawned and served by a fork server, with a Session that is global, and one that travels."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import STALL, Server, answer
from programs import environment, python, write

PROGRAM = """
import concurrent.futures, json, multiprocessing, os, sys, warnings

import waterclock as requests

warnings.filterwarnings("ignore", category=DeprecationWarning)
URL = sys.argv[1] if len(sys.argv) > 1 else ""
# Made when the module is imported: before the fork, or again in a process that was spawned.
session = requests.Session()
session.headers["X-From"] = "global"

def with_the_global_one(url):
    found = session.get(url, timeout=60)
    return found, os.getpid()

def with_one_that_came(own, url):
    return own.get(url, timeout=60)

def failing(url):
    return session.get(url + "/stall", timeout=0.1)

def main(method):
    context = multiprocessing.get_context(method)
    own = requests.Session()
    own.headers["X-From"] = "travelled"
    # Both have connections when the processes are made.
    mine = [session.get(URL, timeout=60).text, own.get(URL, timeout=60).text]
    urls = [f"{URL}/{number}" for number in range(12)]
    with context.Pool(3) as pool:
        found = pool.map(with_the_global_one, urls, chunksize=2)
        travelled = pool.starmap(with_one_that_came, [(own, url) for url in urls])
        errors = []
        for result in [pool.apply_async(failing, (URL,)) for _ in range(2)]:
            try:
                result.get(60)
            except requests.ReadTimeout as error:
                errors.append([type(error).__name__, error.phase, "read limit of 100 ms fired" in error.explain()])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        executed = [one.text for one, _ in executor.map(with_the_global_one, urls)]
    print(json.dumps({
        "mine": mine,
        "found": [one.text for one, _ in found],
        "travelled": [one.json() for one in travelled],
        "executed": executed,
        "other processes": all(pid != os.getpid() for _, pid in found),
        "errors": errors,
        "kinds": sorted({type(one).__name__ for one, _ in found}),
        "explained": all(one.explain() for one, _ in found),
        # Whoever has made them: the parent's connections are still its own.
        "still mine": [session.get(URL, timeout=60).text, own.get(URL, timeout=60).text],
    }))

if __name__ == "__main__":
    main(sys.argv[2])
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools(method: str, serve: Callable[..., Server], tmp_path: Path) -> None:
    def reply(request: Any) -> Any:
        if request.target == "/":
            return answer(f"{request.connection}")
        if request.target == "/stall":
            return [STALL]
        return answer(json.dumps([request.target, request.header("X-From")]))

    server = serve(reply)
    write(tmp_path, program=PROGRAM)
    done = python(str(tmp_path / "program.py"), server.url, method, env=environment(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["mine"] == found["still mine"] == ["1", "2"]
    assert found["found"] == [json.dumps([f"/{number}", "global"]) for number in range(12)]
    assert found["executed"] == found["found"]
    assert found["travelled"] == [[f"/{number}", "travelled"] for number in range(12)]
    assert found["other processes"]
    assert found["explained"]
    assert found["kinds"] == ["Response"]
    assert found["errors"] == [["ReadTimeout", "first_byte", True]] * 2


def test_a_pool_is_interrupted(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of a terminal; none of them is left waiting."""
    server = serve({"/": answer(), "/stall": [STALL]})
    write(
        tmp_path,
        program="""
        import multiprocessing, os, signal, sys, threading, time
        import waterclock as requests

        def work(url, ready):
            try:
                ready.release()
                requests.get(url)
            except KeyboardInterrupt:
                os._exit(7)

        if __name__ == "__main__":
            os.setpgid(0, 0)
            requests.get(sys.argv[1])  # what is imported late is there now: some imports hide a Ctrl-C
            context = multiprocessing.get_context("fork")
            ready = context.Semaphore(0)
            workers = [
                context.Process(target=work, args=(sys.argv[1] + "/stall", ready)) for _ in range(3)
            ]
            for worker in workers:
                worker.start()
            for _ in workers:
                ready.acquire(timeout=30)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            deadline = time.monotonic() + 30
            while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline:
                time.sleep(0.2)
                os.killpg(0, signal.SIGINT)
            print([worker.exitcode for worker in workers])
            for worker in workers:
                worker.kill()
        """,
    )
    done = python(str(tmp_path / "program.py"), server.url, env=environment(), cwd=tmp_path)
    assert done.stdout == "[7, 7, 7]\n", done.stderr
