"""Transport adapters: how a prepared request gets to a server and comes back as a response.

`HTTPAdapter` has every hook of requests. Which engine makes a call is decided call by call: ours, as long as nobody
replaced what only urllib3 can honour, else urllib3 itself (`_choice.reason_for_urllib3` says which, and why).
"""

from __future__ import annotations

import os.path
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.exceptions import (
        ClosedPoolError,
        ConnectTimeoutError,
        LocationValueError,
        MaxRetryError,
        NewConnectionError,
        ProtocolError,
        ReadTimeoutError,
        ResponseError,
    )
    from urllib3.poolmanager import PoolManager, proxy_from_url
    from urllib3.util import Timeout as TimeoutSauce
    from urllib3.util import parse_url
    from urllib3.util.retry import Retry

    # Found by name only: programs that collect what a program imports see them here.
    from . import _native as _native
    from . import _origins as _origins
    from . import _socks_manager as _socks_manager
    from . import _types as _t
    from .models import PreparedRequest, Response
    from .utils import DEFAULT_CA_BUNDLE_PATH, select_proxy

    # What requests.adapters has, for those who look for it here; at run time `__getattr__` has it.
    _Reexported = (
        ClosedPoolError,
        ConnectTimeoutError,
        LocationValueError,
        MaxRetryError,
        NewConnectionError,
        ProtocolError,
        ReadTimeoutError,
        ResponseError,
        TimeoutSauce,
        parse_url,
        proxy_from_url,
        DEFAULT_CA_BUNDLE_PATH,
        select_proxy,
    )

from . import _choice
from ._lazy import attach, find

DEFAULT_POOLBLOCK = False
DEFAULT_POOLSIZE = 10
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None

# Names that cost an import are looked for when somebody asks for them.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        globals(),
        {
            "SOCKSProxyManager": lambda: find("._socks_manager:socks_manager_class")(),
            "TimeoutSauce": "urllib3.util:Timeout",
            "_HTTPError": "urllib3.exceptions:HTTPError",
            "_InvalidHeader": "urllib3.exceptions:InvalidHeader",
            "_ProxyError": "urllib3.exceptions:ProxyError",
            "_SSLError": "urllib3.exceptions:SSLError",
            "_is_prepared": "._types:is_prepared",
            "_native": "._native",
            "_origins": "._origins",
            "_urllib3_request_context": "._origins:urllib3_request_context",
            "socket": "socket",
            "typing": "typing",
            "warnings": "warnings",
        },
        {
            "._response": "Response",
            "._util_headers": "get_encoding_from_headers",
            "._util_proxies": "select_proxy",
            "._util_urls": "get_auth_from_url prepend_scheme_if_needed urldefragauth",
            ".auth": "_basic_auth_str",
            ".compat": "basestring urlparse",
            ".cookies": "extract_cookies_to_jar",
            ".exceptions": "ConnectTimeout ConnectionError InvalidHeader InvalidProxyURL InvalidSchema InvalidURL"
            " ProxyError ReadTimeout RetryError SSLError",
            ".structures": "CaseInsensitiveDict",
            ".utils": "DEFAULT_CA_BUNDLE_PATH",
            "typing": "Any",
            "urllib3.exceptions": "ClosedPoolError ConnectTimeoutError LocationValueError MaxRetryError"
            " NewConnectionError ProtocolError ReadTimeoutError ResponseError",
            "urllib3.poolmanager": "PoolManager proxy_from_url",
            "urllib3.util": "parse_url",
            "urllib3.util.retry": "Retry",
        },
    )

# They are looked up through the module, so that a program that patches one of them is heard.
_here: Any = sys.modules[__name__]


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


