"""Pools of urllib3 for what an adapter has called, for those who look at them."""

from __future__ import annotations

import os.path

from . import adapters
from .adapters import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from urllib3.poolmanager import PoolManager

    from .adapters import HTTPAdapter
    from .models import PreparedRequest

# Names of that module are filled in late, and patched by programs.
_adapters: Any = adapters


def urllib3_request_context(
    request: PreparedRequest,
    verify: bool | str | None,
    client_cert: tuple[str, str] | str | None,
    poolmanager: PoolManager,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What urllib3 chooses a pool by: where to connect to, and the TLS settings."""
    parsed = _adapters.urlparse(request.url)
    host = {"scheme": parsed.scheme.lower(), "host": parsed.hostname, "port": parsed.port}
    tls: dict[str, Any] = {"cert_reqs": "CERT_NONE" if verify is False else "CERT_REQUIRED"}
    if isinstance(verify, str):
        tls["ca_cert_dir" if os.path.isdir(verify) else "ca_certs"] = verify
    if isinstance(client_cert, tuple) and len(client_cert) == 2:
        tls["cert_file"], tls["key_file"] = client_cert
    elif client_cert is not None:
        tls["cert_file"] = client_cert
    return host, tls


def show_origins(adapter: HTTPAdapter) -> None:
    """Puts a pool for each of them into the pool manager, as if urllib3 had made the calls."""
    for known in adapter.__dict__.get("_origins", ()):
        origin, verify, cert = (known, True, None) if isinstance(known, str) else known
        scheme, host, port = _split(origin)
        request: Any = type("Origin", (), {"url": f"{scheme}://{host}:{port}/"})
        where, tls = _adapters._urllib3_request_context(request, verify, cert, None)
        adapter.poolmanager.connection_from_host(**where, pool_kwargs=tls)


def _split(url: str) -> tuple[str, str, int]:
    scheme = url.partition("://")[0]
    host, port = host_and_port(url)
    return scheme.lower(), f"[{host}]" if ":" in host else host, port
