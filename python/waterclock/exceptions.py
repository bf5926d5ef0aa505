"""The exceptions of requests, which also know where the time went.

Names, bases, `str()` and `args` are those of requests. On top, an exception that ended a call
carries `timeline`, `limit`, `phase`, `request_sent` and `explain()`.

Where requests raises a class that says something else than what happened (a stalled body is a
`ConnectionError` there), the class raised here derives from that one and from the right one, so
that old and new `except` clauses both catch it.
"""

from __future__ import annotations

from ._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self
    from urllib3.exceptions import HTTPError as _HTTPError

    from ._decoding_error import ContentDecodingError as ContentDecodingError
    from ._json_error import JSONDecodeError as JSONDecodeError
    from ._timeline import Timeline
    from .compat import JSONDecodeError as _JSONDecodeError
    from .models import PreparedRequest, Request, Response

    BaseHTTPError = _HTTPError
    CompatJSONDecodeError = _JSONDecodeError

# The descriptor that `args` below stands in front of. `str()` and pickling of BaseException read
# the slot behind it and would miss arguments that were not made yet.
_stored_args: Any = BaseException.__dict__["args"]


class RequestException(IOError):
    """Something went wrong with a request; every exception of this module is one.

    >>> import waterclock
    >>> try:
    ...     waterclock.get("http://127.0.0.1:9/", timeout=1)
    ... except waterclock.RequestException as error:
    ...     print(error.phase, error.request_sent)
    connect no
    """

    response: Response | None
    request: Request | PreparedRequest | None

    #: The timeline of the call that ended with this exception.
    timeline: Timeline | None = None
    #: Name of the limit that fired ("total", "connect", ...).
    limit: str | None = None
    #: What the call was doing ("resolve", "tls", "first_byte", ...).
    phase: str | None = None
    #: "no", "partly" or "yes": whether the server can have seen the request.
    request_sent: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        response = kwargs.pop("response", None)
        request = kwargs.pop("request", None)
        self.response = response
        self.request = request
        if response is not None and not request and hasattr(response, "request"):
            self.request = response.request
        super().__init__(*args, **kwargs)

    @classmethod
    def _lazily(
        cls,
        make_args: Callable[[], tuple[Any, ...]],
        *,
        request: Request | PreparedRequest | None = None,
        response: Response | None = None,
    ) -> Self:
        """Make an exception whose `args` are made when somebody looks at them (private).

        requests puts an exception of urllib3 into `args`. Importing urllib3 takes longer than many
        a deadline, so `make_args()` is called, at most once, by `args`, `str()`, `repr()`, pickling
        or copying. If it fails, the first note stands in, and the next look calls it again.
        """
        error = cls(request=request, response=response)
        error.__dict__["_pending"] = {"make": make_args}
        return error

    def _materialise(self) -> None:
        pending = self.__dict__.get("_pending")
        if pending is None:
            return
        # Two threads may look at the same time: the first tuple counts, and is stored before
        # anybody can see that nothing is pending any more.
        try:
            made = pending.setdefault("made", tuple(pending["make"]()))
        except Exception:  # noqa: BLE001
            # Whoever reports an error must be able to: say what is known without urllib3, and let
            # the next look try again.
            notes = getattr(self, "__notes__", None) or [type(self).__doc__]
            _stored_args.__set__(self, (notes[0],))
            return
        _stored_args.__set__(self, made)
        self.__dict__.pop("_pending", None)

    if not TYPE_CHECKING:  # for type checkers it stays the attribute of BaseException

        @property
        def args(self) -> tuple[Any, ...]:
            self._materialise()
            stored: tuple[Any, ...] = _stored_args.__get__(self)
            return stored

        @args.setter
        def args(self, value: Any) -> None:
            self.__dict__.pop("_pending", None)
            _stored_args.__set__(self, value)

    def __str__(self) -> str:
        self._materialise()
        return super().__str__()

    def __repr__(self) -> str:
        self._materialise()
        return super().__repr__()

    def __reduce__(self) -> str | tuple[Any, ...]:
        self._materialise()
        return super().__reduce__()

    def explain(self) -> str:
        """Say where the time went: each wait and its limit, and what stopped the call."""
        if self.timeline is not None:
            return self.timeline.explain()
        return f"{type(self).__name__}: {self}\nThere is no timeline: no call was under way."


