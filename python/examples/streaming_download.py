"""A download that is never in memory as a whole, and ends when the server stops sending."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator

from local_server import Step, serving

import waterclock as requests

SIZE = 8 * 1024 * 1024
PIECE = bytes(64 * 1024)


def file(path: str) -> Iterator[Step]:
    yield f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    sent = 0
    while sent < SIZE:
        if path == "/stalls" and sent > SIZE // 2:
            yield 1.0
        yield PIECE
        sent += len(PIECE)


def download(url: str) -> tuple[int, str]:
    """The size and the SHA-256 of what is there."""
    # However long it takes, as long as something comes every half a second.
    limits = requests.Limits(connect=1, read=0.5)
    digest = hashlib.sha256()
    with requests.get(url, stream=True, timeout=limits) as reply, tempfile.TemporaryFile() as out:
        reply.raise_for_status()
        for piece in reply.iter_content(256 * 1024):
            digest.update(piece)
            out.write(piece)
        return out.tell(), digest.hexdigest()


with serving(file) as url:
    size, digest = download(f"{url}/whole")
    print(f"{size} bytes, sha256 {digest}")
    try:
        download(f"{url}/stalls")
    except requests.Timeout as error:
        # requests says ConnectionError here; this is one as well.
        assert isinstance(error, requests.ConnectionError)
        print(f"{type(error).__name__} ({error.limit}): {error}")
