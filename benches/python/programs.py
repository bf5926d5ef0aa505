"""What a program with each client looks like: for start-up, memory and counts, where nothing else may run."""

from __future__ import annotations

# For each client: what it imports, what is made once, and a call of which three things are read.
_LIKE_REQUESTS = (
    "import {0}",
    "session = {0}.Session()",
    "r = session.get(url, timeout=30); r.status_code, r.headers['content-type'], r.content",
)
_OVERRIDDEN = """
class Seen(waterclock.Session):
    def prepare_request(self, request):
        return super().prepare_request(request)
session = Seen()
"""


def _like_requests(module: str) -> tuple[str, str, str]:
    imports, made, call = _LIKE_REQUESTS
    return imports.format(module), made.format(module), call


PROGRAMS: dict[str, tuple[str, str, str]] = {
    "pylimit": _like_requests("pylimit"),
    "waterclock": _like_requests("waterclock"),
    "waterclock (overridden)": (
        "import waterclock",
        _OVERRIDDEN,
        _LIKE_REQUESTS[2],
    ),
    "pycurl": (
        "import pycurl",
        "curl = pycurl.Curl(); curl.setopt(pycurl.TIMEOUT_MS, 30000); curl.setopt(pycurl.NOSIGNAL, 1)",
        """
    curl.setopt(pycurl.URL, url); body = curl.perform_rb()
    curl.getinfo(pycurl.RESPONSE_CODE), curl.getinfo(pycurl.CONTENT_TYPE)
""",
    ),
    "primp": (
        "import primp",
        "client = primp.Client(timeout=30)",
        "r = client.get(url); r.status_code, r.headers['content-type'], r.content",
    ),
    "pyreqwest": (
        "from pyreqwest.client import SyncClientBuilder; from datetime import timedelta",
        "client = SyncClientBuilder().timeout(timedelta(seconds=30)).build()",
        "r = client.get(url).build().send(); r.status, r.headers['content-type'], r.bytes()",
    ),
    "aiohttp": (
        "import asyncio, aiohttp",
        """
async def call():
    global session
    if session is None:
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    async with session.get(url) as r:
        r.status, r.headers["content-type"], await r.read()
session, loop = None, asyncio.new_event_loop()
import atexit
atexit.register(lambda: loop.run_until_complete(session.close()))
""",
        "loop.run_until_complete(call())",
    ),
    "urllib3": (
        "import urllib3",
        "pool = urllib3.PoolManager()",
        "r = pool.request('GET', url, timeout=30); r.status, r.headers['content-type'], r.data",
    ),
    "httpx": (
        "import httpx",
        "client = httpx.Client(timeout=30)",
        "r = client.get(url); r.status_code, r.headers['content-type'], r.content",
    ),
    "niquests": _like_requests("niquests"),
    "requests": _like_requests("requests"),
}


def program(client: str, calls: int, after: str = "") -> str:
    """Makes `calls` calls of the URL that is its argument."""
    imports, made, call = PROGRAMS[client]
    return f"import sys\nurl = sys.argv[1]\n{imports}\n{made}\nfor _ in range({calls}):\n    {call}\n{after}"


def importing(client: str) -> str:
    return PROGRAMS[client][0]
