"""The clients, each behind the same few verbs.

A verb answers with what can be compared: status, media type and body, or what the body comes to.
"""

from __future__ import annotations

import json
import threading
import zlib
from abc import ABC, abstractmethod
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:  # memory is measured in this process: nothing is imported without need
    from collections.abc import Callable, Iterable
    from typing import Any

TIMEOUT = 30
PIECE = 65536
ORDER = {"id": 7, "name": "clepsydra", "tags": ["water", "clock"], "full": True}
# With and without spaces: clients differ in that.
ORDER_LENGTHS = {len(json.dumps(ORDER)), len(json.dumps(ORDER, separators=(",", ":")))}
CLOSE = {"Connection": "close"}
ANYTHING = "anything"


class Client(ABC):
    """What each client does. It is made with a file with the certificate to trust, or None.

    `content`, the body, and `pieces`, the body in pieces of 64 KiB or of what the client has instead, are what `length`
    to `streamed_checksum` are made of; a client has them, or those verbs in its own way.
    """

    @abstractmethod
    def get(self, url: str) -> Any:
        """Status, media type and body of a keep-alive GET."""

    @abstractmethod
    def fresh(self, url: str) -> Any:
        """The same on a connection that serves no other call."""

    @abstractmethod
    def json(self, url: str) -> Any: ...

    @abstractmethod
    def post(self, url: str) -> Any:
        """Status of a POST of `ORDER` as JSON, and whether the server counted its bytes."""

    @abstractmethod
    def within(self, url: str, seconds: float) -> object:
        """A GET with what the client offers as the limit of a read, or of the whole call."""

    def total(self, url: str, seconds: float) -> object:
        """A GET with a limit of the whole call, or with the nearest to it that there is."""
        self.within(url, seconds)

    def close(self) -> None:
        """For those that complain otherwise."""

    # What the worker does with them.

    def length(self, url: str) -> int:
        return len(self.content(url))

    def checksum(self, url: str) -> int:
        return zlib.crc32(self.content(url))

    def streamed(self, url: str) -> int:
        return sum(map(len, self.pieces(url)))

    def streamed_checksum(self, url: str) -> int:
        value = 0
        for piece in self.pieces(url):
            value = zlib.crc32(piece, value)
        return value

    def repeat(self, verb: str, arguments: list[Any], count: int, expected: Any) -> list[float]:
        """Seconds of each of `count` calls, of which every answer is looked at."""
        work = getattr(self, verb)
        took = []
        for _ in range(count):
            started = perf_counter()
            answer = work(*arguments)
            took.append(perf_counter() - started)
            check(answer, expected)
        return took

    def together(self, url: str, ways: int, each: int, expected: Any) -> float:
        """Seconds that `ways` threads take for `each` calls on this one client."""
        from concurrent.futures import ThreadPoolExecutor

        ready = threading.Barrier(ways)

        def run() -> None:
            ready.wait()
            for _ in range(each):
                check(self.get(url), expected)

        started = perf_counter()
        with ThreadPoolExecutor(ways) as pool:
            for end in [pool.submit(run) for _ in range(ways)]:
                end.result()
        return perf_counter() - started


def check(answer: Any, expected: Any) -> None:
    if expected != ANYTHING and answer != expected:
        raise AssertionError(f"{str(answer)[:200]} is not {str(expected)[:200]}")


def counted(body: bytes) -> bool:
    """Whether the server's count of a POST's bytes is right."""
    return int(body) in ORDER_LENGTHS


class LikeRequests(Client):
    module = "requests"

    def __init__(self, ca: str | None) -> None:
        self.client = __import__(self.module)
        self.session = self.new_session()
        if ca:
            self.session.verify = ca

    def new_session(self) -> Any:
        return self.client.Session()

    def get(self, url: str) -> Any:
        response = self.session.get(url, timeout=TIMEOUT)
        return response.status_code, response.headers["content-type"], response.content

    def fresh(self, url: str) -> Any:
        response = self.session.get(url, timeout=TIMEOUT, headers=CLOSE)
        return response.status_code, response.headers["content-type"], response.content

    def json(self, url: str) -> Any:
        return self.session.get(url, timeout=TIMEOUT).json()

    def post(self, url: str) -> Any:
        response = self.session.post(url, json=ORDER, timeout=TIMEOUT)
        return response.status_code, counted(response.content)

    def content(self, url: str) -> bytes:
        return self.session.get(url, timeout=TIMEOUT).content

    def pieces(self, url: str) -> Iterable[bytes]:
        with self.session.get(url, timeout=TIMEOUT, stream=True) as response:
            yield from response.iter_content(PIECE)

    def within(self, url: str, seconds: float) -> object:
        return self.session.get(url, timeout=seconds).content


