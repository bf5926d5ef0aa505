"""What a failure of the engine is in requests' terms: the class, and arguments that are made when they are looked at.

requests puts exceptions of urllib3 into its own. Those are made by `_urllib3_errors`, and only for those who look:
importing urllib3 takes longer than many a deadline. `from_urllib3` is the same step for calls that urllib3 made.
"""

from __future__ import annotations

import os
import sys

from . import exceptions as _exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import EngineError
    from .exceptions import RequestException
    from .models import PreparedRequest, Response


# What WATERCLOCK_EXPLAIN asks for is asked when the first failure is made.
_explain: Any = None
if os.environ.get("WATERCLOCK_EXPLAIN"):
    from . import _explain as _imported

    _explain = _imported if _imported.is_on() else None


class Attempt:
    """What was tried: everything that urllib3 would say about it in an error."""

    __slots__ = ("connect", "proxy", "read", "request", "target")

    def __init__(
        self,
        request: PreparedRequest,
        proxy: str | None = None,
        connect: Any = None,
        read: Any = None,
        target: str | None = None,
    ) -> None:
        self.request = request
        self.proxy = proxy
        self.connect = connect
        self.read = read
        self.target = target

    @property
    def is_socks(self) -> bool:
        return self.proxy is not None and self.proxy[:5].lower() == "socks"

    @property
    def is_https(self) -> bool:
        return (self.request.url or "")[:6].lower() == "https:"

    def shown_target(self) -> str:
        """What the request line has, as urllib3 shows it."""
        if self.target is not None:
            return self.target
        if self.is_forwarded:
            from .utils import urldefragauth

            whole: str = urldefragauth(self.request.url or "")
            return whole
        return self.request.path_url

    @property
    def is_forwarded(self) -> bool:
        """Whether an http proxy is asked for the URL itself, without a tunnel."""
        return self.proxy is not None and not self.is_socks and not self.is_https


# Where a limit ran out says which class a timeout is; the phases that are not here had sent the request.
_TIMEOUTS = {
    "pool": "PoolTimeout",
    "resolve": "ConnectTimeout",
    "connect": "ConnectTimeout",
    "tunnel": "TunnelTimeout",
    "tls": "HandshakeTimeout",
    "send": "UploadTimeout",
    "upload": "UploadTimeout",
    "continue": "UploadTimeout",
    "first_byte": "ReadTimeout",
    "head": "ReadTimeout",
    "body": "BodyTimeout",
    "backoff": "BackoffTimeout",
}

_KINDS = {
    "invalid-url": "InvalidURL",
    "unsupported-scheme": "InvalidSchema",
    "resolve": "ConnectionError",
    "connect": "ConnectionError",
    "proxy": "ProxyError",
    "tls": "SSLError",
    "certificate": "SSLError",
    "protocol": "ConnectionError",
    "closed": "ConnectionError",
    "incomplete-body": "ChunkedEncodingError",
    "send": "ConnectionError",
    "receive": "ConnectionError",
    "decode": "ContentDecodingError",
    "too-large": "ConnectionError",
    "too-many-redirects": "TooManyRedirects",
    "redirect": "ConnectionError",
    "cancelled": "ConnectionError",
}


def class_name(error: EngineError, attempt: Attempt) -> str:
    """The name of the exception's class, for a failure before the response's body."""
    kind = error.kind
    if kind == "timeout":
        name = _TIMEOUTS.get(error.phase or "")
        if name is None or (name == "UploadTimeout" and error.limit != "write"):
            # A limit on the whole call that ran out before anything was sent, or while it was.
            before = "ConnectTimeout" if error.request_sent == "no" else "ReadTimeout"
            name = before if name is None or error.request_sent == "no" else name
        if name == "TunnelTimeout" and attempt.is_socks:
            return "ConnectTimeout"
        if name == "ConnectTimeout" and attempt.proxy is not None and not attempt.is_socks:
            return "ProxyConnectTimeout"
        return name
    if kind == "protocol" and is_length_conflict(error):
        return "InvalidHeader"
    if kind == "tls" and error.errno is not None:
        return "ConnectionError"
    if kind in ("tls", "certificate") and is_of_proxy(error):
        return "ProxyError"
    if kind == "invalid-request":
        return "InvalidHeader"
    if attempt.proxy is not None and not attempt.is_socks:
        if kind in ("resolve", "connect"):
            return "ProxyError"
        # Where nothing but the proxy was spoken to, it is the proxy that has gone.
        if attempt.is_forwarded and kind in ("closed", "receive"):
            return "ProxyError"
    if kind == "closed" and "inside the response head" in detail_of(error):
        return "IncompleteHead"
    return _KINDS.get(kind, "ConnectionError")


