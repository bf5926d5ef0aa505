"""urllib3's manager for SOCKS proxies."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def socks_manager_class() -> Any:
    """Return the class, or what says that PySocks is missing."""
    try:
        import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:

        def missing(*args: Any, **kwargs: Any) -> None:
            from .exceptions import InvalidSchema

            raise InvalidSchema("Missing dependencies for SOCKS support.")

        return missing
    return SOCKSProxyManager