class Pooled(LikeRequests):
    """Keeps as many connections as there are threads; they keep ten unless told."""

    def new_session(self) -> Any:
        session = self.client.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, self.client.adapters.HTTPAdapter(pool_maxsize=64))
        return session


class Niquests(Pooled):
    module = "niquests"


class Waterclock(LikeRequests):
    module = "waterclock"

    def total(self, url: str, seconds: float) -> object:
        return self.session.get(url, timeout=self.client.Limits(total=seconds)).content


class WaterclockSeen(Waterclock):
    """Overrides a method, so that every call goes through all of Python's."""

    def new_session(self) -> Any:
        class Seen(self.client.Session):
            def prepare_request(self, request: Any) -> Any:
                return super().prepare_request(request)

        return Seen()


class Pylimit(Client):
    """The floor. It has no TLS, and no stream."""

    def __init__(self, ca: str | None) -> None:
        import pylimit

        self.session = pylimit.Session()

    def get(self, url: str) -> Any:
        response = self.session.get(url, timeout=TIMEOUT)
        return response.status_code, response.headers["content-type"], response.content

    def fresh(self, url: str) -> Any:
        response = self.session.get(url, timeout=TIMEOUT, close=True)
        return response.status_code, response.headers["content-type"], response.content

    def json(self, url: str) -> Any:
        return self.session.get(url, timeout=TIMEOUT).json()

    def post(self, url: str) -> Any:
        response = self.session.get(url, timeout=TIMEOUT, json=json.dumps(ORDER).encode())
        return response.status_code, counted(response.content)

    def content(self, url: str) -> bytes:
        return self.session.get(url, timeout=TIMEOUT).content

    def within(self, url: str, seconds: float) -> None:
        self.session.get(url, timeout=seconds, close=True)


class Urllib3(Client):
    def __init__(self, ca: str | None) -> None:
        import urllib3

        self.pool = urllib3.PoolManager(maxsize=64, ca_certs=ca, retries=False)
        self.gzip = {"Accept-Encoding": "gzip"}
        self.limit = urllib3.Timeout

    def get(self, url: str) -> Any:
        response = self.pool.request("GET", url, timeout=TIMEOUT)
        return response.status, response.headers["content-type"], response.data

    def fresh(self, url: str) -> Any:
        response = self.pool.request("GET", url, timeout=TIMEOUT, headers=CLOSE)
        return response.status, response.headers["content-type"], response.data

    def json(self, url: str) -> Any:
        return self.pool.request("GET", url, timeout=TIMEOUT).json()

    def post(self, url: str) -> Any:
        response = self.pool.request("POST", url, json=ORDER, timeout=TIMEOUT)
        return response.status, counted(response.data)

    def content(self, url: str) -> bytes:
        return self.pool.request("GET", url, timeout=TIMEOUT, headers=self.gzip).data

    def pieces(self, url: str) -> Iterable[bytes]:
        response = self.pool.request("GET", url, timeout=TIMEOUT, preload_content=False)
        yield from response.stream(PIECE)
        response.release_conn()

    def within(self, url: str, seconds: float) -> None:
        self.pool.request("GET", url, timeout=seconds)

    def total(self, url: str, seconds: float) -> None:
        self.pool.request("GET", url, timeout=self.limit(total=seconds))


class Limited(Client):
    """Has its limit from the start, and responses like those of requests."""

    client: Any

    def get(self, url: str) -> Any:
        response = self.client.get(url)
        return response.status_code, response.headers["content-type"], response.content

    def fresh(self, url: str) -> Any:
        response = self.client.get(url, headers=CLOSE)
        return response.status_code, response.headers["content-type"], response.content

    def json(self, url: str) -> Any:
        return self.client.get(url).json()

    def post(self, url: str) -> Any:
        response = self.client.post(url, json=ORDER)
        return response.status_code, counted(response.content)

    def content(self, url: str) -> bytes:
        return self.client.get(url).content


