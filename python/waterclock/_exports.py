"""What a timeline can be turned into: files for other tools, all of them made from the record alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from typing import TypeAlias

    from waterclock._engine import Record

    _Path: TypeAlias = str | os.PathLike[str]

# What others wrote is escaped, so that nothing else on a page looks like this.
_ADVICE = (r"Try: <code>--total ([0-9.]+)</code>", r"Try: <code>timeout=Limits(total=\1)</code>")

_NOT_RECORDED = (
    "what went over the sockets of this call was not recorded; make the session and the call inside "
    "`with waterclock.capture():`"
)


class Exports:
    """Files for other tools.

    Without `path` each gives the text; with one it writes the file, over what is there, and gives nothing. Values of header
    fields with credentials (Authorization, Proxy-Authorization, Cookie, Set-Cookie) are "[redacted]" unless
    `with_secrets` asks for them; a timeline that was pickled has lost them. Each raises OSError if the file cannot be
    written.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # What a timeline stands on.
        def _the_record(self) -> Record: ...

    def save(self, path: _Path, *, with_secrets: bool = False) -> None:
        """Write the run document, for `waterclock explain` and `waterclock convert`.

        What `waterclock.capture` recorded is in it, too; then nobody but you may read the file.

        >>> import waterclock as requests
        >>> requests.get("https://example.com/").timeline.save("call.json")  # doctest: +SKIP
        """
        text = self._the_record().to_json(with_secrets, wire=True)
        write(path, text.encode(), is_private=True)

    @overload
    def to_har(self, path: None = None, *, with_secrets: bool = False) -> str: ...
    @overload
    def to_har(self, path: _Path, *, with_secrets: bool = False) -> None: ...
    def to_har(self, path: _Path | None = None, *, with_secrets: bool = False) -> str | None:
        """HTTP archive (HAR 1.2), for the developer tools of browsers: an entry for each hop."""
        return _given(self._the_record().to_har(with_secrets), path)

    @overload
    def to_html(self, path: None = None, *, with_secrets: bool = False) -> str: ...
    @overload
    def to_html(self, path: _Path, *, with_secrets: bool = False) -> None: ...
    def to_html(self, path: _Path | None = None, *, with_secrets: bool = False) -> str | None:
        """One page with the waterfall, the verdict and all tables, that loads nothing and runs nothing.

        >>> import waterclock as requests
        >>> requests.get("https://example.com/").timeline.to_html("call.html")  # doctest: +SKIP
        """
        return _given(page_in_python(self._the_record().to_html(with_secrets)), path)

    @overload
    def to_svg(self, path: None = None) -> str: ...
    @overload
    def to_svg(self, path: _Path) -> None: ...
    def to_svg(self, path: _Path | None = None) -> str | None:
        """The waterfall as a picture, for documents and issues. It has no header fields."""
        return _given(self._the_record().to_svg(), path)

    @overload
    def to_trace(self, path: None = None) -> str: ...
    @overload
    def to_trace(self, path: _Path) -> None: ...
    def to_trace(self, path: _Path | None = None) -> str | None:
        """A trace for Perfetto and `chrome://tracing`, as JSON. It has no header fields."""
        return _given(self._the_record().to_trace(), path)

    @overload
    def to_otlp(self, path: None = None, *, with_secrets: bool = False) -> str: ...
    @overload
    def to_otlp(self, path: _Path, *, with_secrets: bool = False) -> None: ...
    def to_otlp(self, path: _Path | None = None, *, with_secrets: bool = False) -> str | None:
        """OpenTelemetry spans (OTLP/JSON), as collectors take them. `with_secrets`: signatures in URLs."""
        return _given(self._the_record().to_otlp(with_secrets), path)

    def to_pcapng(self, path: _Path, *, with_secrets: bool = False, keys: bool = False) -> None:
        """Write the packets of the call for Wireshark and tshark; each wait is a comment.

        The call has to be recorded by `waterclock.capture`. Without TLS the file has all text of the call; credentials in header
        fields are overwritten with `*`. With `keys` (and `capture(keys=True)`) the file also has the secrets of TLS: whoever
        has it can read everything. Nobody but you may read it.

        :raises ValueError: if the call was not recorded.

        >>> import waterclock as requests
        >>> with requests.capture(keys=True):  # doctest: +SKIP
        ...     response = requests.get("https://example.com/")
        >>> response.timeline.to_pcapng("call.pcapng", keys=True)  # doctest: +SKIP
        """
        packets = self._the_record().to_pcapng(with_secrets, keys)
        if packets is None:
            raise ValueError(_NOT_RECORDED)
        write(path, packets, is_private=True)

    def _repr_html_(self) -> str:
        """The picture and the verdict, for notebooks; without scripts, and without other files."""
        from ._timeline import in_python

        record = self._the_record()
        sentences = "<br/>".join(_escaped(in_python(words)) for words in record.verdict())
        return f"<div>{record.to_svg(inline=True)}<p>{sentences}</p></div>"


def page_in_python(page: str) -> str:
    """A page of the engine that advises Python's arguments in the place of options."""
    if "Try: <code>" in page:
        import re

        page = re.sub(*_ADVICE, page)
    return page


def _given(text: str, path: _Path | None) -> str | None:
    if path is None:
        return text
    write(path, text.encode())
    return None


def write(path: _Path, content: bytes, is_private: bool = False) -> None:
    """Writes a file, over what is there; a new one that is private can be read by its owner alone."""
    mode = 0o600 if is_private else 0o666
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)


def _escaped(text: str) -> str:
    import html

    return html.escape(text)
