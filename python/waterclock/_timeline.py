"""`Timeline`: the record of a call, wait by wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ._exports import Exports

if TYPE_CHECKING:
    from waterclock import _types as _t
    from waterclock._engine import Record
    from waterclock._what_if import WhatIf

# The engine speaks to users of the program: what its options are called here.
_ARGUMENTS = (
    (r"--total ([0-9.]+)", r"timeout=Limits(total=\1)"),
    (r"--cert FILE and --key FILE", "cert=(FILE, KEY)"),
    (r"--cert FILE", "cert=FILE"),
    (r"--cacert FILE", "verify=FILE"),
)


def in_python(text: str) -> str:
    """A text of the engine that advises Python's arguments in the place of options."""
    if "--" in text:
        import re

        for option, argument in _ARGUMENTS:
            text = re.sub(option.replace(" ", r"\s+"), argument, text)
    return text


class Span(NamedTuple):
    """One wait, or one stretch of work between two of them. Times are seconds since the call began."""

    hop: int
    phase: str
    what: str
    started: float
    ended: float
    limit: str | None
    limit_value: float | None
    left_before: float | None
    bytes: int
    end: str

    @property
    def duration(self) -> float:
        """Seconds from its start to its end."""
        return self.ended - self.started


class Timeline(Exports):
    """What a call did from its start to its end: spans without gaps, and what they mean.

    `print(timeline)` shows the waterfall and says why a limit fired, or why none did; notebooks show a picture of
    it. `what_if` and `as_client` say what other limits would have done; `to_html`, `to_har` and so on make files for other
    tools, and `save` the document that all of them can be made from. A timeline can be pickled; what is kept then is that
    document, without secrets.

    >>> import waterclock as requests
    >>> response = requests.get("http://127.0.0.1:8080/", timeout=1)  # doctest: +SKIP
    >>> response.timeline.elapsed, response.timeline.spans[0].phase  # doctest: +SKIP
    (0.0012, 'connect')
    """

    __slots__ = ("_document", "_record", "_saved")

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self._document: dict[str, Any] | None = None
        #: The document of a timeline that was pickled, until somebody looks at it.
        self._saved = ""

    def _the_record(self) -> Record:
        record = self._record
        if record is None:
            from ._engine import Record

            record = self._record = Record.from_json(self._saved)
        return record

    def to_dict(self) -> dict[str, Any]:
        """The run document: `docs/run-document.schema.json` describes it. Secrets are redacted."""
        document = self._document
        if document is None:
            import json

            document = self._document = json.loads(self._the_record().to_json())
        return document

    def to_json(self, *, with_secrets: bool = False) -> str:
        """`to_dict` as JSON text, with all digits of the nanoseconds."""
        return self._the_record().to_json(with_secrets)

    def explain(self, width: int = 80, color: bool = False) -> str:
        """The waterfall of the waits, and the verdict in words; `width` in columns, at least 60."""
        return in_python(self._the_record().explain(width, color))

    def what_if(self, timeout: _t.TimeoutType = None, /, **limits: float | None) -> WhatIf:
        """Say what other limits, and none of its own, would have done with this call.

        :param timeout: what `timeout=` would have been: seconds, `(connect, read)` or `Limits`.
        :param limits: limits by name, in seconds, as `waterclock.Limits` takes them.
        :raises TypeError: for neither, for both, or for a limit that there is not.
        :raises ValueError: for what is no number of seconds, or if the call had not begun.

        >>> import waterclock as requests
        >>> timeline = requests.get("https://example.com/").timeline  # doctest: +SKIP
        >>> timeline.what_if(total=0.12)  # doctest: +SKIP
        <WhatIf: total fires at 0.120000 s>
        >>> print(timeline.what_if(0.12))  # doctest: +SKIP
        """
        from ._what_if import of_limits

        return of_limits(self, timeout, limits)

    def as_client(self, client: str, setting: str | None = None, /, **settings: Any) -> WhatIf:
        """Say what another client's timeout would have done with this call.

        The names are those of `waterclock explain --as`: requests, urllib3, httpx, aiohttp, curl, wget, go. Without a
        setting the one is taken that is nearest to the limits of this call.

        :param client: which client.
        :param setting: its settings as they are written for it: `"--max-time 0.12"`, `"timeout=(3.05, 27)"`.
        :param settings: the same as keywords, in seconds: `max_time=0.12`, `timeout=(3.05, 27)`. Options of curl and wget
            are written without dashes, and with `_` for a dash inside; of go with `_` for a dot.
        :raises ValueError: for a client that is not known, or what it does not have or would refuse.

        >>> import waterclock as requests
        >>> timeline = requests.get("https://example.com/").timeline  # doctest: +SKIP
        >>> timeline.as_client("curl", max_time=0.12).fires  # doctest: +SKIP
        True
        >>> print(timeline.as_client("requests", timeout=0.12))  # doctest: +SKIP
        """
        from ._what_if import of_client

        return of_client(self, client, setting, settings)

    @property
    def verdict(self) -> list[str]:
        """Which limit fired or why none did, in sentences."""
        return [in_python(sentence) for sentence in self.to_dict()["verdict"]]

    @property
    def spans(self) -> tuple[Span, ...]:
        """Waits and the work between them, in order and without gaps."""
        fields = Span._fields
        return tuple(Span(*map(span.get, fields)) for span in self.to_dict()["spans"])

    @property
    def hops(self) -> list[dict[str, Any]]:
        """The requests that were made: method, url, status, reason, started, ended, connection."""
        return list(self.to_dict()["hops"])

    @property
    def limits(self) -> dict[str, float | None]:
        """The limits that were set, by name, in seconds."""
        return dict(self.to_dict()["limits"])

    @property
    def elapsed(self) -> float:
        """Seconds from the start of the call to its end: all hops and the body."""
        return float(self.to_dict()["elapsed"])

    @property
    def waiting(self) -> float:
        """Seconds spent in waits."""
        return float(self.to_dict()["waiting"])

    @property
    def local(self) -> float:
        """Seconds spent in the client's own work and in the caller's code."""
        return float(self.to_dict()["local"])

    @property
    def unaccounted(self) -> float:
        """What no span accounts for: zero."""
        return float(self.to_dict()["unaccounted"])

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        headline = self.verdict[0] if self.verdict else "nothing happened"
        return f"<Timeline of {self.elapsed:.6f} s: {headline}>"

    def __getstate__(self) -> dict[str, Any]:
        return {"json": self._saved or self._the_record().to_json(wire=True)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._record = None
        self._document = None
        self._saved = state["json"]

    def __reduce__(self) -> tuple[Any, ...]:
        return (Timeline, (None,), self.__getstate__())