class Httpx(Limited):
    def __init__(self, ca: str | None) -> None:
        import ssl

        import httpx

        self.client = httpx.Client(
            verify=ssl.create_default_context(cafile=ca), timeout=TIMEOUT, trust_env=True
        )

    def pieces(self, url: str) -> Iterable[bytes]:
        with self.client.stream("GET", url) as response:
            yield from response.iter_bytes(PIECE)

    def within(self, url: str, seconds: float) -> None:
        self.client.get(url, timeout=seconds)


class Pycurl(Client):
    """A handle for each thread, and of the header fields only the one that is asked for."""

    def __init__(self, ca: str | None) -> None:
        import pycurl

        self.curl, self.ca = pycurl, ca
        self.handles = threading.local()

    def handle(self, url: str) -> Any:
        handle = getattr(self.handles, "handle", None)
        if handle is None:
            handle = self.handles.handle = self.curl.Curl()
            handle.setopt(self.curl.NOSIGNAL, 1)
            handle.setopt(self.curl.TIMEOUT_MS, TIMEOUT * 1000)
            handle.setopt(self.curl.ACCEPT_ENCODING, "gzip")
            if self.ca:
                handle.setopt(self.curl.CAINFO, self.ca)
        handle.setopt(self.curl.URL, url)
        return handle

    def get(self, url: str) -> Any:
        handle = self.handle(url)
        body = handle.perform_rb()
        return (
            handle.getinfo(self.curl.RESPONSE_CODE),
            handle.getinfo(self.curl.CONTENT_TYPE),
            body,
        )

    def fresh(self, url: str) -> Any:
        self.handle(url).setopt(self.curl.HTTPHEADER, ["Connection: close"])
        return self.get(url)

    def json(self, url: str) -> Any:
        return json.loads(self.handle(url).perform_rb())

    def post(self, url: str) -> Any:
        handle = self.handle(url)
        handle.setopt(self.curl.HTTPHEADER, ["Content-Type: application/json"])
        handle.setopt(self.curl.POSTFIELDS, json.dumps(ORDER))
        body = handle.perform_rb()
        return handle.getinfo(self.curl.RESPONSE_CODE), counted(body)

    def content(self, url: str) -> bytes:
        return self.handle(url).perform_rb()

    def streamed(self, url: str) -> int:
        return self._written(url, lambda piece, value: value + len(piece))

    def streamed_checksum(self, url: str) -> int:
        return self._written(url, lambda piece, value: zlib.crc32(piece, value))

    def _written(self, url: str, step: Callable[[bytes, int], int]) -> int:
        value = 0

        def write(piece: bytes) -> None:
            nonlocal value
            value = step(piece, value)

        handle = self.handle(url)
        handle.setopt(self.curl.BUFFERSIZE, PIECE)
        handle.setopt(self.curl.WRITEFUNCTION, write)
        handle.perform()
        return value

    def within(self, url: str, seconds: float) -> None:
        handle = self.handle(url)
        handle.setopt(self.curl.TIMEOUT_MS, round(seconds * 1000))
        handle.perform_rb()


class Primp(Limited):
    def __init__(self, ca: str | None) -> None:
        import primp

        self.client = primp.Client(timeout=TIMEOUT, ca_cert_file=ca)

    def pieces(self, url: str) -> Iterable[bytes]:
        yield from self.client.get(url, stream=True).iter_bytes(PIECE)

    def within(self, url: str, seconds: float) -> object:
        return self.client.get(url, timeout=seconds).content


