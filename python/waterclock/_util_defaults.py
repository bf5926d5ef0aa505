"""The header fields that a session starts with."""

from __future__ import annotations

import sys

from .__version__ import __version__
from .structures import CaseInsensitiveDict


def _is_installed(module: str) -> bool:
    """Say whether `import module` would find something, without the cost of importing it."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return any(
        finder.find_spec(module, None) is not None
        for finder in sys.meta_path
        if hasattr(finder, "find_spec")
    )


def _imports(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def accepted_encodings() -> str:
    """Return the `Accept-Encoding` that urllib3 would send: what `response.raw` can decode."""
    codings = ["gzip", "deflate"]
    if _is_installed("brotlicffi") or _is_installed("brotli"):
        codings.append("br")
    parent, zstd = (
        ("compression", "compression.zstd")
        if sys.version_info >= (3, 14)
        else ("backports", "backports.zstd")
    )
    if _is_installed(parent) and _imports(zstd):
        codings.append("zstd")
    return ", ".join(codings)


def default_user_agent(name: str = "python-requests") -> str:
    """Return the `User-Agent` that a session starts with."""
    return f"{name}/{__version__}"


def default_headers() -> CaseInsensitiveDict[str]:
    """Return the fields that a session starts with."""
    from . import utils

    return CaseInsensitiveDict(
        {
            "User-Agent": utils.default_user_agent(),
            "Accept-Encoding": utils.DEFAULT_ACCEPT_ENCODING,
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
    )
