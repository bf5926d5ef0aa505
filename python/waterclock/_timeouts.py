"""What `timeout=` may be: checked as urllib3 checks it, and in the words of requests.

Values are checked here and not by urllib3, because importing it takes longer than most calls.
"""

from __future__ import annotations

import sys
from math import isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import Deadline, Limits


def deadline_in_force() -> Deadline | None:
    """The deadline of the innermost `with waterclock.deadline(...)`, or None."""
    time = sys.modules.get("waterclock._deadline")
    # Where nobody imported it nobody has set a deadline.
    # Nor who is importing it only now, in another thread.
    current = getattr(time, "current_deadline", None)
    found: Deadline | None = None if current is None else current()
    return found


def checked(timeout: Any) -> Any:
    """A number, a pair of numbers, Limits or None: what the engine takes.

    ValueError, with requests' words, for what is not a timeout. Infinity and numbers that no clock can hold are no
    limit, where requests lets the socket's OverflowError through.
    """
    if timeout is None:
        return None
    kind = type(timeout)
    if kind is float or kind is int:
        return _number(timeout, "connect")
    if isinstance(timeout, tuple):
        return _pair(timeout)
    if _is_limits(timeout):
        return timeout
    if is_urllib3_timeout(timeout):
        return _of_urllib3(timeout)
    if _is_default(timeout):
        return _default()
    return _number(timeout, "connect")


def parts(timeout: Any) -> tuple[Any, Any]:
    """The connect and the read timeout as the caller wrote them, for messages."""
    if isinstance(timeout, tuple):
        return timeout if len(timeout) == 2 else (None, None)
    if _is_limits(timeout):
        connect = timeout.connect if timeout.connect is not None else timeout.address
        read = timeout.read
        for limit in (timeout.first_byte, timeout.head):
            read = limit if read is None else read
        return connect, read
    if is_urllib3_timeout(timeout):
        return _plain(timeout._connect), _plain(timeout._read)
    return timeout, timeout


def is_urllib3_timeout(timeout: Any) -> bool:
    # The class is not there while another thread imports the module.
    kind = getattr(sys.modules.get("urllib3.util.timeout"), "Timeout", None)
    return kind is not None and isinstance(timeout, kind)


def _is_limits(timeout: Any) -> bool:
    # Cheaper than importing the engine to look: whoever has Limits has imported it.
    kind = getattr(sys.modules.get("waterclock._engine"), "Limits", None)
    return kind is not None and isinstance(timeout, kind)


def _is_default(value: Any) -> bool:
    kind = getattr(sys.modules.get("urllib3.util.timeout"), "Timeout", None)
    return kind is not None and value is kind.DEFAULT_TIMEOUT


def _default() -> Any:
    import socket

    return socket.getdefaulttimeout()


def _plain(value: Any) -> Any:
    return _default() if _is_default(value) else value


def _pair(timeout: tuple[Any, ...]) -> tuple[Any, Any]:
    try:
        connect, read = timeout
        return (_number(_plain(connect), "connect"), _number(_plain(read), "read"))
    except ValueError as error:
        if error.args == (_NAN,):
            # The socket says so, after urllib3 has let it pass: requests does not put it into other words.
            raise
        raise ValueError(
            f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, "
            f"or a single float to set both timeouts to the same value."
        ) from None


_NAN = "Invalid value NaN (not a number)"


def _number(value: Any, name: str) -> float | int | None:
    if value is None:
        return None
    if isinstance(value, bool):
        # What requests raises.
        raise ValueError(  # noqa: TRY004
            "Timeout cannot be a boolean value. It must be an int, float or None."
        )
    try:
        number = float(value)
        is_positive = value > 0
    except OverflowError:
        return None
    except (TypeError, ValueError):
        raise ValueError(
            f"Timeout value {name} was {value}, but it must be an int, float or None."
        ) from None
    if isnan(number):
        raise ValueError(_NAN)
    if not is_positive:
        raise ValueError(
            f"Attempted to set {name} timeout to {value}, but the "
            f"timeout cannot be set to a value less than or equal to 0."
        )
    if number > _NEVER:
        return None
    return value if type(value) in (int, float) else number


# A century: an int this large does not fit into the engine's clock, and nobody waits that long.
_NEVER = 3.2e9


def _of_urllib3(timeout: Any) -> Any:
    connect = _number(_plain(timeout._connect), "connect")
    read = _number(_plain(timeout._read), "read")
    total = _number(_plain(timeout.total), "total")
    if total is None:
        return (connect, read)
    from ._engine import Limits

    # What requests sets for a pair of numbers, and `total` as what it says: a limit on the whole call.
    return of_requests(connect, read, total, Limits)


def of_requests(connect: Any, read: Any, total: Any, limits: type[Limits]) -> Limits:
    """Limits as requests' pair sets them, with one on the whole call."""
    return limits(
        total=total,
        resolve=connect,
        address=connect,
        tunnel=connect,
        tls=connect,
        write=connect,
        read=read,
    )


def for_urllib3(timeout: Any, made: Any) -> Any:
    """The same as urllib3's Timeout, made by `made`: requests' own way, errors included."""
    if isinstance(timeout, tuple):
        try:
            connect, read = timeout
            return made(connect=_finite(connect), read=_finite(read))
        except ValueError:
            raise ValueError(
                f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, "
                f"or a single float to set both timeouts to the same value."
            ) from None
    if _is_limits(timeout):
        connect, read = parts(timeout)
        return made(connect=connect, read=read)
    if is_urllib3_timeout(timeout):
        return timeout
    return made(connect=_finite(timeout), read=_finite(timeout))


def _finite(value: Any) -> Any:
    """The same, but None for what a socket takes for a mistake: more time than its clock can hold."""
    return None if isinstance(value, (int, float)) and value > _NEVER else value


def total_of(timeout: Any) -> float | None:
    """The seconds that a call may take, if `timeout` says so."""
    if not _is_limits(timeout):
        return None
    limits = [limit for limit in (timeout.total, timeout.attempt) if limit is not None]
    return min(limits, default=None)


def unsupported_by_urllib3(timeout: Any) -> list[str]:
    """Names of limits that are set and that urllib3 cannot keep."""
    if not _is_limits(timeout):
        return []
    # A body never waits for `100 Continue` there.
    kept = {"total", "attempt", "connect", "address", "read", "continue_"}
    return [name for name in timeout.to_dict() if name not in kept]