class _Made:
    """An attribute that is made when it is first looked at, and is an ordinary one from then on."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, adapter: Any, owner: type | None = None) -> Any:
        if adapter is None:
            raise AttributeError(f"type object {owner!r} has no attribute {self.name!r}")
        self.make(adapter)
        try:
            return adapter.__dict__[self.name]
        except KeyError:
            raise AttributeError(
                f"{type(adapter).__name__!r} object has no attribute {self.name!r}"
            ) from None


def _make_max_retries(adapter: HTTPAdapter) -> None:
    given = adapter.__dict__.get("_retries_given")
    if given is not None:
        retry = _here.Retry
        adapter.max_retries = (
            retry(0, read=False) if given == DEFAULT_RETRIES else retry.from_int(given)
        )


def _make_poolmanager(adapter: HTTPAdapter) -> None:
    if "_pool_connections" in adapter.__dict__:
        adapter.init_poolmanager(
            adapter._pool_connections, adapter._pool_maxsize, block=adapter._pool_block
        )
        _here._origins.show_origins(adapter)
        _choice.pool_was_made(adapter)


def _make_engine(adapter: HTTPAdapter) -> None:
    from ._engine import Engine

    own = adapter.__dict__
    made = Engine(
        own.get("_pool_connections", DEFAULT_POOLSIZE),
        own.get("_pool_maxsize", DEFAULT_POOLSIZE),
        bool(own.get("_pool_block", DEFAULT_POOLBLOCK)),
    )
    # Of two threads that come here at once, both get the first one's.
    own.setdefault("_engine", made)


class BaseAdapter:
    """What a transport adapter has to have."""

    def __init__(self) -> None:
        super().__init__()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: dict[str, str] | None = None,
    ) -> Response:
        """Sends a prepared request and returns its response.

        :param stream: whether the body is left to be read piece by piece.
        :param timeout: seconds, or (connect, read) seconds, or `waterclock.Limits`.
        :param verify: whether the server's certificate is verified, or the path of a CA bundle to do it with.
        :param cert: a client certificate: the path of a file, or of a certificate and of its key.
        :param proxies: proxies by scheme, or by scheme and host.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Gives up what the adapter holds."""
        raise NotImplementedError


class HTTPAdapter(BaseAdapter):
    """The adapter for http and https.

    :param pool_connections: how many servers idle connections are kept for.
    :param pool_maxsize: how many connections to one server are kept (and made, with `pool_block`).
    :param max_retries: how often a call is made again: a number, or urllib3's `Retry`. By default a call is made once.
    :param pool_block: whether a call waits for a connection when `pool_maxsize` are in use.

    Usage::

      >>> import waterclock as requests
      >>> s = requests.Session()
      >>> a = requests.adapters.HTTPAdapter(max_retries=3)
      >>> s.mount('http://', a)
    """

    __attrs__: list[str] = [  # noqa: RUF012
        "max_retries",
        "config",
        "_pool_connections",
        "_pool_maxsize",
        "_pool_block",
    ]

    if TYPE_CHECKING:
        max_retries: Retry
        poolmanager: PoolManager
        _engine: Any
    else:
        max_retries = _Made(_make_max_retries)
        poolmanager = _Made(_make_poolmanager)
        _engine = _Made(_make_engine)
    config: dict[str, Any]
    proxy_manager: dict[str, Any]
    _pool_connections: int
    _pool_maxsize: int
    _pool_block: bool

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: int | Retry = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
    ) -> None:
        if type(max_retries) is int:
            self.__dict__["_retries_given"] = max_retries
        else:
            retry = _here.Retry
            self.max_retries = (
                retry(0, read=False)
                if max_retries == DEFAULT_RETRIES
                else retry.from_int(max_retries)
            )
        self.config = {}
        self.proxy_manager = {}

        super().__init__()

        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self._begin_pool()

    def _begin_pool(self) -> None:
        """Makes the pool manager now if somebody wants to have a say in it, else when it is looked at."""
        if (
            type(self).init_poolmanager is not _init_poolmanager
            or "init_poolmanager" in self.__dict__
            or _pool_class_is_replaced()
        ):
            self.init_poolmanager(
                self._pool_connections, self._pool_maxsize, block=self._pool_block
            )

    def __getstate__(self) -> dict[str, Any]:
        return {attr: getattr(self, attr, None) for attr in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Neither pools nor connections travel: they are made afresh.
        self.proxy_manager = {}
        self.config = {}
        for attr, value in state.items():
            setattr(self, attr, value)
        self._begin_pool()

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = DEFAULT_POOLBLOCK,
        **pool_kwargs: Any,
    ) -> None:
        """Makes urllib3's PoolManager. To be overridden, not to be called.

        :param connections: how many pools are kept.
        :param maxsize: how many connections a pool keeps.
        :param block: whether to wait when all of them are in use.
        :param pool_kwargs: what else the PoolManager is to be told.
        """
        self._pool_connections = connections
        self._pool_maxsize = maxsize
        self._pool_block = block
        self.poolmanager = _here.PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs
        )

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """urllib3's manager for a proxy, made once for each. To be overridden, not to be called.

        :param proxy: the proxy's URL.
        :param proxy_kwargs: what else the manager is to be told.
        """
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        settings: dict[str, Any] = {
            "num_pools": self._pool_connections,
            "maxsize": self._pool_maxsize,
            "block": self._pool_block,
            **proxy_kwargs,
        }
        if proxy.lower().startswith("socks"):
            username, password = _here.get_auth_from_url(proxy)
            manager = _here.SOCKSProxyManager(
                proxy, username=username, password=password, **settings
            )
        else:
            headers = self.proxy_headers(proxy)
            manager = _here.proxy_from_url(proxy, proxy_headers=headers, **settings)
        self.proxy_manager[proxy] = manager
        return manager

    def cert_verify(self, conn: Any, url: str, verify: _t.VerifyType, cert: _t.CertType) -> None:
        """Tells a pool of urllib3 whom to trust and who we are. To be overridden, not to be called.

        :param conn: the pool.
        :param url: the URL of the request.
        :param verify: whether to verify the server's certificate, or the path of a CA bundle to do it with.
        :param cert: the client certificate.
        """
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_NONE", None, None
        if url.lower().startswith("https") and verify:
            bundle = _here._native.ca_bundle(verify)
            conn.cert_reqs = "CERT_REQUIRED"
            if os.path.isdir(bundle):
                conn.ca_cert_dir = bundle
            else:
                conn.ca_certs = bundle
        if cert:
            conn.cert_file, conn.key_file = _here._native.client_certificate(cert)

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """A Response of what urllib3 brought. To be overridden, not to be called.

        :param req: the request it answers.
        :param resp: urllib3's response, or anything like it.
        """
        response: Response = _here.Response()
        response.status_code = getattr(resp, "status", None)  # type: ignore[assignment]
        response.headers = _here.CaseInsensitiveDict(getattr(resp, "headers", {}))
        response.encoding = _here.get_encoding_from_headers(response.headers)
        response.raw = resp
        response.reason = response.raw.reason
        url: Any = req.url
        response.url = url.decode("utf-8") if isinstance(url, bytes) else url
        _here.extract_cookies_to_jar(response.cookies, req, resp)
        response.request = req
        response.connection = self
        return response

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: _t.VerifyType, cert: _t.CertType = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What urllib3 is to choose a pool by: two dictionaries, for the host and for TLS.

        The first has `scheme`, `host` and `port`. The second has `cert_reqs`; `ca_certs` or `ca_cert_dir` if `verify`
        is a path; `cert_file`, and `key_file` if `cert` has two parts. An override may add what PoolManager
        takes, for example `ssl_context`.
        """
        context: tuple[dict[str, Any], dict[str, Any]] = _here._urllib3_request_context(
            request, verify, cert, self.poolmanager
        )
        return context

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: _t.VerifyType,
        proxies: dict[str, str] | None = None,
        cert: _t.CertType = None,
    ) -> HTTPConnectionPool:
        """The pool of urllib3 for a request and its TLS settings. To be overridden, not to be called.

        :param request: the request.
        :param verify: whether to verify the server's certificate, or the path of a CA bundle to do it with.
        :param proxies: proxies by scheme, or by scheme and host.
        :param cert: the client certificate.
        """
        proxy = _here.select_proxy(request.url, proxies)
        try:
            host, tls = self.build_connection_pool_key_attributes(request, verify, cert)
        except ValueError as e:
            raise _here.InvalidURL(e, request=request)
        manager = self.proxy_manager_for(_usable_proxy(proxy)) if proxy else self.poolmanager
        pool: HTTPConnectionPool = manager.connection_from_host(**host, pool_kwargs=tls)
        return pool

    def get_connection(self, url: str, proxies: dict[str, str] | None = None) -> HTTPConnectionPool:
        """Deprecated by `get_connection_with_tls_context`: the pool of urllib3 for a URL.

        :param url: where to connect to.
        :param proxies: proxies by scheme, or by scheme and host.
        """
        _here.warnings.warn(
            "`get_connection` has been deprecated in favor of `get_connection_with_tls_context`. "
            "Custom HTTPAdapter subclasses will need to migrate for Requests>=2.32.2. Please see "
            "https://github.com/psf/requests/pull/6710 for more details.",
            DeprecationWarning,
            stacklevel=2,
        )
        proxy = _here.select_proxy(url, proxies)
        pool: HTTPConnectionPool
        if proxy:
            pool = self.proxy_manager_for(_usable_proxy(proxy)).connection_from_url(url)
        else:
            pool = self.poolmanager.connection_from_url(_here.urlparse(url).geturl())
        return pool

    def close(self) -> None:
        """Closes all idle connections: of the engine, of the pool manager and of proxies."""
        own = self.__dict__
        if "poolmanager" in own:
            self.poolmanager.clear()
        for manager in own.get("proxy_manager", {}).values():
            manager.clear()
        if "_engine" in own:
            self._engine.close()

    def request_url(self, request: PreparedRequest, proxies: dict[str, str] | None) -> str:
        """What the request line has: the path, or all of the URL for an http proxy. To be overridden, not to be called.

        :param request: the request.
        :param proxies: proxies by scheme, or by scheme and host.
        """
        url: str = request.url  # type: ignore[assignment]
        proxy = _here.select_proxy(url, proxies)
        if (
            proxy
            and _here.urlparse(url).scheme != "https"
            and not _here.urlparse(proxy).scheme.lower().startswith("socks")
        ):
            whole: str = _here.urldefragauth(url)
            return whole
        return request.path_url

    def add_headers(self, request: PreparedRequest, **kwargs: Any) -> None:
        """Does nothing: here subclasses add headers.

        :param request: the request they are added to.
        :param kwargs: what `send` was called with.
        """

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Headers for the proxy alone: in CONNECT if there is a tunnel, else in the request. To be overridden, not to be called.

        :param proxy: the proxy's URL.
        """
        username, password = _here.get_auth_from_url(proxy)
        if not username:
            return {}
        return {"Proxy-Authorization": _here._basic_auth_str(username, password)}

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: dict[str, str] | None = None,
    ) -> Response:
        """Sends a prepared request and returns its response, with the engine that can honour what was asked for.

        :param stream: whether the body is left to be read piece by piece.
        :param timeout: seconds, (connect, read) seconds, urllib3's `Timeout` or `waterclock.Limits`.
        :param verify: whether the server's certificate is verified, or the path of a CA bundle to do it with.
        :param cert: a client certificate: the path of a file, or of a certificate and of its key.
        :param proxies: proxies by scheme, or by scheme and host.
        """
        reason = _choice.reason_for_urllib3(self, request)
        if reason is None:
            send = _here._native.send
            response: Response = send(self, request, stream, timeout, verify, cert, proxies)
            return response
        from . import _urllib3

        return _urllib3.send(self, request, stream, timeout, verify, cert, proxies, reason)


# Overridden hooks are told from these, also where somebody patches the class itself.
original_hooks = {
    name: getattr(HTTPAdapter, name)
    for name in (
        "init_poolmanager",
        "proxy_manager_for",
        "cert_verify",
        "get_connection",
        "get_connection_with_tls_context",
        "build_connection_pool_key_attributes",
        "request_url",
        "build_response",
    )
}
_init_poolmanager = HTTPAdapter.init_poolmanager


def _pool_class_is_replaced() -> bool:
    mine = globals().get("PoolManager")
    module = sys.modules.get("urllib3.poolmanager")
    return mine is not None and mine is not getattr(module, "PoolManager", None)


def _usable_proxy(proxy: str) -> str:
    """The proxy with a scheme; InvalidProxyURL if there is no host in it."""
    whole: str = _here.prepend_scheme_if_needed(proxy, "http")
    if not _here.parse_url(whole).host:
        raise _here.InvalidProxyURL(
            "Please check proxy URL. It is malformed and could be missing the host."
        )
    return whole
