"""`Timeline`: the record of a call, wait by wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from waterclock._engine import Record

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


class Timeline:
    """What a call did from its start to its end: spans without gaps, and what they mean.

    `print(timeline)` shows the waterfall and says why a limit fired, or why none did. A timeline can be
    pickled; what is kept then is the run document and the text.

    >>> import waterclock as requests
    >>> response = requests.get("http://127.0.0.1:8080/", timeout=1)  # doctest: +SKIP
    >>> response.timeline.elapsed, response.timeline.spans[0].phase  # doctest: +SKIP
    (0.0012, 'connect')
    """

    __slots__ = ("_document", "_record", "_text")

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self._document: dict[str, Any] | None = None
        self._text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The run document: `docs/run-document.schema.json` describes it. Secrets are redacted."""
        document = self._document
        if document is None:
            import json

            assert self._record is not None
            document = self._document = json.loads(self._record.to_json())
        return document

    def to_json(self) -> str:
        """`to_dict` as JSON text, with all digits of the nanoseconds."""
        if self._record is not None:
            return self._record.to_json()
        import json

        return json.dumps(self.to_dict(), indent=2)

    def explain(self, width: int = 80, color: bool = False) -> str:
        """The waterfall of the waits, and the verdict in words; `width` in columns, at least 60."""
        if self._record is not None:
            return in_python(self._record.explain(width, color))
        return self._text or ""

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

    def _repr_html_(self) -> str:
        import html

        style = "font-family: monospace; line-height: 1.2; white-space: pre"
        return f'<pre style="{style}">{html.escape(self.explain())}</pre>'

    def __getstate__(self) -> dict[str, Any]:
        return {"document": self.to_dict(), "text": self.explain()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._record = None
        self._document = state["document"]
        self._text = state["text"]

    def __reduce__(self) -> tuple[Any, ...]:
        return (Timeline, (None,), self.__getstate__())
