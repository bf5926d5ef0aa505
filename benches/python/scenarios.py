"""What clients do while they run: calls, threads, bodies and timeouts."""

from __future__ import annotations

import socket
import statistics
import time
import zlib
from collections.abc import Callable
from typing import Any

from bench import Bench, Rows, loud, medians, ratios
from servers import GZIPPED, SMALL, document, pattern, pinned, text

MIB = 1 << 20
ANSWER = {"answer": [200, "application/json", SMALL.decode()]}
CALL_COLUMNS = {
    "us": ",.1f",
    "cpu_us": ",.1f",
    "to_floor": ".2f",
    "to_requests": ".1f",
    "switches": ".1f",
}


def _calls(
    bench: Bench,
    name: str,
    title: str,
    path: str = "json",
    verb: str = "get",
    expect: Any = ANSWER,
    tls: bool = False,
    count: int = 300,
    without: tuple[str, ...] = (),
) -> None:
    """p50 of one call after the other, client and server on one processor."""
    url = (bench.server.tls if tls else bench.server.clear) + path
    command = {"do": "calls", "verb": verb, "url": url, "expect": expect}
    with pinned(bench.server), bench.workers(without, tls) as workers:
        bench.in_turns(workers, 1, count=50, **command)
        # Connections that the calls before have opened are on that processor as well.
        with pinned(bench.server):
            rows = bench.in_turns(workers, bench.rounds, count=count, **command)
    ratios(rows, "us")
    bench.table(name, title, rows, **CALL_COLUMNS)


def get(bench: Bench) -> None:
    title = "keep-alive GET of a small JSON document with timeout=30: status, a field, content"
    _calls(bench, "get", f"{title}; p50")


def decoded(bench: Bench) -> None:
    title = "GET and .json() of a document of 10 kB; p50"
    _calls(bench, "json", title, path="ten", verb="json", expect=document())


def post(bench: Bench) -> None:
    title = "POST of a small JSON document; p50"
    _calls(bench, "post", title, path="", verb="post", expect={"answer": [200, True]})


def tls(bench: Bench) -> None:
    _calls(bench, "tls", "keep-alive GET over TLS; p50", tls=True)


def connect(bench: Bench) -> None:
    _calls(bench, "connect", "GET on a new connection; p50", verb="fresh", count=100)


def tls_connect(bench: Bench) -> None:
    title = "GET on a new connection over TLS, resumed where the client can; p50"
    _calls(bench, "tls-connect", title, verb="fresh", tls=True, count=50)


