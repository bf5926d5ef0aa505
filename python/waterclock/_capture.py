"""`capture`: what sockets read and write, recorded for `Timeline.to_pcapng`."""

from __future__ import annotations

from contextlib import contextmanager

from ._engine import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are kept unless you say otherwise: 16 MiB.
BUDGET = 16 * 1024 * 1024


@contextmanager
def capture(*, keys: bool = False, budget: int = BUDGET) -> Iterator[None]:
    """Record what goes over the connections that are opened inside, for `Timeline.to_pcapng`.

    Of all threads: there is one recording at a time. Make the session inside, too: a connection that is open
    already is not recorded, and TLS of a session that has been used says nothing of its secrets. Timelines of calls that began inside
    have their part of it until the next recording begins. Calls outside pay nothing for this.

    What is recorded is what was on the wire: encrypted with TLS, else all text.

    :param keys: also keep the secrets of TLS. Whoever has them and the recording can read everything; a timeline that is
        saved or pickled has both.
    :param budget: how many bytes to keep in memory; what comes after them is counted and not kept.
    :raises RuntimeError: if a recording is going on already.
    :raises ValueError: if `budget` is 0.

    >>> import waterclock as requests
    >>> with requests.capture():  # doctest: +SKIP
    ...     response = requests.get("http://127.0.0.1:8080/")
    >>> response.timeline.to_pcapng("call.pcapng")  # doctest: +SKIP
    """
    recording = Capture(keys, budget)
    recording.begin()
    try:
        yield
    finally:
        recording.end()
