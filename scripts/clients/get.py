"""One GET by a client of Python, for scripts/client_table: get.py CLIENT URL SECONDS

It measures the call itself, from before it to its last byte, and writes that into WATERCLOCK_LAB_REPORT. Names under .test are looked up at the scene's name server, WATERCLOCK_LAB_DNS:
inside getaddrinfo, where every client here looks names up, and like it in no thread of its own.
"""

import asyncio
import contextlib
import os
import socket
import struct
import sys
import time

real_getaddrinfo = socket.getaddrinfo


def lookup(name):
    """The IPv4 address of a name: one question over UDP (RFC 1035, section 4)."""
    host, port = os.environ["WATERCLOCK_LAB_DNS"].rsplit(":", 1)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = (
        struct.pack("!HHHHHH", 0x5EED, 0x100, 1, 0, 0, 0)
        + labels
        + b"\0"
        + struct.pack("!HH", 1, 1)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(30)
        asked.sendto(query, (host, int(port)))
        answer = asked.recv(512)
    return socket.inet_ntoa(answer[-4:])


def getaddrinfo(host, port, *more, **named):
    name = host.decode() if isinstance(host, bytes) else host
    if name and name.endswith(".test"):
        host = lookup(name)
    return real_getaddrinfo(host, port, *more, **named)


socket.getaddrinfo = getaddrinfo


class Timed:
    """The part of a client's work that is the call. Sessions and their certificates are made before."""

    took = 0.0

    def __enter__(self):
        self.begin = time.perf_counter()

    def __exit__(self, *_):
        self.took = time.perf_counter() - self.begin


def call(get, url, timed):
    """What a client loads with its first call is no part of a call: one that is refused at once comes before."""
    if not os.environ.get("https_proxy"):
        with contextlib.suppress(Exception):
            get(f"{url.split(':')[0]}://127.0.0.1:1/")
    with timed:
        get(url)


def by_requests(url, t, timed):
    import requests

    with requests.Session() as session:
        call(lambda url: session.get(url, timeout=t), url, timed)


def by_niquests(url, t, timed):
    import niquests

    with niquests.Session() as session:
        session.verify = os.environ["SSL_CERT_FILE"]
        call(lambda url: session.get(url, timeout=t), url, timed)


def by_httpx(url, t, timed):
    import httpx

    with httpx.Client(timeout=t, follow_redirects=True) as client:
        call(client.get, url, timed)


def by_urllib3(url, t, timed):
    import urllib3

    proxy, ca = os.environ.get("https_proxy"), os.environ["SSL_CERT_FILE"]
    retries = urllib3.Retry(
        total=20, connect=0, read=0, other=0, redirect=20, respect_retry_after_header=False
    )
    options = {"ca_certs": ca, "retries": retries, "timeout": urllib3.Timeout(total=t)}
    with (
        urllib3.ProxyManager(proxy, **options)
        if proxy
        else urllib3.PoolManager(**options) as manager
    ):
        call(lambda url: manager.request("GET", url), url, timed)


def by_aiohttp(url, t, timed):
    import aiohttp

    async def get(session, url):
        async with session.get(url) as response:
            await response.read()

    async def main():
        timeout = aiohttp.ClientTimeout(total=t)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            with contextlib.suppress(Exception):
                await get(session, "http://127.0.0.1:1/")
            with timed:
                await get(session, url)

    asyncio.run(main())


def by_urllib(url, t, timed):
    import urllib.request

    opener = urllib.request.build_opener()

    def get(url):
        with opener.open(url, timeout=t) as response:
            response.read()

    call(get, url, timed)


def version(client):
    """What it is called, and its version."""
    import importlib.metadata

    if client == "urllib":
        return f"Python {'.'.join(map(str, sys.version_info[:3]))} urllib"
    return f"{client} {importlib.metadata.version(client)}"


def main():
    client, url = sys.argv[1:3]
    if url == "--version":
        print(version(client))
        return 0
    timed, said, code = Timed(), "ok", 0
    try:
        globals()["by_" + client](url, float(sys.argv[3]), timed)
    except Exception as error:  # noqa: BLE001 (that is what is asked)
        said, code = f"{type(error).__name__}: {error}", 1
    with open(os.environ.get("WATERCLOCK_LAB_REPORT", os.devnull), "w") as report:
        report.write(f"{timed.took:.6f}\n{said}\n")
    print(said, file=sys.stderr)
    return code


if __name__ == "__main__":
    # Nothing that a client left running may hold up the end.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
