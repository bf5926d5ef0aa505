"""A program as users write them, for type checkers: its types must be found without help.

Checked with `mypy --strict` and pyright (scripts/check_types). It can be run as well; nobody answers it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typing_extensions import assert_type

import waterclock
import waterclock as requests
from waterclock import Request, Response, Session, codes
from waterclock.adapters import BaseAdapter, HTTPAdapter
from waterclock.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from waterclock.cookies import RequestsCookieJar
from waterclock.exceptions import BodyTimeout, ConnectionError, HTTPError, RequestException
from waterclock.models import PreparedRequest
from waterclock.structures import CaseInsensitiveDict


class Token(AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r


class Recording(HTTPAdapter):
    """An adapter that overrides what users override."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen
        super().__init__(pool_connections=2, pool_maxsize=4, max_retries=3, pool_block=True)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        self.seen.append(request.url or "")
        return super().send(request, *args, **kwargs)


class ApiSession(Session):
    def __init__(self, base: str) -> None:
        super().__init__(timeout=requests.Limits(total=5, first_byte=1))
        self.base = base

    def items(self, page: int) -> list[str]:
        response = self.get(self.base + "/items", params={"page": page})
        response.raise_for_status()
        found: list[str] = response.json()
        return found


def ask(url: str) -> str:
    response = requests.get(url, params={"q": ["a", "b"]}, headers={"X-A": "b"}, timeout=(1, 2.5))
    assert_type(response, Response)
    assert_type(response.status_code, int)
    assert_type(response.text, str)
    assert_type(response.content, bytes)
    assert_type(response.headers, CaseInsensitiveDict[str])
    assert_type(response.headers["Content-Type"], str)
    assert_type(response.cookies, RequestsCookieJar)
    assert_type(response.elapsed, datetime.timedelta)
    assert_type(response.history, list[Response])
    assert_type(response.request, PreparedRequest)
    assert_type(response.encoding, str | None)
    assert_type(response.ok, bool)
    assert_type(response.iter_content(1024), Iterator[bytes])
    assert_type(response.iter_lines(), Iterator[bytes])
    assert_type(response.explain(), str)
    timeline = response.timeline
    if timeline is not None:
        assert_type(timeline.elapsed, float)
        assert_type(timeline.verdict, list[str])
        assert_type(timeline.spans[0].phase, str)
        assert_type(timeline.to_dict(), dict[str, Any])
    return response.text if response.status_code == codes.ok else response.reason


def send(url: str) -> None:
    requests.post(url, json={"a": [1, 2.5, None, True]}, auth=("user", "password"))
    requests.post(url, data={"a": "1"}, files={"f": ("name", b"content", "text/plain")})
    requests.put(url, data=b"bytes", auth=HTTPBasicAuth("user", "password"))
    requests.patch(url, data=(piece for piece in (b"a", b"b")), auth=Token("t"))
    requests.delete(url, timeout=requests.Limits(connect=1), verify="ca.pem", cert=("c", "k"))
    requests.head(url, allow_redirects=True, proxies={"https": "http://proxy:3128"})
    requests.options(url, cookies={"a": "b"}, stream=True, hooks={"response": note})
    requests.request("PROPFIND", url, auth=HTTPDigestAuth("user", "password"))


def note(response: Response, *args: Any, **kwargs: Any) -> None:
    print(response.url)


def prepare(session: Session, url: str) -> PreparedRequest:
    request = Request("GET", url, headers={"Accept": "text/plain"}, hooks={"response": [note]})
    prepared = session.prepare_request(request)
    assert_type(prepared.url, str | None)
    assert_type(prepared.headers, CaseInsensitiveDict[str | bytes])
    assert_type(session.get_adapter(url), BaseAdapter)
    settings = session.merge_environment_settings(url, {}, None, None, None)
    assert_type(session.send(prepared, **settings), Response)
    return prepared


def fail(url: str) -> str:
    try:
        with requests.deadline(0.5) as deadline:
            assert_type(deadline.left(), float)
            requests.get(url)
    except requests.ReadTimeout as error:
        assert_type(error.limit, str | None)
        assert_type(error.phase, str | None)
        assert_type(error.request_sent, str | None)
        return error.explain()
    except HTTPError as error:
        return "" if error.response is None else error.response.text
    except (BodyTimeout, ConnectionError, requests.Timeout) as error:
        return str(error.timeline)
    except RequestException as error:
        return repr(error.request)
    return ""


def look(url: str, folder: Path) -> None:
    with requests.capture(keys=True, budget=1_000_000) as nothing:
        assert_type(nothing, None)
        timeline = requests.get(url).timeline
    if timeline is None:
        return
    assert_type(timeline.to_har(), str)
    timeline.to_html(folder / "call.html", with_secrets=True)
    timeline.to_pcapng("call.pcapng", keys=True)
    timeline.save("call.json")
    fired = timeline.what_if(total=0.12, first_byte=None)
    assert_type(fired.fires, bool)
    assert_type(fired.at, float | None)
    if fired.wait is not None:
        assert_type(fired.wait.phase, str)
    assert_type(timeline.as_client("requests", timeout=(3.05, 27)).error, str | None)
    assert_type(str(timeline.what_if(requests.Limits(total=1))), str)


def mistakes(url: str) -> None:
    """Never called: mypy complains if one of these is not an error any more."""
    requests.get(url, time_out=1)  # type: ignore[call-arg]
    requests.get(url, timeout="1")  # type: ignore[arg-type]
    requests.Limits(totl=1)  # type: ignore[call-arg]
    Session(timeout=[1])  # type: ignore[arg-type]
    requests.get(url).timeline.elapsed  # type: ignore[union-attr]  # noqa: B018


def main() -> None:
    waterclock.install()
    seen: list[str] = []
    with ApiSession("http://127.0.0.1:9") as session:
        session.mount("http://", Recording(seen))
        session.headers.update({"X-Team": "blue"})
        session.auth = ("user", "password")
        session.verify = False
        session.proxies["http"] = "http://127.0.0.1:9"
        session.timeout = 0.5
        assert_type(session.cookies, RequestsCookieJar)
        print(fail("http://127.0.0.1:9"))
    waterclock.uninstall()


if __name__ == "__main__":
    main()
