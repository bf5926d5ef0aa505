"""One client in a process of its own: reads commands and writes results, both JSON, a line each.

usage: worker.py CLIENT [CA]
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings

from clients import ANYTHING, CLIENTS, Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def median(values: list[float]) -> float:
    """Without `statistics`, which is megabytes: the client's memory is measured here."""
    values = sorted(values)
    middle = len(values) // 2
    return (values[middle] + values[~middle]) / 2


def peak_kib() -> int:
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def calls(client: Client, verb: str, url: str, count: int, expect: Any) -> dict[str, float]:
    """Medians of `count` calls, and what each took of the processor."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    took = client.repeat(verb, [url], count, expected(expect))
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Of both kinds: on one processor the kernel may go to the server before the client waits for it.
    switches = after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw
    return {
        "us": median(took) * 1e6,
        "cpu_us": spent / count * 1e6,
        "switches": switches / count,
        "peak_mib": peak_kib() / 1024,
    }


def together(client: Client, url: str, ways: int, each: int, expect: Any) -> dict[str, float]:
    """Calls a second of `ways` threads (of tasks, for aiohttp) on one client."""
    before = time.process_time()
    took = client.together(url, ways, each, expected(expect))
    spent = time.process_time() - before
    return {"rate": ways * each / took, "cpu_us": spent / (ways * each) * 1e6}


def late(client: Client, verb: str, url: str, seconds: float, count: int) -> dict[str, Any]:
    """Milliseconds that each of `count` calls took, and whether all were ended by an exception."""
    found, raised = [], 0
    for _ in range(count):
        started = time.perf_counter()
        try:
            client.repeat(verb, [url, seconds], 1, ANYTHING)
        except Exception:  # noqa: BLE001 (each client has its own)
            raised += 1
        found.append((time.perf_counter() - started) * 1e3)
    return {"ms": found, "raised": raised == count}


def expected(value: Any) -> Any:
    """Status, media type and body, or status and success, are tuples; JSON has none, nor bytes."""
    if not (isinstance(value, dict) and "answer" in value):
        return value
    return tuple(
        part.encode() if place == 2 and isinstance(part, str) else part
        for place, part in enumerate(value["answer"])
    )


def main() -> None:
    warnings.simplefilter("ignore")
    name, *rest = sys.argv[1:]
    client = CLIENTS[name](rest[0] if rest else None)
    print(json.dumps({"ready": name}), flush=True)
    work = {"calls": calls, "together": together, "late": late}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            result = work[command.pop("do")](client, **command)
        except Exception as error:  # noqa: BLE001 (of any client, and reported as it is)
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)
    client.close()


if __name__ == "__main__":
    main()
