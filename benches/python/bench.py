"""What all scenarios use: the clients' processes, taking turns, and tables."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import Server

HERE = Path(__file__).resolve().parent
# The same seed for all, so that counts are the same in each run; and compiled once, as installed programs are.
ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0"}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


class Worker:
    """A client in a process of its own, `worker.py`."""

    def __init__(self, python: str, client: str, ca: str | None) -> None:
        command = [python, str(HERE / "worker.py"), client, *([ca] if ca else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        self._answer()

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **command}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the client's process ended; its error is above")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


class Bench:
    def __init__(
        self,
        server: Server,
        slow: str,
        clients: list[str],
        rounds: int,
        mib: int,
        niquests: str | None,
    ) -> None:
        self.server, self.slow, self.rounds, self.mib = server, slow, rounds, mib
        self._niquests = niquests
        self.clients = [name for name in clients if self._works(name)]
        self.found: dict[str, Any] = {}

    def python(self, client: str) -> str:
        if client == "niquests" and self._niquests:
            return self._niquests
        return sys.executable

    def _works(self, client: str) -> bool:
        try:
            Worker(self.python(client), client, None).close()
        except RuntimeError as error:
            loud(f"SKIPPED: {client}: {error}")
            return False
        return True

    @contextmanager
    def workers(
        self, without: tuple[str, ...] = (), tls: bool = False
    ) -> Iterator[dict[str, Worker]]:
        """A process for each client; the floor has no TLS."""
        ca = self.server.ca if tls else None
        without += ("pylimit",) if tls else ()
        made = {
            name: Worker(self.python(name), name, ca)
            for name in self.clients
            if name not in without
        }
        try:
            yield made
        finally:
            for worker in made.values():
                worker.close()

    def in_turns(self, workers: dict[str, Worker], rounds: int, **command: Any) -> Rows:
        """For each client the median of the rounds of each figure; none where one went wrong."""
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name in [name for name in runs if name in workers]:
                try:
                    runs[name].append(workers[name].ask(**command))
                except (RuntimeError, OSError) as error:
                    loud(f"SKIPPED: {name}: {error}")
                    del workers[name]
        return {name: medians(runs[name]) for name in workers}

    def table(self, name: str, title: str, rows: Rows, **columns: str) -> None:
        """Prints the columns, `name of a figure` to `its format`, and keeps the rows for the JSON."""
        self.found[name] = {"title": title, "rows": rows}
        print(f"\n{title}  [{name}]")
        widths = {key: max(len(key) + 2, 11) for key in columns}
        print(" " * 24 + "".join(f"{key.replace('_', ' '):>{widths[key]}}" for key in columns))
        for client, figures in rows.items():
            cells = [cell(figures.get(key), columns[key]).rjust(widths[key]) for key in columns]
            print(f"  {client:22}{''.join(cells)}")


Rows = dict[str, dict[str, Any]]


def cell(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else format(value, form)


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]} if runs else {}


def ratios(rows: Rows, key: str, more_is_better: bool = False) -> None:
    """Adds how near each is to the floor (1 is the limit), and how many times as good as requests."""
    for name, base in (("to_floor", rows.get("pylimit")), ("to_requests", rows.get("requests"))):
        if base is None:
            continue
        for row in rows.values():
            better, worse = (row[key], base[key]) if more_is_better else (base[key], row[key])
            row[name] = better / worse


def loud(text: str) -> None:
    print(f"\n!!! {text}\n", file=sys.stderr, flush=True)
