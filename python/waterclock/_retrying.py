"""Attempts of one call, as a `Retry` of urllib3 says: the user's own object, whose methods are called.

`increment`, `sleep`, `new` and `is_retry` get what urllib3 would give them: its exceptions, and its response. Only a pause
that nobody has overridden is ours: it is counted, and refused at once if it would not end before the deadline.
"""

from __future__ import annotations

import sys
import time

from urllib3 import exceptions as _theirs
from urllib3.util import retry as _retry
from urllib3.util.request import _FAILEDTELL, set_file_position

from . import _engine, _errors, _raw
from . import _urllib3_errors as _words
from .exceptions import RequestException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from urllib3.util.retry import Retry

    from ._engine import EngineError, Reply
    from ._native import Call
    from .exceptions import BackoffTimeout

_own_pauses = (_retry.Retry.sleep, _retry.Retry.sleep_for_retry, _retry.Retry._sleep_backoff)


def send(
    call: Call,
    retries: Retry,
    *,
    failure: EngineError | None = None,
    reply: Reply | None = None,
) -> Reply:
    """Makes attempts until there is a reply to keep; raises what requests would raise.

    `failure` or `reply` is what a first attempt has come to already.
    """
    try:
        return _send(call, retries, failure, reply)
    except RequestException:
        raise
    except (_theirs.HTTPError, OSError) as error:
        # What methods of the user's raise is translated as if urllib3 had raised it.
        known = _errors.from_urllib3(error, call.request)
        if known is None:
            raise
        raise known from None


def _send(call: Call, retries: Retry, failure: EngineError | None, reply: Reply | None) -> Reply:
    attempts = _Attempts(call, retries)
    while True:
        try:
            if failure is None and reply is None:
                reply = call.attempt()
        except _engine.EngineError as error:
            failure = error
        if failure is not None:
            attempts.after_failure(failure)
        elif reply is not None:
            kept = attempts.after_reply(reply)
            if kept is not None:
                call.retries = attempts.retries
                return kept
        failure = reply = None


# Failures that another attempt could only repeat.
_FINAL = ("invalid-url", "invalid-request", "cancelled")


def _pauses_as_urllib3(retries: Retry) -> bool:
    """Whether a pause is only waiting: nobody overrides it, and no test has replaced the sleep in it."""
    kind = type(retries)
    return (
        (kind.sleep, kind.sleep_for_retry, kind._sleep_backoff) == _own_pauses
        and "sleep" not in vars(retries)
        and vars(_retry)["time"] is time
        and getattr(time.sleep, "__self__", None) is time
    )


def _cause(error: Any) -> Any:
    """What urllib3 logs: the error as it was caught, not as it was wrapped."""
    if isinstance(error, _theirs.ProxyError):
        return error.original_error
    if isinstance(error, (_theirs.ProtocolError, _theirs.SSLError)):
        return error.args[-1]
    return error


