"""Types of the engine in Rust (crates/waterclock-py). Private: users see `waterclock`."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from waterclock._response import Response
from waterclock._timeline import Timeline

_Pair: TypeAlias = tuple[str | bytes, str | bytes]

class EngineError(Exception):
    """A failure of the client; it becomes an exception of requests."""

    kind: str
    message: str
    limit: str | None
    phase: str | None
    configured: float | None
    elapsed: float
    late_by: float | None
    request_sent: str
    retry_safe: bool
    errno: int | None
    #: Set if the head of the response had arrived: then the body failed.
    status: int | None
    hint: str | None
    #: Address at the other end, as text.
    peer: str | None
    #: Words of what caused it.
    detail: str | None
    host: str | None
    port: int | None
    #: Of a body that ended early, in bytes.
    expected: int | None
    received: int | None
    proxy_status: int | None
    proxy_reason: str | None
    proxy_body: bytes | None
    timeline: Timeline | None
    _call: Continuation

class Continuation:
    def __init__(self) -> None: ...

class Paused:
    """The call after a pause; true if it may go on. An `after=` for `Engine.send`."""

    _call: Continuation
    def __bool__(self) -> bool: ...

class Limits:
    def __init__(
        self,
        *,
        total: float | None = None,
        attempt: float | None = None,
        pool: float | None = None,
        resolve: float | None = None,
        connect: float | None = None,
        address: float | None = None,
        tunnel: float | None = None,
        tls: float | None = None,
        write: float | None = None,
        upload: float | None = None,
        continue_: float | None = None,
        first_byte: float | None = None,
        head: float | None = None,
        read: float | None = None,
        body: float | None = None,
    ) -> None: ...
    def to_dict(self) -> dict[str, float]: ...
    def __getattr__(self, name: str) -> float | None: ...

class Deadline:
    def __init__(self, seconds: float) -> None: ...
    def left(self) -> float: ...
    def earlier(self, other: Deadline) -> Deadline: ...

#: The answer in words; and limit, seconds from the start, seconds into the wait, index of the span, and what would
#: have been raised, of what would have fired.
Answer: TypeAlias = tuple[str, tuple[str, float, float, int, str | None] | None]

class Capture:
    def __init__(self, keys: bool, budget: int) -> None: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...

class Followed:
    def timeline(self) -> Timeline | None: ...

class Record:
    @staticmethod
    def from_json(text: str) -> Record: ...
    def to_json(self, with_secrets: bool = False, wire: bool = False) -> str: ...
    def to_har(self, with_secrets: bool = False) -> str: ...
    def to_html(self, with_secrets: bool = False) -> str: ...
    def to_otlp(self, with_secrets: bool = False) -> str: ...
    def to_trace(self) -> str: ...
    def to_svg(self, inline: bool = False) -> str: ...
    def to_pcapng(self, with_secrets: bool = False, keys: bool = False) -> bytes | None: ...
    def what_if(self, timeout: Any, asked: str, width: int) -> Answer: ...
    def as_client(self, name: str, settings: str | None, width: int) -> Answer: ...
    def verdict(self) -> list[str]: ...
    def explain(self, width: int = 80, color: bool = False) -> str: ...
    def headline(self) -> str: ...

class Reply:
    status: int
    #: 1: it has Set-Cookie; 2: a redirect (301, 302, 303, 307, 308) with Location; 4: chunked.
    flags: int
    #: Seconds of this hop, to the end of the head.
    elapsed: float
    url: str
    request_body: Any
    #: The body, if it was read with the head (not `stream`, and not long).
    body: bytes | None
    reason: str
    version: int
    method: str
    headers: list[tuple[str, str]]
    request_headers: list[tuple[str, str]]
    is_chunked: bool
    is_done: bool
    received: int
    expected: int | None
    trailers: list[tuple[str, str]]
    connection: dict[str, Any] | None
    def header(self, name: object) -> str | None: ...
    def header_store(self) -> dict[str, tuple[str, str]]:
        """As a CaseInsensitiveDict stores them, with several values of one name joined."""

    def read(self, amt: int | None = None, fill: bool = True) -> bytes: ...
    def readinto(self, buffer: Any) -> int: ...
    def content(self) -> bytes: ...
    def keep_coded(self) -> bool: ...
    def close(self) -> None: ...
    def shutdown(self) -> None:
        """Ends the reading of the body, from any thread: whoever reads gets an EngineError."""

    def drain(self) -> bytes | None: ...
    def timeline(self) -> Timeline: ...
    def follow(self) -> Followed: ...

class Engine:
    def __init__(
        self, pool_connections: int = 10, pool_maxsize: int = 10, pool_block: bool = False
    ) -> None: ...
    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, _Pair] | list[_Pair],
        own_headers: dict[str, Any] | None = None,
        body: Any = None,
        *,
        timeout: Any = None,
        total_until: Deadline | None = None,
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        proxy: str | None = None,
        proxy_headers: Iterable[tuple[str, bytes]] | None = None,
        proxy_verify: bool | str | None = None,
        stream: bool = False,
        after: Reply | EngineError | Paused | None = None,
        reason: str = "redirect",
        chunked: bool = False,
    ) -> Reply:
        """Makes one hop: no redirects, cookies, credentials, retries.

        `headers` is the `_store` of a CaseInsensitiveDict or a list of pairs; `own_headers` goes over
        them. Content-Length and Transfer-Encoding given there are not doubled. `body`: bytes, str, an
        object with read(n), or an iterator; what it raises is raised here. `timeout`: float, int, a pair, None or Limits,
        already checked. `verify`: True (the system's roots), False, or a PEM file or folder (pass certifi's for
        requests' True). `after`: the reply (read to its end, or closed), failure or pause that this hop follows, for `reason`
        "redirect", "retry" or "auth"; if its call cannot go on, a new one begins. Raises EngineError, or what a signal handler raised.
        """

    def pause(self, seconds: float, after: Reply | EngineError) -> Paused:
        """Waits before another try, under the call's `total`. The result is false, and came at once, if the pause would
        not fit; in any case it is what the next hop comes `after=`."""

    def close(self) -> None: ...

def after_fork() -> None: ...
def ask_for_deadline(current: Any) -> None: ...
def simple_url(url: str) -> str | None: ...
def plain_json(content: bytes) -> tuple[Any] | None: ...
def main(argv: list[str]) -> int: ...
def export_program(format: str, name: str, records: list[Record], left_out: int) -> str: ...
def external_timeline(
    method: str,
    url: str,
    elapsed: float,
    status: int | None,
    note: str,
    timeout: Any = None,
) -> Timeline: ...

class Unchanged:
    """True while what was looked at is what it was.

    `places`: names in dictionaries and classes. `whole`: dictionaries with all their items. `sized`: dictionaries and
    lists with the number of their items. `also`: others that have to be true.
    """

    def __init__(
        self,
        places: list[tuple[Any, list[Any]]],
        whole: list[dict[Any, Any]] = ...,
        sized: list[Any] = ...,
        also: list[Unchanged] = ...,
    ) -> None: ...
    def __bool__(self) -> bool: ...

class Attributes:
    """What an object has, by its dictionary `own`: all names, and the values of `names`."""

    def __init__(self, own: dict[str, Any], names: set[str], also: Unchanged) -> None: ...

class Surface:
    """The classes that a response is made of, `Session.request`, `sys.audit`, and two functions: `failed` makes the exception
    of a failure, `finish` goes on with a redirect and with a response that sets cookies."""

    def __init__(
        self,
        response: type,
        mapping: type,
        request: Any,
        audit: Any,
        failed: Any,
        finish: Any,
    ) -> None: ...

class Way:
    """The way of an ordinary request. With `attributes` it is taken `again` while they are what they were, for as many
    seconds as it `holds`."""

    def __init__(
        self,
        surface: Surface,
        kind: type,
        adapter: Any,
        engine: Engine,
        prefix: str,
        origin: tuple[Any, Any],
        store: Any,
        cookie: str | None,
        sent_cookies: Any,
        authorization: str | None,
        verify: Any,
        trusted: str | None,
        stream: bool,
        attributes: Attributes | None = None,
        holds: float = 0.0,
    ) -> None: ...
    def go(
        self,
        session: Any,
        method: str,
        url: str,
        target: str | None,
        headers: dict[Any, Any] | None,
        body: bytes | str | None,
        content_type: str | None,
        timeout: Any,
        stream: bool | None,
        allow_redirects: bool,
        rest: tuple[Any, ...] | None,
        /,
    ) -> Response | None: ...
    def again(
        self,
        session: Any,
        method: str,
        url: str,
        headers: dict[Any, Any] | None,
        body: bytes | str | None,
        content_type: str | None,
        timeout: Any,
        stream: bool | None,
        allow_redirects: bool,
        rest: tuple[Any, ...] | None,
        /,
    ) -> Response | None: ...
    def get(self, session: Any, url: Any, kwargs: Any, /) -> Response | None: ...
