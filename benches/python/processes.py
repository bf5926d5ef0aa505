"""What whole programs cost: start-up, memory, instructions, system calls, size."""

from __future__ import annotations

import importlib.metadata
import io
import os
import re
import statistics
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import which

from bench import ENVIRONMENT, HERE, Bench, Rows, loud, medians
from programs import importing, program

ROOT = HERE.parent.parent


def run(bench: Bench, client: str, code: str, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, bench.python(client), "-c", code, bench.server.clear + "json"]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)


# Start-up


def start(bench: Bench) -> None:
    """Wall and processor time of a program that imports, and of one that makes a call and ends."""
    programs = {
        "import": {name: importing(name) for name in bench.clients},
        "one-get": {name: program(name, 1) for name in bench.clients},
    }
    programs["import"]["waterclock (overridden)"] = "import waterclock; waterclock.Session()"
    for name, codes in programs.items():
        rows = _over_bare(bench, codes)
        for client, row in rows.items():
            row["peak_mib"] = _peak(bench, client, codes[client]) - _peak(
                bench, client, "import sys"
            )
        if name == "import" and "waterclock (overridden)" in rows:
            rows["... and Session()"] = rows.pop("waterclock (overridden)")
        title = {
            "import": "import, over python -c pass",
            "one-get": "import, one GET and exit, over python -c pass",
        }[name]
        bench.table(name, title, rows, wall_ms=".1f", cpu_ms=".1f", peak_mib=".1f")


def _over_bare(bench: Bench, codes: dict[str, str]) -> Rows:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in codes}
    for name, code in codes.items():
        _spent(bench, name, code)  # compiles what it imports
    for _ in range(max(5, 2 * bench.rounds)):
        for name, code in codes.items():
            bare, whole = _spent(bench, name, "pass"), _spent(bench, name, code)
            runs[name].append({key: whole[key] - bare[key] for key in whole})
    return {name: medians(found) for name, found in runs.items()}


def _spent(bench: Bench, client: str, code: str) -> dict[str, float]:
    command = [bench.python(client), "-c", code, bench.server.clear + "json"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{client} ended with {process.returncode}")
    return {
        "wall_ms": took * 1e3,
        "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1e3,
    }


# Memory

STATUS = """
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("{0}")).split()[1])
"""


def _peak(bench: Bench, client: str, code: str) -> float:
    """MiB; the kernel's own count for a child begins with what its parent had."""
    return int(run(bench, client, code + "\n" + STATUS.format("VmHWM")).stdout) / 1024


def resident(bench: Bench) -> None:
    rows: Rows = {
        name: {
            "rss_mib": int(run(bench, name, program(name, 1000, STATUS.format("VmRSS"))).stdout)
            / 1024
        }
        for name in bench.clients
    }
    bench.table("rss", "resident memory after 1,000 calls", rows, rss_mib=".1f")


# Counts

FEW, MANY = 50, 150


def counts(bench: Bench) -> None:
    """Instructions and system calls of a keep-alive GET: two runs, the difference."""
    rows: Rows = {name: {} for name in bench.clients}
    for figure, tool in (("instructions", "valgrind"), ("system_calls", "strace")):
        if which(tool) is None:
            loud(f"NOT COUNTED: {figure.replace('_', ' ')}: there is no {tool}")
            continue
        for name in bench.clients:
            few, many = (counted(bench, name, figure, calls) for calls in (FEW, MANY))
            rows[name][figure] = (many - few) / (MANY - FEW)
    title = "user instructions and system calls of a keep-alive GET"
    bench.table("counts", title, rows, instructions=",.0f", system_calls=".2f")


def counted(bench: Bench, client: str, figure: str, calls: int) -> int:
    code = program(client, calls)
    if figure == "instructions":
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        found = re.search(r"Collected : (\d+)", run(bench, client, code, *tool).stderr)
    else:
        with tempfile.NamedTemporaryFile() as file:
            run(bench, client, code, "strace", "-f", "-c", "-U", "calls,name", "-o", file.name)
            found = re.search(r"^\s*(\d+) total$", Path(file.name).read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no number of {figure} was printed")
    return int(found.group(1))


# waterclock alone

GUARD = """
import time
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


def guard(bench: Bench) -> None:
    """Nanoseconds of the identity checks that each call begins with."""
    lines = {
        "waterclock alone": "",
        "all imported": "import http.cookiejar, ssl, urllib3, waterclock.auth",
    }
    rows: Rows = {}
    for name, line in lines.items():
        code = GUARD.format(code=line)
        runs = [float(run(bench, "waterclock", code).stdout) for _ in range(bench.rounds)]
        rows[name] = {"ns": statistics.median(runs)}
    title = "the identity checks of a call, with nothing and with all that can be replaced"
    bench.table("guard", title, rows, ns=",.0f")


# Size


def size(bench: Bench) -> None:
    """What a wheel comes to: files as installed, zipped."""
    rows: Rows = {"waterclock": {"wheel_kb": _zipped(_package()) / 1e3}}
    for name in bench.clients:
        try:
            files = {
                str(file): Path(str(file.locate())) for file in importlib.metadata.files(name) or []
            }
        except importlib.metadata.PackageNotFoundError:
            continue
        rows[name] = {"wheel_kb": _zipped(files.items()) / 1e3}
    bench.table("size", "size of the package, zipped as in a wheel", rows, wheel_kb=",.0f")


def _package() -> Iterable[tuple[str, Path]]:
    """The package from the tree, with its engine stripped as in the wheel."""
    folder = ROOT / "python" / "waterclock"
    with tempfile.TemporaryDirectory() as there:
        for file in sorted(folder.iterdir()):
            if file.suffix == ".so" and which("strip"):
                stripped = Path(there) / file.name
                subprocess.run(["strip", "-o", str(stripped), str(file)], check=True)
                yield file.name, stripped
            elif file.suffix in (".py", ".pyi", ".typed", ".so"):
                yield file.name, file


def _zipped(files: Iterable[tuple[str, Path]]) -> int:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            if path.suffix != ".pyc":
                archive.write(path, name)
    return len(room.getbuffer())


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "guard": guard,
    "counts": counts,
    "start": start,
    "rss": resident,
    "size": size,
}