class _Attempts:
    def __init__(self, call: Call, retries: Retry) -> None:
        self.call = call
        self.retries = retries
        self.described = call.described()
        self.target = _words.target_of(self.described)
        self.method: str = call.request.method or ""
        self.pool = _words.pool_of(self.described)
        self.position: Any = call.position
        if self.position is None:
            self.position = set_file_position(call.request.body, None)
        elif self.position is False:
            self.position = _FAILEDTELL

    def after_failure(self, failure: EngineError) -> None:
        """Returns if there is to be another attempt."""
        if failure.kind in _FINAL or failure.limit == "total":
            from ._native import failed

            raise failed(self.call, failure) from None
        error = _words.of_failure(failure, self.described)
        try:
            if self._must_not_be_sent_again(error, failure):
                raise _theirs.MaxRetryError(self.pool, self.target, error) from error
            self.retries = self.retries.increment(
                self.method,
                self.target,
                error=error,
                _pool=self.pool,
                _stacktrace=failure.__traceback__,
            )
        except Exception as ended:  # noqa: BLE001
            raise self._ended(ended, failure) from None
        paused = self._pause(None, failure, error)
        self._log_warning(error)
        self._again(paused or failure)

    def after_reply(self, reply: Reply) -> Reply | None:
        """The reply, if it is to be kept; None if there is to be another attempt."""
        has_retry_after = bool(reply.header("Retry-After"))
        if not self.retries.is_retry(self.method, reply.status, has_retry_after):
            return reply
        raw = _raw.of_reply(reply, self.target, self.retries)
        try:
            self.retries = self.retries.increment(
                self.method, self.target, response=raw, _pool=self.pool
            )
        except _theirs.MaxRetryError as ended:
            if not self.retries.raise_on_status:
                self.call.raw = raw
                return reply
            reply.drain()
            made = _errors.from_urllib3(ended, self.call.request) or ended
            if isinstance(made, OSError):
                made.__dict__.setdefault("timeline", reply.timeline())
                _errors.tell(made)
            raise made from None
        reply.drain()
        paused = self._pause(raw, reply, None)
        if "logging" in sys.modules:
            import logging

            logging.getLogger("urllib3.connectionpool").debug("Retry: %s", self.target)
        self._again(paused or reply)
        return None

    def _must_not_be_sent_again(self, error: Exception, failure: EngineError) -> bool:
        """Whether the server may act twice although nobody allowed that.

        urllib3 counts some failures (a broken TLS record, for one) as "other" and repeats any method after them, a POST
        that was sent to its end included.
        """
        if failure.request_sent == "no":
            return False
        retries = self.retries
        if retries._is_connection_error(error) or retries._is_read_error(error):
            return False
        return not retries._is_method_retryable(self.method)

    def _ended(self, ended: Exception, failure: EngineError) -> BaseException:
        made = _errors.from_urllib3(ended, self.call.request)
        if made is None:
            return ended
        return made if made.timeline is not None else _errors.explained(made, failure)

    def _pause(self, raw: Any, before: Any, error: Exception | None) -> _engine.Paused | None:
        """Sleeps as the retries say. What comes back goes on with the call, if the pause was ours."""
        if not _pauses_as_urllib3(self.retries):
            self.retries.sleep(raw)
            return None
        seconds = 0.0
        if raw is not None and self.retries.respect_retry_after_header:
            seconds = self.retries.get_retry_after(raw) or 0.0
        seconds = seconds or self.retries.get_backoff_time()
        if seconds <= 0:
            return None
        try:
            paused: _engine.Paused = self.call.adapter._engine.pause(seconds, before)
        except _engine.EngineError as late:
            # It would have ended in time, but a signal's handler or a busy machine held it up.
            raise _errors.explained(self._out_of_time(raw, error), late) from None
        if not paused:
            raise self._does_not_fit(seconds, before, raw, error) from None
        return paused

    def _out_of_time(self, raw: Any, error: Exception | None) -> BackoffTimeout:
        """The deadline ends the call: with what the last attempt had come to."""
        if error is None:
            error = _theirs.ResponseError(
                _theirs.ResponseError.SPECIFIC_ERROR.format(status_code=raw.status)
            )
        ended = _theirs.MaxRetryError(self.pool, self.target, error)
        from .exceptions import BackoffTimeout

        return BackoffTimeout(ended, request=self.call.request)

    def _does_not_fit(
        self, seconds: float, before: Any, raw: Any, error: Exception | None
    ) -> BackoffTimeout:
        made = self._out_of_time(raw, error)
        timeline = before.timeline() if callable(before.timeline) else before.timeline
        made.__dict__.update(timeline=timeline, limit="total", phase="backoff")
        made.__dict__["request_sent"] = "yes" if raw is not None else before.request_sent
        _errors.note(
            made, f"the pause of {seconds:g} s before the next attempt would pass the limit `total`"
        )
        _errors.tell(made)
        return made

    def _log_warning(self, error: Exception) -> None:
        if "logging" in sys.modules:
            import logging

            logging.getLogger("urllib3.connectionpool").warning(
                "Retrying (%r) after connection broken by '%r': %s",
                self.retries,
                _cause(error),
                self.target,
                extra={"__urllib3-retry-warning": {"host": self.pool.host}},
            )

    def _again(self, before: Any) -> None:
        self.call.after = before
        self.call.reason = "retry"
        # The body goes back to where it began, or says that it cannot.
        self.position = set_file_position(self.call.request.body, self.position)
