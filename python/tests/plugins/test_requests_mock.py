"""requests-mock replaces Session.get_adapter, or is mounted as an adapter."""

from __future__ import annotations

import pytest
import requests
import requests_mock as mocking
from loopback import answer

URL = "http://api.example/things"


def test_fixture_answers_and_remembers(requests_mock):
    requests_mock.get(URL, json={"a": [1, 2]}, headers={"X-One": "1"})
    found = requests.get(URL, params={"q": "z"}, headers={"X-Mine": "m"}, timeout=(1, 2))
    assert found.json() == {"a": [1, 2]}
    assert found.headers["x-one"] == "1"
    assert requests_mock.call_count == 1
    last = requests_mock.last_request
    assert (last.method, last.qs, last.headers["X-Mine"]) == ("GET", {"q": ["z"]}, "m")
    assert last.timeout == (1, 2)
    assert (last.stream, last.verify, last.proxies) == (False, True, {})


def test_a_list_of_answers_and_raise_for_status(requests_mock):
    requests_mock.post(URL, [{"status_code": 503, "reason": "Busy"}, {"text": "done"}])
    with pytest.raises(requests.HTTPError, match="503 Server Error: Busy"):
        requests.post(URL).raise_for_status()
    assert requests.post(URL, data={"k": "v"}).text == "done"
    assert requests_mock.last_request.text == "k=v"


def test_nothing_registered(requests_mock):
    with pytest.raises(mocking.exceptions.NoMockAddress, match="GET http://other.example/"):
        requests.get("http://other.example/")


def test_errors(requests_mock):
    requests_mock.get(URL, exc=requests.exceptions.ConnectTimeout)
    with pytest.raises(requests.exceptions.ConnectTimeout):
        requests.get(URL)


def test_callbacks_cookies_and_redirects(requests_mock):
    jar = mocking.CookieJar()
    jar.set("taste", "sweet", domain="api.example", path="/")
    requests_mock.get(
        URL, status_code=301, headers={"Location": "http://api.example/end"}, cookies=jar
    )
    requests_mock.get("/end", text=lambda request, context: request.path)
    session = requests.Session()
    found = session.get(URL)
    assert found.text == "/end"
    assert found.history[0].cookies["taste"] == "sweet"
    assert requests_mock.call_count == 2


def test_streams_and_elapsed(requests_mock):
    requests_mock.get(URL, content=b"abcdef")
    found = requests.get(URL, stream=True)
    assert list(found.iter_content(4)) == [b"abcd", b"ef"]
    assert found.elapsed.total_seconds() >= 0
    assert found.raw is not None


def test_real_http_for_everything_else(serve):
    server = serve(answer("real"))
    with mocking.Mocker(real_http=True) as mock:
        mock.get(URL, text="mocked")
        assert requests.get(URL).text == "mocked"
        assert requests.get(server.url).text == "real"
    assert requests.get(server.url).text == "real"


def test_one_session_only(serve):
    server = serve(answer("real"))
    session = requests.Session()
    with mocking.Mocker(session=session) as mock:
        mock.get(server.url, text="mocked")
        assert session.get(server.url).text == "mocked"
        assert requests.get(server.url).text == "real"


def test_mounted():
    adapter = mocking.Adapter()
    adapter.register_uri("GET", "mock://test.example/1", text="mounted")
    session = requests.Session()
    session.mount("mock://", adapter)
    assert session.get("mock://test.example/1").text == "mounted"