def is_length_conflict(error: EngineError) -> bool:
    """Two Content-Lengths that contradict each other, which urllib3 calls an invalid header."""
    return detail_of(error).startswith("Content-Length is both ")


def is_of_proxy(error: EngineError) -> bool:
    """Whether it was a proxy that TLS failed with, and not the server behind it."""
    return "with the proxy " in error.message


def detail_of(error: EngineError) -> str:
    """The cause alone, without what was being done."""
    return str(getattr(error, "detail", None) or error.message)


def exception(error: EngineError, attempt: Attempt) -> RequestException:
    """The exception of requests for a failure of a call that was made once."""
    name = class_name(error, attempt)
    chosen: type[RequestException] = getattr(_exceptions, name)

    def arguments() -> tuple[Any, ...]:
        from ._urllib3_errors import after_no_retry

        return (after_no_retry(error, attempt),)

    return explained(chosen._lazily(arguments, request=attempt.request), error)


def body_error(error: BaseException, response: Response | None = None) -> BaseException:
    """The exception of requests for what went wrong while a response's body was read.

    Takes failures of the engine and exceptions of urllib3. Anything else comes back as it is.
    """
    if hasattr(error, "kind") and hasattr(error, "request_sent"):
        return _engine_body_error(error, response)
    from urllib3 import exceptions as theirs

    if isinstance(error, theirs.ProtocolError):
        made: RequestException = _exceptions.ChunkedEncodingError(error)
    elif isinstance(error, theirs.DecodeError):
        made = _exceptions.ContentDecodingError(error)
    elif isinstance(error, theirs.ReadTimeoutError):
        # Somebody's own exception has no cause of ours: it may be a test, with requests' very class.
        known = facts_of(error) is not None
        made = (_exceptions.BodyTimeout if known else _exceptions.ConnectionError)(error)
    elif isinstance(error, theirs.SSLError):
        made = _exceptions.SSLError(error)
    else:
        return error
    facts = facts_of(error)
    if facts is not None:
        explained(made, facts)
        if made.timeline is None and response is not None:
            made.timeline = response.timeline
            tell(made)
    return made


def _engine_body_error(error: Any, response: Response | None) -> RequestException:
    kind = error.kind
    if kind == "timeout":
        name = "BodyTimeout"
    elif kind == "decode":
        name = "ContentDecodingError"
    elif kind in ("tls", "certificate"):
        name = "SSLError"
    elif kind == "too-large" and _is_of_decoding(detail_of(error)):
        name = "ContentDecodingError"
    else:
        name = "ChunkedEncodingError"
    chosen: type[RequestException] = getattr(_exceptions, name)

    def arguments() -> tuple[Any, ...]:
        from ._urllib3_errors import of_body

        return (of_body(error, response),)

    made = explained(chosen._lazily(arguments), error)
    # The engine names its last wait, and a short body needs none of its own.
    made.phase = "body"
    calls = sys.modules.get("waterclock._calls")
    if calls is not None and response is not None:
        calls.body_failed(response, made)
    return made


def _is_of_decoding(detail: str) -> bool:
    """Whether it is the decoded body that is too large, and not a line of the message."""
    return "Content-Encoding" in detail or " decode to " in detail


def explained(made: RequestException, error: Any) -> RequestException:
    """Gives an exception what is known about the failure: where the time went, and whether a retry is safe."""
    own = made.__dict__
    for name in ("timeline", "limit", "phase", "request_sent"):
        value = getattr(error, name, None)
        if value is not None:
            own[name] = value
    hint = getattr(error, "hint", None)
    if hint:
        from ._timeline import in_python

        hint = in_python(hint)
    note(made, str(getattr(error, "message", "") or error), hint)
    tell(made)
    return made


