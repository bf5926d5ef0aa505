"""Which proxy to use for a URL, and when to use none."""

from __future__ import annotations

import contextlib
import os
import sys
from urllib.parse import urlparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any
    from urllib.parse import ParseResult

    from .models import PreparedRequest, Request


def _address(text: str) -> int:
    import socket

    return int.from_bytes(socket.inet_aton(text), "big")


def dotted_netmask(mask: int) -> str:
    """Return the mask of a network's prefix length: 24 is 255.255.255.0."""
    import socket

    bits = 0xFFFFFFFF ^ (1 << 32 - mask) - 1
    return socket.inet_ntoa(bits.to_bytes(4, "big"))


def address_in_network(ip: str, net: str) -> bool:
    """Say whether an IPv4 address is in a network, such as 192.168.1.0/24."""
    network, bits = net.split("/")
    mask = _address(dotted_netmask(int(bits)))
    return _address(ip) & mask == _address(network) & mask


def is_ipv4_address(string_ip: str) -> bool:
    """Say whether the system takes this for an IPv4 address."""
    import socket

    try:
        socket.inet_aton(string_ip)
    except OSError:
        return False
    return True


def is_valid_cidr(string_network: str) -> bool:
    """Say whether this is an IPv4 network with a prefix length from 1 to 32."""
    address, slash, length = string_network.partition("/")
    if not slash:
        return False
    try:
        prefix = int(length)
    except ValueError:
        return False
    return 1 <= prefix <= 32 and is_ipv4_address(address)


@contextlib.contextmanager
def set_environ(env_name: str, value: str | None) -> Generator[None, None, None]:
    """Within the block, have the environment variable set to `value`, or left alone if None."""
    if value is None:
        yield
        return
    before = os.environ.get(env_name)
    os.environ[env_name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[env_name]
        else:
            os.environ[env_name] = before


def _is_listed(parsed: ParseResult, hostname: str, no_proxy: str) -> bool:
    """Say whether a `no_proxy` list names the host: itself, a domain, or a network it is in."""
    from . import utils

    entries = [entry for entry in no_proxy.replace(" ", "").split(",") if entry]
    if utils.is_ipv4_address(hostname):
        return any(
            utils.address_in_network(hostname, entry)
            if utils.is_valid_cidr(entry)
            else hostname == entry
            for entry in entries
        )
    names = (hostname, f"{hostname}:{parsed.port}") if parsed.port else (hostname,)
    for entry in entries:
        # "example.org" and ".example.org" both mean that domain and all below it.
        domain = entry.lstrip(".")
        if any(name == domain or name.endswith("." + domain) for name in names):
            return True
    return False


def _system_bypasses(hostname: str, no_proxy: str | None) -> bool:
    """Ask the system's own rules, among them `no_proxy=*`."""
    import socket
    import urllib.request

    from . import utils

    try:
        if no_proxy is not None and utils.proxy_bypass is getattr(
            urllib.request, "proxy_bypass_environment", None
        ):
            # The same answer as with the variable set, without setting what all threads share.
            return bool(utils.proxy_bypass_environment(hostname, {"no": no_proxy}))
        with utils.set_environ("no_proxy", no_proxy):
            return bool(utils.proxy_bypass(hostname))
    except (TypeError, socket.gaierror):
        return False


def should_bypass_proxies(url: str, no_proxy: str | None) -> bool:
    """Say whether the URL is to be reached without a proxy.

    `no_proxy` takes the place of the environment variable of that name, unless it is None.
    """
    parsed = urlparse(url)
    hostname = parsed.hostname
    if hostname is None:
        return True
    listed = no_proxy
    if listed is None:
        listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if listed and _is_listed(parsed, hostname, listed):
        return True
    return _system_bypasses(hostname, no_proxy)


def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
    """Return the proxies that the environment (or the system) names for a URL."""
    from . import utils

    if utils.should_bypass_proxies(url, no_proxy=no_proxy):
        return {}
    proxies: dict[str, str] = utils.getproxies()
    return proxies


def select_proxy(url: str, proxies: dict[str, str] | None) -> str | None:
    """Return the proxy for a URL: the entry for scheme and host goes before more general ones."""
    if not proxies:
        return None
    parsed = urlparse(url)
    scheme, hostname = parsed.scheme, parsed.hostname
    if hostname is None:
        return proxies.get(scheme, proxies.get("all"))
    for key in (f"{scheme}://{hostname}", scheme, f"all://{hostname}", "all"):
        if key in proxies:
            return proxies[key]
    return None


def resolve_proxies(
    request: Request | PreparedRequest,
    proxies: dict[str, str] | None,
    trust_env: bool = True,
) -> dict[str, str]:
    """Return a copy of `proxies`, with the environment's proxy where it says none."""
    from . import utils

    given = {} if proxies is None else proxies
    resolved = given.copy()
    url: Any = request.url
    no_proxy = given.get("no_proxy")
    if trust_env and not utils.should_bypass_proxies(url, no_proxy=no_proxy):
        found = utils.get_environ_proxies(url, no_proxy=no_proxy)
        scheme = urlparse(url).scheme
        proxy = found.get(scheme, found.get("all"))
        if proxy:
            resolved.setdefault(scheme, proxy)
    return resolved


if sys.platform == "win32":

    def _registry_settings() -> tuple[int, str]:
        """Return what Windows has for ProxyEnable and ProxyOverride."""
        import winreg

        key = winreg.OpenKey(
            winreg.HKEY_CURRENT_USER,
            r"Software\Microsoft\Windows\CurrentVersion\Internet Settings",
        )
        # ProxyEnable may be stored as a string.
        enabled = int(winreg.QueryValueEx(key, "ProxyEnable")[0])
        return enabled, winreg.QueryValueEx(key, "ProxyOverride")[0]

    def proxy_bypass_registry(host: str) -> bool:
        """Say whether the registry exempts the host. The one in urllib asks DNS; this does not."""
        import re

        try:
            enabled, override = _registry_settings()
        except (ImportError, OSError, ValueError):
            return False
        if not enabled or not override:
            return False
        for pattern in filter(None, override.split(";")):
            if pattern == "<local>" and "." not in host:
                return True
            glob = pattern.replace(".", r"\.").replace("*", ".*").replace("?", ".")
            if re.match(glob, host, re.IGNORECASE):
                return True
        return False

    def proxy_bypass(host: str) -> bool:
        """Say whether the host is exempt: by the environment if it names proxies, or else Windows."""
        from . import utils

        if utils.getproxies_environment():
            return bool(utils.proxy_bypass_environment(host))
        return utils.proxy_bypass_registry(host)