class InvalidJSONError(RequestException):
    """A body cannot be written as JSON, or read as JSON."""


class HTTPError(RequestException):
    """The status of a response means an error (see `Response.raise_for_status`)."""


class ConnectionError(RequestException):
    """The connection could not be made, or broke."""


class ProxyError(ConnectionError):
    """The proxy could not be reached, refused, or answered nonsense."""


class SSLError(ConnectionError):
    """TLS failed: a handshake, a certificate, or a broken record."""


class Timeout(RequestException):
    """A limit on time ran out. Catches `ConnectTimeout` as well as `ReadTimeout`."""


class ConnectTimeout(ConnectionError, Timeout):
    """No connection came about in time. Nothing was sent: trying again is safe."""


class ReadTimeout(Timeout):
    """The server sent nothing for as long as the limit allows."""


class URLRequired(RequestException):
    """A request needs a URL."""


class TooManyRedirects(RequestException):
    """More redirects than `Session.max_redirects`."""


class MissingSchema(RequestException, ValueError):
    """The URL has no scheme, such as `https://`."""


class InvalidSchema(RequestException, ValueError):
    """No adapter is mounted for the scheme of the URL."""


class InvalidURL(RequestException, ValueError):
    """The URL cannot be used."""


class InvalidHeader(RequestException, ValueError):
    """A header's name or value cannot be sent."""


class InvalidProxyURL(InvalidURL):
    """The URL of the proxy cannot be used."""


class ChunkedEncodingError(RequestException):
    """The body ended early, or its chunks are malformed."""


class StreamConsumedError(RequestException, TypeError):
    """The body was read already, and was not kept."""


class RetryError(RequestException):
    """No retry was left, and the last response was one to be retried."""


class UnrewindableBodyError(RequestException):
    """The body has to be sent again and cannot be brought back to its beginning."""


# What requests calls by a name that misleads. These derive from that name and from the right one.


class HandshakeTimeout(ConnectTimeout, ReadTimeout):
    """The TLS handshake did not end in time (a `ReadTimeout` in requests)."""


class TunnelTimeout(ConnectTimeout, ReadTimeout):
    """The proxy did not open the tunnel in time (a `ReadTimeout` in requests)."""


class ProxyConnectTimeout(ProxyError, ConnectTimeout):
    """No connection to the proxy came about in time (a `ProxyError` in requests)."""


class PoolTimeout(ConnectionError, Timeout):
    """No connection of the pool became free in time (requests waits for ever)."""


class UploadTimeout(ConnectionError, Timeout):
    """The server did not take the request's body in time (a `ConnectionError` in requests)."""


class BodyTimeout(ConnectionError, ReadTimeout):
    """The response's body did not arrive in time (a `ConnectionError` in requests)."""


class RetriesTimeout(ConnectionError, ReadTimeout):
    """The last of several attempts got no answer in time (a `ConnectionError` in requests)."""


class IncompleteHead(ConnectionError, ChunkedEncodingError):
    """The server closed before all header fields were there (requests takes those it has for all)."""


class BackoffTimeout(RetryError, Timeout):
    """The pause before the next attempt would not end in time (requests sleeps all the same)."""


class RequestsWarning(Warning):
    """Base of the warnings."""


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """A file opened as text is sent by its length in bytes."""


class RequestsDependencyWarning(RequestsWarning):
    """A dependency has a version that was not meant to be used."""


if not TYPE_CHECKING:
    # Their bases come with urllib3 and json, which most programs never need for an exception.
    __getattr__, __dir__ = attach(
        globals(),
        {
            "BaseHTTPError": "urllib3.exceptions:HTTPError",
            "CompatJSONDecodeError": ".compat:JSONDecodeError",
            "ContentDecodingError": "._decoding_error:ContentDecodingError",
            "JSONDecodeError": "._json_error:JSONDecodeError",
            "Any": "typing:Any",
        },
    )
