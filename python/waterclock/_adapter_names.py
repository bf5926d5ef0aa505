"""Names of `requests.adapters` that come from elsewhere, and where from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._lazy import Source

_EXCEPTIONS_OF_URLLIB3 = (
    "ClosedPoolError",
    "ConnectTimeoutError",
    "LocationValueError",
    "MaxRetryError",
    "NewConnectionError",
    "ProtocolError",
    "ReadTimeoutError",
    "ResponseError",
)
_EXCEPTIONS = (
    "ConnectTimeout",
    "ConnectionError",
    "InvalidHeader",
    "InvalidProxyURL",
    "InvalidSchema",
    "InvalidURL",
    "ProxyError",
    "ReadTimeout",
    "RetryError",
    "SSLError",
)
_UTILS = (
    "DEFAULT_CA_BUNDLE_PATH",
    "get_auth_from_url",
    "get_encoding_from_headers",
    "prepend_scheme_if_needed",
    "select_proxy",
    "urldefragauth",
)


def socks_manager_class() -> Any:
    """urllib3's manager for SOCKS proxies, or what says that PySocks is missing."""
    try:
        import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:

        def missing(*args: Any, **kwargs: Any) -> None:
            from .exceptions import InvalidSchema

            raise InvalidSchema("Missing dependencies for SOCKS support.")

        return missing
    return SOCKSProxyManager


#: "module:attribute" or "module", as `_lazy.attach` takes them.
LAZY: dict[str, Source] = {
    **{name: f"urllib3.exceptions:{name}" for name in _EXCEPTIONS_OF_URLLIB3},
    "_HTTPError": "urllib3.exceptions:HTTPError",
    "_InvalidHeader": "urllib3.exceptions:InvalidHeader",
    "_ProxyError": "urllib3.exceptions:ProxyError",
    "_SSLError": "urllib3.exceptions:SSLError",
    "PoolManager": "urllib3.poolmanager:PoolManager",
    "proxy_from_url": "urllib3.poolmanager:proxy_from_url",
    "TimeoutSauce": "urllib3.util:Timeout",
    "parse_url": "urllib3.util:parse_url",
    "Retry": "urllib3.util.retry:Retry",
    "socket": "socket",
    "_basic_auth_str": ".auth:_basic_auth_str",
    "basestring": ".compat:basestring",
    "urlparse": ".compat:urlparse",
    "extract_cookies_to_jar": ".cookies:extract_cookies_to_jar",
    **{name: f".exceptions:{name}" for name in _EXCEPTIONS},
    "Response": ".models:Response",
    "CaseInsensitiveDict": ".structures:CaseInsensitiveDict",
    **{name: f".utils:{name}" for name in _UTILS},
    "_is_prepared": "._types:is_prepared",
    "typing": "typing",
    "warnings": "warnings",
    "Any": "typing:Any",
    "SOCKSProxyManager": socks_manager_class,
    "_native": "._native",
}
