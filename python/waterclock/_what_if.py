"""What other limits, and other clients, would have done with a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from waterclock._engine import Answer
    from waterclock._timeline import Span, Timeline


class WhatIf(NamedTuple):
    """Whether something would have ended a call, when, and in which wait. `str()` of it says so in words.

    Nothing was sent to find out: the recorded waits are held against other limits.
    """

    #: Whether it would have fired.
    fires: bool
    #: Which limit: its name, or what the client calls it.
    limit: str | None
    #: When, in seconds from the start of the call.
    at: float | None
    #: In which wait.
    wait: Span | None
    #: How far into that wait, in seconds.
    into: float | None
    #: What the client would have raised; None for limits of waterclock.
    error: str | None
    #: All of it in words.
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        what = f"{self.limit} fires at {self.at:.6f} s" if self.fires else "nothing fires"
        return f"<WhatIf: {what}>"


def of_limits(timeline: Timeline, timeout: Any, limits: dict[str, Any]) -> WhatIf:
    """Holds a timeout, or limits by name, against a timeline."""
    from . import _timeouts
    from ._engine import Limits

    if limits:
        if timeout is not None:
            raise TypeError("give a timeout or limits by name, not both")
        asked = ", ".join(f"{name}={value}" for name, value in limits.items())
        timeout = Limits(**limits)
    else:
        asked = repr(timeout) if isinstance(timeout, Limits) else f"timeout={timeout!r}"
    if timeout is None:
        raise TypeError(
            "say which limits: what_if(total=0.12), or what_if(0.12) for `timeout=0.12`"
        )
    answer = timeline._the_record().what_if(_timeouts.checked(timeout), asked, 80)
    return _answer(timeline, answer)


# Clients whose settings are options of a command.
_COMMANDS = ("curl", "wget")


def of_client(
    timeline: Timeline, client: str, setting: str | None, named: dict[str, Any]
) -> WhatIf:
    """Holds another client's settings against a timeline."""
    given = [setting] if setting is not None else []
    given += [_setting(client, name, value) for name, value in named.items()]
    try:
        answer = timeline._the_record().as_client(client, " ".join(given) if given else None, 80)
    except ValueError as error:
        raise ValueError(_in_python(str(error))) from None
    return _answer(timeline, answer)


def _setting(client: str, name: str, value: Any) -> str:
    """A keyword as the client's settings are written: `max_time=0.12` of curl is `--max-time 0.12`."""
    if client in _COMMANDS:
        dashes = "-" if len(name) == 1 else "--"
        return f"{dashes}{name.replace('_', '-')} {_seconds(client, name, value)}"
    if client == "go":
        name = name.replace("_", ".")
    if isinstance(value, tuple):
        parts = ", ".join(_seconds(client, name, part) for part in value)
        return f"{name}=({parts})"
    return f"{name}={_seconds(client, name, value)}"


def _seconds(client: str, name: str, value: Any) -> str:
    if value is None or isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} of {client} is a number of seconds or None, not {value!r}")
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return f"{text}s" if client == "go" else text


def _in_python(message: str) -> str:
    """Without what only the program's command line needs to be told."""
    message = message.partition(". Everything after --as")[0]
    before, there, after = message.partition("; say which: --as ")
    if there:
        client, _, example = after.partition(" ")
        return f'{before}; say which: as_client("{client}", "{example.partition(", ")[0]}")'
    return message


def _answer(timeline: Timeline, answer: Answer) -> WhatIf:
    from ._timeline import in_python

    text, fired = answer
    text = in_python(text)
    if fired is None:
        return WhatIf(False, None, None, None, None, None, text)
    limit, at, into, index, error = fired
    return WhatIf(True, limit, at, timeline.spans[index], into, error, text)
