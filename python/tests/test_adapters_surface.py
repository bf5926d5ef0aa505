"""The adapter as programs see it: names, attributes, hooks that are called, and what is made when."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests.adapters
from loopback import Server, answer
from programs import check

import waterclock
from waterclock.adapters import BaseAdapter, HTTPAdapter


def test_every_name_of_requests_is_there() -> None:
    theirs = {name for name in dir(requests.adapters) if not name.startswith("__")}
    assert theirs <= set(dir(waterclock.adapters))
    for name in theirs - {"annotations"}:
        getattr(waterclock.adapters, name)


def test_names_from_urllib3_are_urllib3s() -> None:
    for name in ("MaxRetryError", "PoolManager", "Retry", "TimeoutSauce", "parse_url"):
        assert getattr(waterclock.adapters, name) is getattr(requests.adapters, name)


@pytest.mark.parametrize(
    "name", [n for n, _ in inspect.getmembers(requests.adapters.HTTPAdapter, inspect.isfunction)]
)
def test_signatures(name: str) -> None:
    def of(kind: type) -> list[tuple[str, Any, Any]]:
        parameters = inspect.signature(getattr(kind, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert of(HTTPAdapter) == of(requests.adapters.HTTPAdapter)


def test_attributes_and_defaults() -> None:
    ours, theirs = HTTPAdapter(), requests.adapters.HTTPAdapter()
    assert HTTPAdapter.__attrs__ == requests.adapters.HTTPAdapter.__attrs__
    for name in ("config", "proxy_manager", "_pool_connections", "_pool_maxsize", "_pool_block"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert type(ours.poolmanager) is type(theirs.poolmanager)
    assert ours.poolmanager.connection_pool_kw == theirs.poolmanager.connection_pool_kw
    assert vars(ours.max_retries) == vars(theirs.max_retries)
    assert vars(HTTPAdapter(max_retries=3).max_retries) == vars(
        requests.adapters.HTTPAdapter(max_retries=3).max_retries
    )
    for name in ("max_retries", "poolmanager"):
        assert not hasattr(HTTPAdapter, name)


def test_an_adapter_costs_no_import(tmp_path: Path) -> None:
    out = check(
        tmp_path,
        """
        import sys
        from waterclock.adapters import HTTPAdapter
        adapters = HTTPAdapter(), HTTPAdapter(max_retries=3)
        heavy = ("urllib3", "ssl", "logging", "http.client", "email", "socket", "waterclock._engine")
        print([name for name in heavy if name in sys.modules])
        adapters[0].max_retries
        print("urllib3" in sys.modules)
        """,
    )
    assert out.split("\n")[:2] == ["[]", "True"]


def test_pickling_and_copying() -> None:
    adapter = HTTPAdapter(pool_connections=3, pool_maxsize=4, max_retries=5, pool_block=True)
    adapter._engine  # noqa: B018 - an engine does not travel
    for copied in (pickle.loads(pickle.dumps(adapter)), copy.copy(adapter), copy.deepcopy(adapter)):
        assert copied.max_retries.total == 5
        assert (copied._pool_connections, copied._pool_maxsize) == (3, 4)
        assert copied._pool_block is True
        assert copied.poolmanager is not adapter.poolmanager
        assert copied.config == copied.proxy_manager == {}


def test_init_poolmanager_is_called_where_requests_calls_it() -> None:
    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            self.seen = (args, kwargs)
            super().init_poolmanager(*args, **kwargs)

    adapter = Adapter(pool_connections=1, pool_maxsize=2)
    assert adapter.seen == ((1, 2), {"block": False})
    assert pickle.loads(pickle.dumps(_Pickled())).poolmanager is not None

    with mock.patch("waterclock.adapters.PoolManager") as manager:
        HTTPAdapter()
    manager.assert_called_once_with(num_pools=10, maxsize=10, block=False)


class _Pickled(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)


def test_a_base_adapter_only_promises() -> None:
    for call in (BaseAdapter().close, lambda: BaseAdapter().send(None)):  # type: ignore[arg-type]
        with pytest.raises(NotImplementedError):
            call()


def test_proxy_managers_are_made_once() -> None:
    adapter = HTTPAdapter()
    manager = adapter.proxy_manager_for("http://u:p@localhost:3128")
    assert adapter.proxy_manager_for("http://u:p@localhost:3128") is manager
    assert manager.proxy_headers == {"Proxy-Authorization": "Basic dTpw"}
    assert adapter.proxy_headers("http://localhost") == {}
    socks = adapter.proxy_manager_for("socks5://localhost:1080")
    assert type(socks).__name__ == "SOCKSProxyManager"


def test_what_is_missing_for_socks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3.contrib.socks", None)
    monkeypatch.delitem(vars(waterclock.adapters), "SOCKSProxyManager", raising=False)
    with pytest.raises(waterclock.exceptions.InvalidSchema, match="Missing dependencies for SOCKS"):
        HTTPAdapter().proxy_manager_for("socks5://localhost:1080")
    vars(waterclock.adapters).pop("SOCKSProxyManager")


@pytest.mark.parametrize("url", ["http://h/p?q#f", "https://h/p", "http://h"])
@pytest.mark.parametrize("proxy", [None, "http://p:1", "https://p:1", "socks5://p:1"])
def test_request_url(url: str, proxy: str | None) -> None:
    def of(package: Any) -> str:
        request = package.Request("GET", url).prepare()
        proxies = {"http": proxy, "https": proxy} if proxy else None
        found: str = package.adapters.HTTPAdapter().request_url(request, proxies)
        return found

    assert of(waterclock) == of(requests)


@pytest.mark.parametrize("verify", [True, False, "/etc", __file__, None])
@pytest.mark.parametrize("cert", [None, __file__, (__file__, __file__)])
def test_what_urllib3_is_told(verify: Any, cert: Any) -> None:
    def of(package: Any) -> Any:
        request = package.Request("GET", "https://localhost:1/").prepare()
        adapter = package.adapters.HTTPAdapter()
        pool = mock.Mock(spec=[])
        adapter.cert_verify(pool, request.url, verify, cert)
        return adapter.build_connection_pool_key_attributes(request, verify, cert), vars(pool)

    (ours, our_pool), (theirs, their_pool) = of(waterclock), of(requests)
    assert ours == theirs
    for name in ("cert_reqs", "ca_certs", "ca_cert_dir", "cert_file", "key_file"):
        assert our_pool.get(name) == their_pool.get(name)


def test_pools_can_be_asked_for() -> None:
    adapter = HTTPAdapter()
    request = waterclock.Request("GET", "https://localhost:1/").prepare()
    pool = adapter.get_connection_with_tls_context(request, True)
    assert (pool.scheme, pool.host, pool.port) == ("https", "localhost", 1)
    with pytest.warns(DeprecationWarning, match="`get_connection` has been deprecated"):
        assert adapter.get_connection("http://localhost/").host == "localhost"


def test_pools_show_where_calls_went(serve: Callable[..., Server]) -> None:
    session = waterclock.Session()
    first, second = serve(answer(b"")), serve(answer(b""))
    for server in (first, second, first):
        session.get(server.url)
    manager = session.get_adapter("http://").poolmanager
    ports = [pool.port for pool in manager.pools._container.values()]
    assert sorted(ports) == sorted([first.port, second.port])


def test_hooks_that_both_engines_call(serve: Callable[..., Server]) -> None:
    class Adapter(HTTPAdapter):
        def add_headers(self, request: Any, **kwargs: Any) -> None:
            self.seen = kwargs
            request.headers["X-Added"] = "yes"

        def proxy_headers(self, proxy: str) -> dict[str, str]:
            return {"X-Proxy": proxy}

    proxy = serve(answer(b"from the proxy"))
    session = waterclock.Session()
    adapter = Adapter()
    session.mount("http://", adapter)
    response = session.get("http://h.invalid/p", proxies={"http": proxy.url}, timeout=5)
    assert response.text == "from the proxy"
    assert adapter.seen["timeout"] == 5
    assert sorted(adapter.seen) == ["cert", "proxies", "stream", "timeout", "verify"]
    (request,) = proxy.requests
    assert request.target == "http://h.invalid/p"
    assert (request.header("X-Added"), request.header("X-Proxy")) == ("yes", proxy.url)


def test_credentials_of_a_proxy(serve: Callable[..., Server]) -> None:
    proxy = serve(answer(b""))
    url = proxy.url.replace("://", "://us%20er:p%40ss@")
    waterclock.get("http://h.invalid/", proxies={"http": url})
    requests.get("http://h.invalid/", proxies={"http": url})
    ours, theirs = proxy.requests
    assert ours.header("Proxy-Authorization") == theirs.header("Proxy-Authorization")
    assert [n for n, _ in ours.headers].count("Proxy-Authorization") == 1


def test_closing_closes_everything(serve: Callable[..., Server]) -> None:
    server = serve(answer(b""))
    session = waterclock.Session()
    session.get(server.url)
    adapter = session.get_adapter("http://")
    manager = mock.Mock()
    adapter.proxy_manager["x"] = manager
    adapter.poolmanager.connection_from_url("http://localhost")
    session.close()
    manager.clear.assert_called_once_with()
    assert len(adapter.poolmanager.pools) == 0
    del adapter.proxy_manager["x"]
    session.get(server.url)
    assert server.connections == 2
