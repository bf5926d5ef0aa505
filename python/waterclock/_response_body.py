"""Reading a response: its body in pieces and lines, and what is made from its head."""

from __future__ import annotations

from . import models as _models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from http.cookiejar import Cookie
    from typing import Any

    from ._engine import Reply
    from .cookies import RequestsCookieJar
    from .models import PreparedRequest, Response

#: Flags of a reply.
HAS_COOKIES = 1
HAS_LOCATION = 2


def own_reply(response: Response) -> Reply | None:
    """Return the reply to read from, if the body has not been handed over to `raw`.

    A mock has every attribute, so only what is really there counts.
    """
    attributes = response.__dict__
    return None if "raw" in attributes else attributes.get("_reply")


#: How much of a body that may be long is asked for at a time.
PIECE = 64 * 1024
#: Pieces below this are cut from larger ones.
SMALL = 1024


def content(response: Response) -> bytes | None:
    """Read all that is left of the body."""
    reply = own_reply(response)
    if reply is not None:
        if response.__dict__.get("status_code") == 0:
            return None
        drained = response.__dict__.get("_drained")
        if drained is not None:
            return undrained(response, drained)
        begun = read_ahead(response)
        try:
            return begun + reply.content() if begun else reply.content()
        except Exception as error:  # noqa: BLE001 - what is not the engine's comes out as it is
            raise body_error(error, response) from None
    if response.status_code == 0 or response.raw is None:
        return None
    return b"".join(response.iter_content(_models.CONTENT_CHUNK_SIZE)) or b""


def chunks(response: Response, size: int | None) -> Iterator[bytes]:
    """Read the body in pieces of `size` bytes, and mark it as consumed at the end."""
    reply = own_reply(response)
    if reply is not None and "_drained" in response.__dict__:
        yield from _models.iter_slices(response.content, size)
        return
    if reply is not None:
        if (size is not None and 0 < size < SMALL) or "_ahead" in response.__dict__:
            yield from _small(response, reply, size)
        else:
            yield from _of_reply(response, reply, size)
        response._content_consumed = True
        return
    if hasattr(response.raw, "stream"):
        pieces = _of_raw(response.raw, size)
    else:
        # A file, or something like it, whose errors are its own.
        while data := response.raw.read(size):
            yield data
        response._content_consumed = True
        return
    # The errors of who reads from us are not ours: only what happens within `next` is.
    while True:
        try:
            data = next(pieces)
        except StopIteration:
            break
        except Exception as error:
            known = body_error(error, response)
            if known is error:
                raise
            raise known from error
        yield data
    response._content_consumed = True


def _of_raw(raw: Any, size: int | None) -> Iterator[bytes]:
    # As a generator, so that what `stream` itself raises is translated like the rest.
    yield from raw.stream(size, decode_content=True)


def _of_reply(response: Response, reply: Reply, size: int | None) -> Iterator[bytes]:
    if size is None or size <= 0:
        if not reply.is_chunked:
            whole = content(response)
            if whole:
                yield whole
            return
        # As it arrives.
        size = PIECE
    while data := _read(response, reply, size, True):
        yield data


def _small(response: Response, reply: Reply, size: int | None) -> Iterator[bytes]:
    """Give small pieces of larger ones, so that a byte does not cost a call into the engine.

    What was read and not given yet is kept with the response, for whoever reads on.
    """
    if size is None or size <= 0:
        size = PIECE
    # Where a chunk ends a piece ends as well, as in requests; other bodies fill each piece.
    fill = not reply.is_chunked
    state: list[Any] = response.__dict__.setdefault("_ahead", [b"", 0])
    while True:
        data, at = state
        end = at + size
        while end <= len(data):
            state[1] = end
            yield data[at:end]
            if state[0] is not data or state[1] != end:
                # Somebody else read meanwhile.
                data, end = state
            at, end = end, end + size
        if at < len(data) and not fill:
            state[1] = len(data)
            yield data[at:]
            continue
        more = _read(response, reply, PIECE if fill else max(size, PIECE), False)
        if not more:
            break
        state[0], state[1] = data[at:] + more, 0
    rest = read_ahead(response)
    if rest:
        yield rest


def read_ahead(response: Response) -> bytes:
    """Take what was read for small pieces and not given."""
    data, at = response.__dict__.pop("_ahead", (b"", 0))
    return data[at:]  # type: ignore[no-any-return]


