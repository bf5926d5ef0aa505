"""The deadline around a call that urllib3 makes.

urllib3 gives every operation of a socket a timeout of its own, so that many short waits go on for ever. A `Watch` gives
each of them no more than what is left, and when nothing is left, shuts down the socket that is being waited for.
"""

from __future__ import annotations

import heapq
import os
import sys
import threading
import time
import weakref
from contextlib import contextmanager

from urllib3 import exceptions as _theirs
from urllib3.util import Timeout
from urllib3.util.retry import Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# A socket that is being connected is not to be seen from outside: look again after so many seconds.
_AGAIN = 0.005


class Expiry:
    """What is known about an expiry, said as the engine's errors say it."""

    kind = "timeout"
    limit = "total"
    errno = None
    hint = None
    timeline = None

    def __init__(self, configured: float, phase: str, request_sent: str) -> None:
        self.configured = configured
        self.phase = phase
        self.request_sent = request_sent
        self.message = (
            f"the call took longer than its limit `total` ({configured:g} s), in the phase {phase}"
        )


class Watch:
    """One call's deadline."""

    def __init__(self, seconds: float) -> None:
        self.configured = seconds
        self.until = time.monotonic() + seconds
        self.fired = False
        self.connection: Any = None
        self.phase = "connect"
        self.was_sent: str | None = None
        self._pool: Any = None
        self._answer: Callable[[], Any] | None = None
        self._is_over = False

    @property
    def request_sent(self) -> str:
        if self.was_sent is not None:
            return self.was_sent
        return "no" if self.phase in ("connect", "pool") else "yes"

    def expiry(self) -> Expiry:
        return Expiry(self.configured, self.phase, self.request_sent)

    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())

    def prepare(self, pool: Any, arguments: dict[str, Any]) -> None:
        """Puts what is left into every timeout that urllib3 is given, and into the pauses between attempts."""
        _observe(pool)
        self._pool = pool
        arguments["timeout"] = _Remaining(arguments["timeout"], self)
        retries = arguments["retries"]
        if isinstance(retries, Retry):
            arguments["retries"] = _with_pauses(retries, self, arguments["url"])
        if getattr(pool, "block", False):
            arguments["pool_timeout"] = self.left()

    def over(self, urlopen: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Calls urllib3, and ends the call when the time is over."""
        if self.left() <= 0:
            raise self.expired(None, arguments["url"], "connect")
        before = getattr(_current, "watch", None)
        _current.watch = self
        _watcher.add(self)
        try:
            answer = urlopen(**arguments)
        except Exception as error:  # noqa: BLE001
            self._is_over = True
            raise self._explained(error, arguments["url"])
        finally:
            _current.watch = before
        if self.fired:
            # http.client takes a head that ends with the connection for a whole one.
            answer.close()
            raise self.expired(self._pool, arguments["url"], "head")
        try:
            self._answer = weakref.ref(answer)
        except TypeError:
            self._is_over = True
        self.phase = "body"
        return answer

    def expired(self, pool: Any, url: str | None, phase: str) -> Exception:
        self.phase = phase
        made = _theirs.ReadTimeoutError(
            pool, url, f"Read timed out. (read timeout={self.configured:g})"
        )
        made._waterclock = self.expiry()  # type: ignore[attr-defined]
        return made

    def _explained(self, error: Exception, url: str) -> Exception:
        """The same error, with what we know; another one if it was our doing that the socket broke."""
        is_timeout = isinstance(error, (_theirs.TimeoutError, _theirs.EmptyPoolError))
        reason = getattr(error, "reason", None)
        if is_timeout or isinstance(reason, _theirs.TimeoutError):
            if self.left() <= _AGAIN and not hasattr(error, "_waterclock"):
                error._waterclock = self.expiry()  # type: ignore[attr-defined]
            return error
        if self.fired and isinstance(error, (_theirs.HTTPError, OSError)):
            made = self.expired(self._pool, url, self.phase)
            made.__cause__ = error
            return made
        return error

    def guard(self, answer: Any) -> None:
        """Lets a body whose socket was shut down end with a timeout, and not as if it were cut short."""
        original = getattr(answer, "_error_catcher", None)
        if original is None:
            return

        @contextmanager
        def catcher() -> Iterator[None]:
            try:
                with original():
                    yield
            except (_theirs.HTTPError, OSError) as error:
                if self.fired:
                    raise self._body_expired(answer) from error
                raise
            if self.fired:
                raise self._body_expired(answer)

        try:
            answer._error_catcher = catcher
        except AttributeError:
            pass  # an object of somebody's own; its socket is shut down all the same

    def _body_expired(self, answer: Any) -> Exception:
        made = _theirs.ReadTimeoutError(getattr(answer, "_pool", None), None, "Read timed out.")  # type: ignore[arg-type]
        made._waterclock = self.expiry()  # type: ignore[attr-defined]
        return made

    def fire(self) -> float | None:
        """Called when the time is over. Returns after how many seconds to look again, if there was nothing to end."""
        connection = self.connection
        if self._is_over:
            return None
        if self._answer is not None:
            answer = self._answer()
            if answer is None or getattr(answer, "_connection", connection) is not connection:
                return None  # read to its end: the connection may serve somebody else by now
        sock = getattr(connection, "sock", None)
        if sock is None:
            if self._answer is None:
                return _AGAIN
            # The response has the socket alone when it lasts until the connection ends.
            file = getattr(getattr(self._answer(), "_fp", None), "fp", None)
            sock = getattr(getattr(file, "raw", None), "_sock", None)
            if sock is None:
                return None
        self.fired = True
        _shut_down(sock)
        return None


def _shut_down(sock: Any) -> None:
    import socket

    # The method of SSLSocket forgets its TLS state, which the thread that reads is still using.
    plain = getattr(sock, "socket", sock)
    try:
        if isinstance(plain, socket.socket):
            socket.socket.shutdown(plain, socket.SHUT_RDWR)
        else:
            plain.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError):
        pass  # it is closed already


class _Remaining(Timeout):
    """A Timeout that never gives more than what is left of a deadline."""

    def __init__(self, given: Timeout, watch: Watch) -> None:
        super().__init__(total=given.total, connect=given._connect, read=given._read)
        self._watch = watch

    def clone(self) -> _Remaining:
        return _Remaining(self, self._watch)

    def _bounded(self, seconds: Any) -> Any:
        left = self._watch.left()
        is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        return min(seconds, left) if is_number else left

    @property
    def connect_timeout(self) -> Any:
        # Zero would make the socket one that does not wait.
        return max(self._bounded(super().connect_timeout), 0.001)

    @property
    def read_timeout(self) -> Any:
        self._watch.phase = "head"
        return self._bounded(super().read_timeout)


def _with_pauses(retries: Retry, watch: Watch, url: str) -> Retry:
    """The same retries, whose own pauses are refused where they would not end in time."""
    kind = type(retries)

    class Bounded(kind):  # type: ignore[valid-type, misc]
        def sleep_for_retry(self, response: Any) -> bool:
            refuse(self.get_retry_after(response) or 0.0, self, response)
            slept: bool = super().sleep_for_retry(response)
            return slept

        def _sleep_backoff(self) -> None:
            refuse(self.get_backoff_time(), self, None)
            super()._sleep_backoff()

    def refuse(seconds: float, asked: Retry, response: Any) -> None:
        if seconds <= watch.left():
            return
        last = asked.history[-1] if asked.history else None
        status = getattr(response, "status", None) or getattr(last, "status", None)
        reason: Any = getattr(last, "error", None)
        if reason is None:
            text = _theirs.ResponseError.SPECIFIC_ERROR.format(status_code=status)
            reason = _theirs.ResponseError(text)
        watch.phase = "backoff"
        watch.was_sent = "yes" if status is not None else "no"
        made = _theirs.MaxRetryError(watch._pool, url, reason)
        made._waterclock = watch.expiry()  # type: ignore[attr-defined]
        raise made

    Bounded.__name__, Bounded.__qualname__ = kind.__name__, kind.__qualname__
    Bounded.__module__ = kind.__module__
    copied: Retry = Bounded.__new__(Bounded)
    copied.__dict__.update(retries.__dict__)
    return copied


_current = threading.local()


def _observe(pool: Any) -> None:
    """Lets the pool say which connection it gives to a call that is being watched."""
    own = getattr(pool, "__dict__", None)
    if own is None or "_get_conn" in own or not hasattr(type(pool), "_get_conn"):
        return
    known = weakref.ref(pool)

    def get_conn(*args: Any, **kwargs: Any) -> Any:
        mine: Any = known()
        connection = type(mine)._get_conn(mine, *args, **kwargs)
        watch = getattr(_current, "watch", None)
        if watch is not None:
            watch.connection = connection
        return connection

    own["_get_conn"] = get_conn


class _Watcher:
    """The thread that ends what is overdue. It lives while there is something to watch."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Watch]] = []
        self._thread: threading.Thread | None = None
        self._count = 0

    def add(self, watch: Watch) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._due, (watch.until, self._count, watch))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="waterclock-deadlines", daemon=True
                )
                self._thread.start()
            else:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._due and self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic())
                if not self._due:
                    self._thread = None
                    return
                _, number, watch = heapq.heappop(self._due)
            again = watch.fire()
            if again is not None:
                with self._changed:
                    heapq.heappush(self._due, (time.monotonic() + again, number, watch))


_watcher = _Watcher()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_watcher._forget)
