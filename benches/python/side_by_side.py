"""waterclock, a floor and its peers side by side on one machine: `scripts/bench_python`.

Every client runs in a process of its own. They take turns, round by round, so that what else the machine
does hits all of them; figures are medians of the rounds. Every answer is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import processes
import scenarios
from bench import Bench
from clients import CLIENTS
from servers import fast_server, slow_server

ALL = {**scenarios.SCENARIOS, **processes.SCENARIOS}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="the program bench_server")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=1024, help="size of the streamed body")
    parser.add_argument("--only", action="append", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--clients", help="some of them, with commas between")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="writes all figures there as well"
    )
    parser.add_argument("--niquests", help="the Python that has niquests")
    options = parser.parse_args()
    for name in options.only or []:
        if name not in ALL:
            parser.error(f"there is no {name}: {', '.join(ALL)}")
    return options


def main() -> None:
    options = arguments()
    wanted = options.clients.split(",") if options.clients else list(CLIENTS)
    with (
        tempfile.TemporaryDirectory() as folder,
        fast_server(options.server, Path(folder)) as server,
        slow_server() as slow,
    ):
        bench = Bench(server, slow, wanted, options.rounds, options.mib, options.niquests)
        for name in options.only or ALL:
            ALL[name](bench)
            sys.stdout.flush()
            if options.json:  # each time, so that a run that is ended has left what it found
                options.json.write_text(json.dumps(bench.found, indent=1) + "\n")


if __name__ == "__main__":
    main()