class Pyreqwest(Client):
    def __init__(self, ca: str | None) -> None:
        from datetime import timedelta

        from pyreqwest.client import SyncClientBuilder

        self.seconds = lambda seconds: timedelta(seconds=seconds)
        builder = SyncClientBuilder().timeout(self.seconds(TIMEOUT)).gzip(True)
        if ca:
            with open(ca, "rb") as file:
                builder = builder.add_root_certificate_pem(file.read())
        self.client = builder.build()

    def get(self, url: str) -> Any:
        response = self.client.get(url).build().send()
        return response.status, response.headers["content-type"], response.bytes()

    def fresh(self, url: str) -> Any:
        response = self.client.get(url).header("Connection", "close").build().send()
        return response.status, response.headers["content-type"], response.bytes()

    def json(self, url: str) -> Any:
        return self.client.get(url).build().send().json()

    def post(self, url: str) -> Any:
        response = self.client.post(url).body_json(ORDER).build().send()
        return response.status, counted(bytes(response.bytes()))

    def content(self, url: str) -> bytes:
        return self.client.get(url).build().send().bytes()

    def pieces(self, url: str) -> Iterable[bytes]:
        with self.client.get(url).build_streamed() as response:
            reader = response.body_reader
            while piece := reader.read(PIECE):
                yield piece

    def within(self, url: str, seconds: float) -> None:
        self.client.get(url).timeout(self.seconds(seconds)).build().send().bytes()


class Aiohttp(Client):
    """Calls one after the other in a loop that goes on running, as a program of asyncio makes them."""

    def __init__(self, ca: str | None) -> None:
        import asyncio

        self.loop, self.gather = asyncio.new_event_loop(), asyncio.gather
        self.session = self.loop.run_until_complete(self._open(ca))

    async def _open(self, ca: str | None) -> Any:
        import ssl

        import aiohttp

        self.limit = aiohttp.ClientTimeout
        context = ssl.create_default_context(cafile=ca)
        connector = aiohttp.TCPConnector(ssl=context)
        return aiohttp.ClientSession(connector=connector, timeout=self.limit(total=TIMEOUT))

    async def get(self, url: str, **options: Any) -> Any:
        async with self.session.get(url, **options) as response:
            return response.status, response.headers["content-type"], await response.read()

    async def fresh(self, url: str) -> Any:
        return await self.get(url, headers=CLOSE)

    async def json(self, url: str) -> Any:
        async with self.session.get(url) as response:
            return await response.json()

    async def post(self, url: str) -> Any:
        async with self.session.post(url, json=ORDER) as response:
            return response.status, counted(await response.read())

    async def length(self, url: str) -> int:
        async with self.session.get(url) as response:
            return len(await response.read())

    async def checksum(self, url: str) -> int:
        async with self.session.get(url) as response:
            return zlib.crc32(await response.read())

    async def streamed(self, url: str) -> int:
        async with self.session.get(url) as response:
            return sum([len(piece) async for piece in response.content.iter_chunked(PIECE)])

    async def streamed_checksum(self, url: str) -> int:
        value = 0
        async with self.session.get(url) as response:
            async for piece in response.content.iter_chunked(PIECE):
                value = zlib.crc32(piece, value)
        return value

    async def within(self, url: str, seconds: float) -> None:
        async with self.session.get(url, timeout=self.limit(total=seconds)) as response:
            await response.read()

    total = within

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())

    def repeat(self, verb: str, arguments: list[Any], count: int, expected: Any) -> list[float]:
        async def run() -> list[float]:
            work = getattr(self, verb)
            took = []
            for _ in range(count):
                started = perf_counter()
                answer = await work(*arguments)
                took.append(perf_counter() - started)
                check(answer, expected)
            return took

        return self.loop.run_until_complete(run())

    def together(self, url: str, ways: int, each: int, expected: Any) -> float:
        async def run() -> None:
            for _ in range(each):
                check(await self.get(url), expected)

        async def all_of_them() -> float:
            started = perf_counter()
            await self.gather(*[run() for _ in range(ways)])
            return perf_counter() - started

        return self.loop.run_until_complete(all_of_them())


CLIENTS: dict[str, type[Client]] = {
    "pylimit": Pylimit,
    "waterclock": Waterclock,
    "waterclock (overridden)": WaterclockSeen,
    "pycurl": Pycurl,
    "primp": Primp,
    "pyreqwest": Pyreqwest,
    "aiohttp": Aiohttp,
    "urllib3": Urllib3,
    "httpx": Httpx,
    "niquests": Niquests,
    "requests": Pooled,
}
