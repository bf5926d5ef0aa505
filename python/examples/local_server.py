"""What the other examples talk to: a server of the standard library, in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Seconds to wait, or bytes to send.
Step = float | bytes
#: What a page does with a path and its query.
Page = Callable[[str], Iterable[Step]]


def response(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@contextmanager
def serving(page: Page) -> Iterator[str]:
    """Answers every request with the steps of `page(path)`; gives the URL of the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A client that has had enough is gone before the end.
            with suppress(OSError):
                super().handle()

        def do_GET(self) -> None:
            for step in page(self.path):
                if isinstance(step, bytes):
                    self.wfile.write(step)
                else:
                    time.sleep(step)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    print("This is the server of the other examples: run one of those.")
