"""`Response`: what came back.

A response that our adapter received stands on `_reply`, the engine's object, and has next to
nothing in its `__dict__`: headers, cookies, request and so on are made when somebody looks at them.
A response filled by hand, by a mock or by somebody else's adapter has plain attributes, and `raw`.
"""

from __future__ import annotations

from . import models as _models
from ._lazy import Later, Lazy, missing
from .structures import of_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from typing import Any, Literal, overload

    from typing_extensions import Self

    from . import _json_plain
    from . import _response_body as _body
    from ._engine import Reply
    from ._timeline import Timeline
    from .adapters import HTTPAdapter
    from .cookies import RequestsCookieJar
    from .models import PreparedRequest
    from .structures import CaseInsensitiveDict
else:
    _body = Later("._response_body")
    _json_plain = Later("._json_plain")


def _reply_of(response: Any, name: str) -> Any:
    reply = response._reply
    if reply is None:
        raise missing(response, name)
    return reply


class _Consumed:
    """`_content_consumed` where nobody has set it: true once there is content."""

    def __get__(self, response: Any, owner: type | None = None) -> Any:
        return self if response is None else response._content is not False


class Response:
    """The response of a server to a request.

    `bool(response)` is `response.ok`. Used as a context manager it is closed at the end. Either
    read the body or close the response: before that its connection serves nobody else.
    """

    __module__ = "waterclock.models"

    __attrs__: list[str] = [  # noqa: RUF012 - subclasses add to a copy
        "_content",
        "status_code",
        "headers",
        "url",
        "history",
        "encoding",
        "reason",
        "cookies",
        "elapsed",
        "request",
    ]

    # Types are given for the checker alone: libraries evaluate the annotations of a subclass's bases
    # (attrs, for requests-cache), and these names are not there at run time.
    if TYPE_CHECKING:
        # What the engine received, if it was our engine.
        _reply: Reply | None
        # Of an unpickled response.
        _timeline: Timeline | None
        _content: bytes | Literal[False] | None
        _next: PreparedRequest | None
        #: The adapter that received the response.
        connection: HTTPAdapter
        _content_consumed: bool
        status_code: int
        reason: str
        url: str
        headers: CaseInsensitiveDict[str]
        encoding: str | None
        cookies: RequestsCookieJar
        history: list[Response]
        request: PreparedRequest
        elapsed: timedelta
        raw: Any
    else:
        _reply = _timeline = _next = None
        _content = False
        _content_consumed = _Consumed()

        @Lazy
        def status_code(self) -> int:
            """The status, such as 404."""
            return _reply_of(self, "status_code").status

        @Lazy
        def reason(self) -> str:
            """The words after the status, such as "Not Found"."""
            return _reply_of(self, "reason").reason

        @Lazy
        def url(self) -> str:
            """Where the response came from, after redirects."""
            return _reply_of(self, "url").url

        @Lazy
        def headers(self) -> CaseInsensitiveDict[str]:
            """The header fields; several of one name are joined by commas."""
            return of_reply(self._reply or _reply_of(self, "headers"))

        @Lazy
        def encoding(self) -> str | None:
            """What `text` is decoded with; None means to guess. Can be set."""
            _reply_of(self, "encoding")
            from .utils import get_encoding_from_headers

            return get_encoding_from_headers(self.headers)

        @Lazy
        def cookies(self) -> RequestsCookieJar:
            """The cookies that this response set."""
            # Also where a response is filled by hand: the jar's base is a large import.
            return _body.cookies_of(self)

        @Lazy
        def history(self) -> list[Response]:
            """The redirects on the way here, the oldest first."""
            _reply_of(self, "history")
            return []

        @Lazy
        def request(self) -> PreparedRequest:
            """The request that this is the response to, as it was sent."""
            return _body.request_of(_reply_of(self, "request"), self.__dict__.get("_sent_cookies"))

        @Lazy
        def elapsed(self) -> timedelta:
            """From sending the request to the end of the header fields, of this hop."""
            from datetime import timedelta

            return timedelta(seconds=_reply_of(self, "elapsed").elapsed)

        @Lazy
        def raw(self) -> Any:
            """The response as urllib3 has it, to read the body as it came from the wire."""
            _reply_of(self, "raw")
            from ._raw import urllib3_response

            return urllib3_response(self)

    def __init__(self) -> None:
        from datetime import timedelta

        self._content = False
        self._content_consumed = False
        self._next = None
        self.status_code = None  # type: ignore[assignment]
        self.headers = _models.CaseInsensitiveDict()
        self.raw = None
        self.url = None  # type: ignore[assignment]
        self.encoding = None
        self.history = []
        self.reason = None  # type: ignore[assignment]
        self.elapsed = timedelta(0)
        self.request = None  # type: ignore[assignment]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        if not self._content_consumed:
            self.content  # noqa: B018
        state = {name: getattr(self, name, None) for name in self.__attrs__}
        timeline = self.timeline
        if timeline is not None:
            state["_timeline"] = timeline
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._content_consumed = True
        self.raw = None

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    def __bool__(self) -> bool:
        """Whether the status is below 400 (see `ok`)."""
        return self.ok

    def __nonzero__(self) -> bool:
        """Whether the status is below 400 (see `ok`)."""
        return self.ok

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the body in pieces of 128 bytes."""
        return self.iter_content(128)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400, which is more than 200 alone."""
        try:
            self.raise_for_status()
        except _models.HTTPError:
            return False
        return True

    @property
    def is_redirect(self) -> bool:
        """Whether this response sends the client elsewhere, in a way that can be followed."""
        return self.status_code in _models.REDIRECT_STATI and "location" in self.headers

    @property
    def is_permanent_redirect(self) -> bool:
        """Whether this is a redirect that holds for the future as well (301, 308)."""
        return self.status_code in (301, 308) and "location" in self.headers

    @property
    def next(self) -> PreparedRequest | None:
        """The request that would follow this redirect, if it was not to be followed."""
        return self._next

    @property
    def timeline(self) -> Timeline | None:
        """Where the time of the whole call went, redirects and retries included.

        None for a response that did not come through our engine.
        """
        return self._timeline if self._reply is None else self._reply.timeline()

    def explain(self) -> str:
        """Say where the time went: each wait and its limit, and why a limit fired or none did.

        >>> import waterclock
        >>> print(waterclock.get("https://example.com/").explain())  # doctest: +SKIP
        """
        timeline = self.timeline
        if timeline is None:
            return "No timeline: this response did not come through waterclock's engine."
        return timeline.explain()

    @property
    def apparent_encoding(self) -> str | None:
        """What the body seems to be encoded in, as guessed from its bytes."""
        if _models.chardet is None:
            return "utf-8"
        guessed: str | None = _models.chardet.detect(self.content)["encoding"]
        return guessed

    if TYPE_CHECKING:

        @overload
        def iter_content(
            self, chunk_size: int | None = 1, decode_unicode: Literal[False] = False
        ) -> Iterator[bytes]: ...
        @overload
        def iter_content(
            self, chunk_size: int | None = 1, *, decode_unicode: Literal[True]
        ) -> Iterator[str | bytes]: ...

    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[str | bytes]:
        """Iterate over the body, which is read meanwhile if `stream=True` was given.

        :param chunk_size: how many bytes, after decoding, to give at a time. None gives a streamed
            body as it arrives, if it is chunked, and any other in one piece.
        :param decode_unicode: give text, if `encoding` is known.
        """
        if self._content_consumed and isinstance(self._content, bool):
            raise _models.StreamConsumedError()
        if chunk_size is not None and not isinstance(chunk_size, int):
            raise TypeError(f"chunk_size must be an int, it is instead a {type(chunk_size)}.")
        chunks: Iterator[Any]
        if self._content_consumed:
            chunks = _models.iter_slices(self._content, chunk_size)  # type: ignore[arg-type]
        else:
            chunks = _body.chunks(self, chunk_size)
        if decode_unicode:
            chunks = _models.stream_decode_response_unicode(chunks, self)
        return chunks

    if TYPE_CHECKING:

        @overload
        def iter_lines(
            self,
            chunk_size: int = 512,
            decode_unicode: Literal[False] = False,
            delimiter: bytes | None = None,
        ) -> Iterator[bytes]: ...
        @overload
        def iter_lines(
            self,
            chunk_size: int = 512,
            *,
            decode_unicode: Literal[True],
            delimiter: str | bytes | None = None,
        ) -> Iterator[str | bytes]: ...

    def iter_lines(
        self,
        chunk_size: int = 512,
        decode_unicode: bool = False,
        delimiter: str | bytes | None = None,
    ) -> Iterator[str | bytes]:
        """Iterate over the lines of the body, each as soon as it is complete.

        The lines are those of the whole body, wherever its pieces begin and end. (requests gives an
        empty line more when a piece ends between CR and LF, or with the delimiter.)
        """
        chunks = self.iter_content(chunk_size=chunk_size, decode_unicode=decode_unicode)  # type: ignore[call-overload]
        return _body.delimited(chunks, delimiter) if delimiter else _body.lines(chunks)

    @property
    def content(self) -> bytes:
        """The whole body, decoded of gzip and the like. It is read once and kept."""
        content = self._content
        if content is False:
            if self._content_consumed:
                raise RuntimeError("The content for this response was already consumed")
            content = self._content = _body.content(self)
        # Where nobody has set it, it is true by now.
        if not self._content_consumed:
            self._content_consumed = True
        return content  # type: ignore[return-value]

    @property
    def text(self) -> str:
        """The body as text, in `encoding` or, if that is None, in what it seems to be.

        `encoding` comes from the Content-Type. Set it first if you know better.
        """
        content = self.content
        if not content:
            return ""
        encoding = self.encoding
        if encoding is None:
            encoding = self.apparent_encoding
        try:
            return str(content, encoding or "utf-8", errors="replace")
        except (LookupError, TypeError):
            # No codec has that name.
            return str(content, errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """Return the body as what its JSON means; `kwargs` are those of `json.loads`.

        :raises waterclock.exceptions.JSONDecodeError: if it is not JSON.
        """
        content = self.content
        if not kwargs and type(content) is bytes and type(self) is Response:
            encoding = self.encoding
            if encoding is None or encoding == "utf-8":
                found = _json_plain.loads(content)
                if found is not None:
                    return found[0]
        try:
            if not self.encoding and content and len(content) > 3:
                # RFC 8259 says UTF-8, RFC 4627 allowed UTF-16 and UTF-32 as well.
                encoding = _models.guess_json_utf(content)
                if encoding is not None:
                    try:
                        text = content.decode(encoding)
                    except UnicodeDecodeError:
                        # Some other encoding; `text` will make a guess.
                        pass
                    else:
                        return _models.complexjson.loads(text, **kwargs)
            # Nothing to guess in three characters, and guessing is a large import.
            plain = content and content.isascii() and 0 not in content
            if not self.encoding and plain and type(self) is Response:
                return _models.complexjson.loads(content.decode("ascii"), **kwargs)
            return _models.complexjson.loads(self.text, **kwargs)
        except _models.JSONDecodeError as error:
            raise _models.RequestsJSONDecodeError(error.msg, error.doc, error.pos) from error

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The Link header, by `rel`, or by URL where there is none."""
        header = self.headers.get("link")
        found: dict[str, dict[str, str]] = {}
        if header:
            for link in _models.parse_header_links(header):
                key = link.get("rel") or link.get("url")
                if key is not None:
                    found[key] = link
        return found

    def raise_for_status(self) -> None:
        """Raise `HTTPError` if the status is 400 to 599."""
        status = self.status_code
        if not 400 <= status < 600:
            return
        reason: Any = self.reason
        if isinstance(reason, bytes):
            try:
                reason = reason.decode("utf-8")
            except UnicodeDecodeError:
                reason = reason.decode("iso-8859-1")
        side = "Client" if status < 500 else "Server"
        message = f"{status} {side} Error: {reason} for url: {self.url}"
        raise _models.HTTPError(message, response=self)

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        if self._reply is not None and "raw" not in self.__dict__:
            if not self._content_consumed:
                self._reply.close()
            return
        if not self._content_consumed:
            self.raw.close()
        release = getattr(self.raw, "release_conn", None)
        if release is not None:
            release()
