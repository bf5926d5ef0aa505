"""A program whose threads all use waterclock for the first time, each for something else, at the same time.

usage: python first_use.py URL NAME...    with the names of THINGS, each for a thread

What is imported late is then imported by several threads at once. It prints what went wrong.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable

import waterclock as requests

URL = sys.argv[1]


def get() -> bool:
    return requests.get(URL, timeout=60).ok


def session() -> bool:
    return requests.Session().get(URL, timeout=60).ok


def post() -> bool:
    return requests.post(URL, json={"a": 1}, timeout=60).json() == {}


def upload() -> bool:
    return requests.post(URL, data={"a": "b"}, files={"f": b"x"}, timeout=60).ok


def query() -> bool:
    return requests.get(URL, params={"q": "é"}, headers={"A": "b"}, timeout=60).ok


def redirect() -> bool:
    return requests.get(URL + "/redirect", timeout=(60, 60)).history[0].status_code == 302


def cookie() -> bool:
    return requests.get(URL + "/cookie", timeout=60).cookies["a"] == "b"


def jar() -> bool:
    from waterclock.cookies import RequestsCookieJar

    return requests.get(URL, cookies=RequestsCookieJar(), timeout=60).ok


def raw() -> bool:
    return requests.get(URL, stream=True, timeout=60).raw.read() == b"{}"


def authenticated() -> bool:
    from waterclock.auth import HTTPDigestAuth

    return requests.get(URL, auth=HTTPDigestAuth("a", "b"), timeout=60).ok


def hook() -> bool:
    return requests.get(URL, hooks={"response": lambda found, **_: None}, timeout=60).ok


def prepared() -> bool:
    own = requests.Session()
    found = own.send(own.prepare_request(requests.Request("GET", URL)), timeout=60)
    return bool(found.explain())


def by_hand() -> bool:
    from waterclock.models import Response

    response = Response()
    response.status_code = 404
    return not response.ok


def limits() -> bool:
    return requests.get(URL, timeout=requests.Limits(total=60)).timeline is not None


def deadline() -> bool:
    with requests.deadline(60):
        return requests.get(URL).ok


def proxy() -> bool:
    return requests.get("http://example.test/", proxies={"http": URL}, timeout=60).ok


def adapter() -> bool:
    from waterclock.adapters import HTTPAdapter

    own = requests.Session()
    own.mount("http://", HTTPAdapter(max_retries=2))
    return own.get(URL, timeout=60).ok


def retries() -> bool:
    from urllib3.util import Retry

    from waterclock.adapters import HTTPAdapter

    own = requests.Session()
    own.mount("http://", HTTPAdapter(max_retries=Retry(total=1, status_forcelist=[500])))
    try:
        own.get(URL + "/500", timeout=60)
    except requests.exceptions.RetryError:
        return True
    return False


def refused() -> bool:
    try:
        requests.get("http://127.0.0.1:1/", timeout=60)
    except requests.ConnectionError as error:
        return "Max retries exceeded" in str(error)
    return False


def nonsense() -> bool:
    try:
        requests.get("nonsense")
    except requests.exceptions.MissingSchema:
        return True
    return False


def imports() -> bool:
    import http.client
    import logging
    import socket
    import ssl

    return all((http.client, logging, socket, ssl)) and requests.get(URL, timeout=60).ok


def helpers() -> bool:
    from waterclock import utils

    return requests.codes.ok == 200 and "User-Agent" in utils.default_headers()


THINGS: dict[str, Callable[[], bool]] = {
    one.__name__: one
    for one in (
        get, session, post, upload, query, redirect, cookie, jar, raw, authenticated, hook, prepared, by_hand,
        limits, deadline, proxy, adapter, retries, refused, nonsense, imports, helpers,
    )
}  # fmt: skip


def main(names: list[str]) -> None:
    sys.setswitchinterval(1e-5)
    barrier = threading.Barrier(len(names))

    def run(name: str) -> None:
        barrier.wait()
        try:
            for _ in range(2):
                if not THINGS[name]():
                    print(name, "came to something else")
        except Exception:  # noqa: BLE001 - whatever it is
            print(name, traceback.format_exc())

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[2:])
