"""Where calls went to: host and port of a URL, and what an adapter remembers of its calls."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .adapters import HTTPAdapter


def host_and_port(url: str) -> tuple[str, int]:
    """Host and port that a URL leads to; no host if there is none in it."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    default = 443 if scheme.lower() == "https" else 80
    if authority[:1] == "[":
        host, _, port = authority[1:].partition("]")
        port = port[1:]
    else:
        host, _, port = authority.partition(":")
    return host, int(port) if port.isdigit() else default


def remember_origin(adapter: HTTPAdapter, url: str, verify: Any, cert: Any) -> None:
    """Remembers where a call goes to and how, for those who look at `poolmanager.pools`.

    The usual way is remembered by the origin alone, so that the fast path sees at once that it is known.
    """
    end = url.find("/", 8)
    origin = url if end < 0 else url[:end]
    known = adapter.__dict__.setdefault("_origins", set())
    if len(known) >= _MOST_ORIGINS:
        return
    if verify is True and not cert:
        known.add(origin)
    else:
        known.add((origin, verify, tuple(cert) if type(cert) is list else cert))


# More are not remembered: a crawler would fill the memory with them.
_MOST_ORIGINS = 100


def show_origins(adapter: HTTPAdapter) -> None:
    """Puts a pool for each of them into the pool manager, as if urllib3 had made the calls."""
    from . import adapters

    here: Any = adapters
    for known in adapter.__dict__.get("_origins", ()):
        origin, verify, cert = (known, True, None) if isinstance(known, str) else known
        scheme, host, port = _split(origin)
        request: Any = type("Origin", (), {"url": f"{scheme}://{host}:{port}/"})
        where, tls = here._urllib3_request_context(request, verify, cert, None)
        adapter.poolmanager.connection_from_host(**where, pool_kwargs=tls)


def _split(url: str) -> tuple[str, str, int]:
    scheme = url.partition("://")[0]
    host, port = host_and_port(url)
    return scheme.lower(), f"[{host}]" if ":" in host else host, port