def threads(bench: Bench) -> None:
    """On all processors."""
    url = bench.server.clear + "json"
    command = {"do": "together", "url": url, "expect": ANSWER}
    for name, ways in (("threads-1", 1), ("threads-8", 8), ("threads-64", 64)):
        with bench.workers() as workers:
            bench.in_turns(workers, 1, ways=ways, each=20, **command)
            rows = bench.in_turns(workers, bench.rounds, ways=ways, each=1600 // ways, **command)
        ratios(rows, "rate", more_is_better=True)
        title = (
            f"{ways} thread{'s' * (ways > 1)} on one session (tasks for aiohttp): calls a second"
        )
        bench.table(
            name, title, rows, rate=",.0f", cpu_us=",.1f", to_floor=".2f", to_requests=".1f"
        )


def _bare_download(bench: Bench, path: str, length: int) -> dict[str, float]:
    """The same bytes by a `recv_into` loop."""
    host, _, port = bench.server.clear.partition("://")[2].rstrip("/").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        request = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        room = bytearray(65536)
        total = 0
        started, spent = time.perf_counter(), time.process_time()
        while count := connection.recv_into(room):
            total += count
        took, spent = time.perf_counter() - started, time.process_time() - spent
    if not length < total < length + 1000:
        raise AssertionError(f"{total} bytes of {length}")
    return {"us": took * 1e6, "cpu_us": spent * 1e6}


def download(bench: Bench) -> None:
    length = bench.mib * MIB
    path = f"bytes/{length}"
    command = {"do": "calls", "url": bench.server.clear + path, "count": 1, "expect": length}
    bare: list[dict[str, float]] = []
    runs: dict[str, list[dict[str, Any]]] = {}
    with bench.workers(without=("pylimit", "waterclock (overridden)")) as workers:
        _check_pieces(bench, workers)
        for _ in range(max(3, bench.rounds // 2)):
            bare.append(_bare_download(bench, path, length))
            for name, figures in bench.in_turns(workers, 1, verb="streamed", **command).items():
                runs.setdefault(name, []).append(figures)
    rows = {"recv_into": medians(bare)}
    rows |= {name: medians(figures) for name, figures in runs.items()}
    for row in rows.values():
        row["mib_s"] = bench.mib / row["us"] * 1e6
        row["cpu_ms"] = row["cpu_us"] / 1e3
        row["cpu_to_bare"] = row["cpu_us"] / rows["recv_into"]["cpu_us"]
    title = f"{bench.mib} MiB by iter_content(65536), beside a bare socket"
    bench.table(
        "download", title, rows, mib_s=",.0f", cpu_ms=",.0f", cpu_to_bare=".2f", peak_mib=".1f"
    )


def _check_pieces(bench: Bench, workers: dict[str, Any]) -> None:
    """The bytes themselves once, in a body that takes no time; later their number."""
    length = 4 * MIB + 1
    url = f"{bench.server.clear}bytes/{length}"
    crc = zlib.crc32(pattern(length))
    bench.in_turns(workers, 1, do="calls", verb="streamed_checksum", url=url, count=1, expect=crc)


def gzipped(bench: Bench) -> None:
    url = bench.server.clear + "gzip"
    command = {"do": "calls", "url": url}
    crc = zlib.crc32(text(GZIPPED))
    with bench.workers(without=("pylimit", "waterclock (overridden)")) as workers:
        bench.in_turns(workers, 1, verb="checksum", count=1, expect=crc, **command)
        rows = bench.in_turns(
            workers, bench.rounds, verb="length", count=3, expect=GZIPPED, **command
        )
    for row in rows.values():
        row["cpu_ms"], row["ms"] = row["cpu_us"] / 1e3, row["us"] / 1e3
    ratios(rows, "cpu_us")
    title = "gzip, 10 MB when decoded: .content"
    bench.table("gzip", title, rows, ms=".1f", cpu_ms=".1f", to_requests=".1f", peak_mib=".1f")


def content(bench: Bench) -> None:
    """Peak memory of a body in one piece, each in a new process."""
    length = 256 * MIB
    rows: Rows = {}
    small = {"do": "calls", "verb": "length", "count": 1}
    with bench.workers() as workers:
        before = bench.in_turns(
            workers, 1, url=bench.server.clear + "bytes/1000", expect=1000, **small
        )
        for name, after in bench.in_turns(
            workers, 1, url=f"{bench.server.clear}bytes/{length}", expect=length, **small
        ).items():
            grown = (after["peak_mib"] - before[name]["peak_mib"]) * MIB
            rows[name] = {"bodies": grown / length, "cpu_ms": after["cpu_us"] / 1e3}
    title = "peak memory of .content of 256 MiB, in bodies"
    bench.table("content", title, rows, bodies=".3f", cpu_ms=",.0f")


def late(bench: Bench) -> None:
    """How long after its 50 ms a read timeout comes, connecting included."""
    _late(bench, "late", "within", "", 0.05, max(20, 5 * bench.rounds))


def total(bench: Bench) -> None:
    """A byte comes each 100 ms, for two seconds: no single wait is long."""
    _late(bench, "total", "total", "drip", 0.3, 3)


def _late(bench: Bench, name: str, verb: str, path: str, seconds: float, count: int) -> None:
    rows: Rows = {}
    with bench.workers(without=("waterclock (overridden)",)) as workers:
        for client, worker in workers.items():
            url = bench.slow + path
            try:
                worker.ask("late", verb=verb, url=url, seconds=seconds, count=1)
                found = worker.ask("late", verb=verb, url=url, seconds=seconds, count=count)
            except RuntimeError as error:
                loud(f"SKIPPED: {client}: {error}")
                continue
            rows[client] = lateness(found["ms"], seconds * 1e3)
            rows[client]["ended_by"] = "timeout" if found["raised"] else "the body"
    title = {
        "late": "50 ms read timeout, no answer: ms too late",
        "total": "300 ms total on a byte each 100 ms for 2 s: ms too late",
    }[name]
    columns = {"p50": ".2f", "p99": ".2f", "early": "d", "ended_by": ">11"}
    bench.table(name, title, rows, **columns)


def lateness(took: list[float], limit: float) -> dict[str, Any]:
    over = sorted(ms - limit for ms in took)
    p99 = over[min(len(over) - 1, round(len(over) * 0.99))]
    return {"p50": statistics.median(over), "p99": p99, "early": sum(ms < 0 for ms in over)}


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "get": get,
    "json": decoded,
    "post": post,
    "tls": tls,
    "connect": connect,
    "tls-connect": tls_connect,
    "threads": threads,
    "download": download,
    "gzip": gzipped,
    "content": content,
    "late": late,
    "total": total,
}