def _read(response: Response, reply: Reply, amount: int, fill: bool) -> bytes:
    try:
        return reply.read(amount, fill)
    except Exception as error:  # noqa: BLE001 - what is not the engine's comes out as it is
        raise body_error(error, response) from None


def body_error(error: Exception, response: Response) -> BaseException:
    """Return what requests would raise for an error while the body is read."""
    from ._errors import body_error

    return body_error(error, response)


def lines(chunks: Iterable[Any]) -> Iterator[Any]:
    """Split into lines as `splitlines` would split the whole."""
    pending = None
    after_cr = False
    for chunk in chunks:
        if not chunk:
            continue
        ends: tuple[Any, Any] = ("\n", "\r") if isinstance(chunk, str) else (b"\n", b"\r")
        newline, cr = ends
        if after_cr and chunk.startswith(newline):
            # The second half of a line end whose line was given already.
            chunk = chunk[1:]
            after_cr = False
            if not chunk:
                continue
        if pending is not None:
            chunk = pending + chunk
            pending = None
        after_cr = chunk.endswith(cr)
        found = chunk.splitlines()
        # A last line without an end may go on in the next piece.
        if found and chunk.endswith(found[-1]) and found[-1]:
            pending = found.pop()
        yield from found
    if pending is not None:
        yield pending


def delimited(chunks: Iterable[Any], delimiter: Any) -> Iterator[Any]:
    """Split at `delimiter` as `split` would split the whole; nothing gives nothing."""
    pending = None
    for chunk in chunks:
        parts = (chunk if pending is None else pending + chunk).split(delimiter)
        pending = parts.pop()
        yield from parts
    if pending is not None:
        yield pending


def cookies_of(response: Response) -> RequestsCookieJar:
    """Make the jar with what this response set."""
    jar: RequestsCookieJar = _models.cookiejar_from_dict({})
    reply = response._reply
    if reply is not None and reply.flags & HAS_COOKIES:
        from .cookies import extract_cookies_to_jar

        extract_cookies_to_jar(jar, response.request, HeadersOnly(reply))
    return jar


class HeadersOnly:
    """Of an urllib3 response as much as the extraction of cookies looks at."""

    def __init__(self, reply: Reply) -> None:
        self._original_response = self
        self._fields = reply.headers

    @property
    def msg(self) -> HeadersOnly:
        return self

    def get_all(self, name: str, default: Any = None) -> Any:
        """Return every value of a field, as `email.message.Message` does."""
        name = name.lower()
        return [value for key, value in self._fields if key.lower() == name] or default

    getheaders = get_all


def request_of(reply: Reply, cookies: list[Cookie] | None = None) -> PreparedRequest:
    """Make the request that a reply of the fast path answers, with the session's `cookies` then."""
    request: PreparedRequest = _models.PreparedRequest.__new__(_models.PreparedRequest)
    request.__dict__.update(
        method=reply.method,
        url=reply.url,
        headers=_models.CaseInsensitiveDict(reply.request_headers),
        body=reply.request_body,
        hooks=_models.default_hooks(),
        _body_position=None,
    )
    if cookies:
        from ._fast_cookies import jar_of

        request.__dict__["_cookies"] = jar_of(cookies)
    return request


def drain(response: Response) -> None:
    """Read the body of a redirect, as it came from the wire and not much of it, and end it.

    Nobody asked for this body, so a server must not be able to make us decode a gigabyte of zeros
    (CVE-2026-21441) or wait for bytes that never end: 64 KiB and 100 ms are enough.
    """
    reply = own_reply(response)
    if reply is None or response._content is not False or response._content_consumed:
        return
    coded = reply.drain()
    if coded is None:
        # Whoever asks for this content shall not be given half of it.
        response._content_consumed = True
    else:
        response.__dict__["_drained"] = coded


def undrained(response: Response, coded: bytes) -> bytes:
    """Decode what `drain` kept, now that somebody asked for it."""
    if "content-encoding" not in response.headers:
        return coded
    from io import BytesIO

    import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
    from urllib3.response import HTTPResponse

    raw = HTTPResponse(body=BytesIO(coded), headers=dict(response.headers), preload_content=False)
    try:
        return raw.read(decode_content=True)
    except Exception as error:
        raise body_error(error, response) from error
