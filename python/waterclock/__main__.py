"""`python -m waterclock`: the program `waterclock`, or a Python program for which requests is waterclock.

For example:

    python -m waterclock https://example.com       makes a request, and says where the time went
    python -m waterclock --help                    everything that the program can do
    python -m waterclock run script.py             the script's `import requests` gives waterclock
    python -m waterclock run --trace calls.html script.py
                                                   and all its calls on one page
"""

from __future__ import annotations

import sys


def main() -> int:
    """Does what `sys.argv` asks for, and says with which code to exit."""
    if sys.argv[1:2] == ["run"]:
        from ._run import run

        return run(sys.argv[2:])
    return _program(sys.argv[1:])


def _program(arguments: list[str]) -> int:
    import os
    import signal

    from . import _engine

    # Where Python would open its next file, the program would take that for its output.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    # Python's handler only notes an interrupt, for when Python code runs again.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _engine.main(["waterclock", *arguments])


if __name__ == "__main__":
    sys.exit(main())