def tell(made: RequestException) -> None:
    """Explains an exception on standard error, if that is asked for."""
    if _explain is not None:
        _explain.failed(made)


def note(made: BaseException, *sentences: str | None) -> None:
    """Puts sentences below the traceback (PEP 678; `add_note` is not there before Python 3.11)."""
    text = "waterclock: " + "\n".join(sentence for sentence in sentences if sentence)
    made.__dict__.setdefault("__notes__", []).append(text)


def facts_of(error: BaseException | None) -> Any:
    """The failure of the engine (or of the watch over urllib3) that an exception came from."""
    seen = 0
    while error is not None and seen < 10:
        if hasattr(error, "request_sent") and hasattr(error, "kind"):
            return error
        own = getattr(error, "_waterclock", None)
        if own is not None:
            return own
        reason = getattr(error, "reason", None)
        if not isinstance(reason, BaseException):
            reason = getattr(error, "original_error", None)
        error = error.__cause__ or (reason if isinstance(reason, BaseException) else None)
        seen += 1
    return None


def from_urllib3(error: BaseException, request: PreparedRequest) -> RequestException | None:
    """The exception of requests for one of urllib3 that ended a call; None for what requests lets through."""
    from urllib3 import exceptions as theirs

    made: RequestException | None
    if isinstance(error, (theirs.ProtocolError, OSError)):
        made = _aborted(error, request)
    elif isinstance(error, theirs.MaxRetryError):
        made = _retries_ended(error, request)
    elif isinstance(error, theirs.ClosedPoolError):
        made = _exceptions.ConnectionError(error, request=request)
    elif isinstance(error, theirs.ProxyError):
        made = _exceptions.ProxyError(error)
    elif isinstance(error, theirs.SSLError):
        made = _exceptions.SSLError(error, request=request)
    elif isinstance(error, theirs.ReadTimeoutError):
        made = _read_timeout(error)(error, request=request)
    elif isinstance(error, theirs.InvalidHeader):
        made = _exceptions.InvalidHeader(error, request=request)
    elif isinstance(error, theirs.EmptyPoolError):
        # requests waits for ever here; it is a limit of ours that ran out.
        made = _exceptions.PoolTimeout(error, request=request)
    else:
        return None
    facts = facts_of(error)
    return made if facts is None else explained(made, facts)


def _aborted(error: BaseException, request: PreparedRequest) -> RequestException:
    inner = error.args[1] if len(error.args) > 1 else None
    stalled = isinstance(inner, TimeoutError)
    chosen = _exceptions.UploadTimeout if stalled else _exceptions.ConnectionError
    return chosen(error, request=request)


def _retries_ended(error: Any, request: PreparedRequest) -> RequestException:
    from urllib3 import exceptions as theirs

    reason = error.reason
    facts = facts_of(error)
    if facts is not None and facts.phase == "backoff":
        return _exceptions.BackoffTimeout(error, request=request)
    if isinstance(reason, theirs.ConnectTimeoutError) and not isinstance(
        reason, theirs.NewConnectionError
    ):
        return _exceptions.ConnectTimeout(error, request=request)
    if isinstance(reason, theirs.ResponseError):
        return _exceptions.RetryError(error, request=request)
    if isinstance(reason, theirs.ProxyError):
        inner = reason.original_error
        stalled = isinstance(inner, theirs.ConnectTimeoutError) and not isinstance(
            inner, theirs.NewConnectionError
        )
        chosen = _exceptions.ProxyConnectTimeout if stalled else _exceptions.ProxyError
        return chosen(error, request=request)
    if isinstance(reason, theirs.SSLError):
        return _exceptions.SSLError(error, request=request)
    if isinstance(reason, theirs.ReadTimeoutError):
        return _exceptions.RetriesTimeout(error, request=request)
    if isinstance(reason, theirs.ProtocolError):
        return _aborted(error, request)
    return _exceptions.ConnectionError(error, request=request)


def _read_timeout(error: BaseException) -> type[RequestException]:
    facts = facts_of(error)
    name = _TIMEOUTS.get(facts.phase or "", "ReadTimeout") if facts is not None else "ReadTimeout"
    chosen: type[RequestException] = getattr(_exceptions, name)
    return chosen if issubclass(chosen, _exceptions.ReadTimeout) else _exceptions.ReadTimeout
