"""`python -m waterclock run script.py ARGUMENTS...`: a program that knows nothing of waterclock.

It sees what it would see from `python script.py ARGUMENTS...`, except that `import requests` gives waterclock.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, TracebackType

USAGE = """\
usage: python -m waterclock run [--trace FILE] SCRIPT [ARGUMENT...]
       python -m waterclock run [--trace FILE] -m MODULE [ARGUMENT...]

Runs a Python program in which `import requests` gives waterclock. Options of the interpreter itself go in
front: python -X dev -m waterclock run SCRIPT. What follows SCRIPT is for the program.

  --trace FILE   all calls of the program in one file, written when it ends: a page (.html), a trace for
                 Perfetto (.json), an HTTP archive (.har), OpenTelemetry spans (.otlp.json). The first
                 1000 calls are kept, the rest is counted. It may also stand at the very end, unless the
                 program is given `--trace=FILE` there: in one word it is the program's.

The variable WATERCLOCK_EXPLAIN shows where the time went, on standard error: 1 of requests that fail, a number of
seconds (0.5, 2s, 300ms) also of those that take longer, all of every one.
"""


def run(arguments: list[str]) -> int:
    """Runs what the arguments name, and says with which code to exit; what it raises comes through."""
    from ._install import install

    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    trace, arguments = _trace_of(arguments)
    if trace is None:
        trace, arguments = _trace_at_end(arguments)
    is_module = arguments[:1] == ["-m"]
    words = arguments[1:] if is_module else arguments
    if not words or (not is_module and words[0].startswith("-")):
        print(USAGE, end="", file=sys.stderr)
        return 2
    refusal = None if trace is None else _refused(trace)
    if refusal:
        print(f"waterclock: --trace {trace}: {refusal}", file=sys.stderr)
        return 2
    try:
        install()
    except RuntimeError as refused:
        print(f"waterclock: {refused}", file=sys.stderr)
        return 2
    if trace is not None:
        from . import _program

        _program.begin(trace, words[0])
    # A module of its own, so that the program finds nothing of ours among its globals.
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=sys.modules["builtins"])
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={})
    sys.modules["__main__"] = main
    if is_module:
        sys.argv[:] = ["-m", *words[1:]]
        # The program `waterclock` begins with the folder that it is in.
        _search_first(os.getcwd())
        _run(main, lambda: _run_module(words[0]))
        return 0
    sys.argv[:] = words
    try:
        program = _script(main, words[0])
    except OSError as error:
        name = _absolute(words[0])
        text = f"can't open file {name!r}: [Errno {error.errno}] {error.strerror}"
        print(f"{sys.executable}: {text}", file=sys.stderr)
        return 2
    _run(main, program)
    return 0


def _trace_of(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The file for the calls of the program, and the arguments after it; the last one counts."""
    trace = None
    while arguments and arguments[0].partition("=")[0] == "--trace":
        _, is_joined, value = arguments[0].partition("=")
        if not is_joined and len(arguments) < 2:
            return None, []
        trace, arguments = (value, arguments[1:]) if is_joined else (arguments[1], arguments[2:])
    return trace, arguments


def _trace_at_end(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The same behind everything else: `run script.py --trace calls.html`."""
    if arguments[-2:-1] != ["--trace"] or len(arguments) < 3:
        return None, arguments
    from ._program import format_of

    if format_of(arguments[-1]) is None:
        return None, arguments
    return arguments[-1], arguments[:-2]


def _refused(trace: str) -> str | None:
    """Why nothing could be written there, before anything runs."""
    from ._program import FORMATS, format_of

    if format_of(trace) is None:
        return f"the name has to end in {', '.join(FORMATS)}"
    folder = os.path.dirname(os.path.abspath(trace))
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    if os.path.isdir(trace):
        return "this is a folder"
    return None if os.access(folder, os.W_OK) else f"nothing can be written in {folder}"


def _run(main: ModuleType, program: Callable[[], object]) -> None:
    """Runs it; a traceback that the interpreter will print begins where the program begins."""
    try:
        program()
    except SystemExit:
        raise
    except BaseException as error:
        show = sys.excepthook
        start = _beginning(error.__traceback__, main)

        def show_program(
            kind: type[BaseException], value: BaseException, traceback: TracebackType | None
        ) -> None:
            show(kind, value.with_traceback(start), start)

        # Raised again and not shown here, because the interpreter has more to do: an interrupt
        # ends the process by the signal.
        sys.excepthook = show_program
        raise


def _beginning(traceback: TracebackType | None, main: ModuleType) -> TracebackType | None:
    """The part of a traceback that is the program's, or `None` if it did not come to run."""
    while traceback is not None and traceback.tb_frame.f_globals is not main.__dict__:
        traceback = traceback.tb_next
    return traceback


def _script(main: ModuleType, name: str) -> Callable[[], object]:
    """What runs the file, folder or archive `name`. Raises OSError if it cannot be read."""
    from pkgutil import get_importer, read_code

    if get_importer(name) is not None:
        # A folder or an archive with a `__main__` in it; it is looked for in `sys.path`.
        _search_first(_absolute(name))
        return lambda: _run_module("__main__", False)
    path = _absolute(name)
    with open(path, "rb") as file:
        compiled = read_code(file)
        file.seek(0)
        source = b"" if compiled is not None else file.read()
    _search_first(os.path.dirname(os.path.realpath(path)))

    def execute() -> None:
        from importlib.machinery import SourceFileLoader, SourcelessFileLoader

        loader = SourceFileLoader if compiled is None else SourcelessFileLoader
        main.__dict__.update(__file__=path, __cached__=None, __loader__=loader("__main__", path))
        code: CodeType = compiled or compile(source, path, "exec", dont_inherit=True)
        exec(code, main.__dict__)  # noqa: S102 (this is what was asked for)

    return execute


def _absolute(name: str) -> str:
    """As Python makes names of programs absolute: nothing is resolved."""
    return os.path.join(os.getcwd(), name)


def _search_first(folder: str) -> None:
    """Modules are looked for beside the program, and no longer where `python -m waterclock` was started."""
    if sys.flags.isolated or getattr(sys.flags, "safe_path", False):
        # Python was told not to, and has not put a folder there that could be replaced.
        return
    sys.path[:1] = [folder]


def _run_module(name: str, set_argv: bool = True) -> None:
    """As the interpreter does it for `-m`, by the function that it calls."""
    import runpy

    as_main: Callable[[str, bool], object] = runpy.__dict__["_run_module_as_main"]
    as_main(name, set_argv)
