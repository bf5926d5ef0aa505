"""vcrpy replaces the connection class of urllib3's pools: such calls must go through urllib3."""

from __future__ import annotations

import pytest
import requests
import vcr
from loopback import answer
from vcr.errors import CannotOverwriteExistingCassetteException


@pytest.fixture
def cassette(tmp_path):
    return str(tmp_path / "cassette.yaml")


def test_records_and_plays_back(serve, cassette):
    server = serve(answer('{"n": 1}', headers=[("Content-Type", "application/json")]))
    url = server.url + "/things?q=1"
    with vcr.use_cassette(cassette) as tape:
        first = requests.get(url, headers={"X-Mine": "m"}, timeout=5)
        assert first.json() == {"n": 1}
        assert tape.play_count == 0
    assert len(server.requests) == 1
    server.stop()
    with vcr.use_cassette(cassette, record_mode="none") as tape:
        again = requests.get(url, timeout=5)
        assert again.json() == {"n": 1}
        assert again.headers["content-type"] == "application/json"
        assert tape.play_count == 1
        assert (
            tape.requests[0].headers["X-Mine"] == ["m"] or tape.requests[0].headers["X-Mine"] == "m"
        )


def test_a_session_made_before_is_recorded_too(serve, cassette):
    server = serve(answer("real"))
    with requests.Session() as session:
        assert session.get(server.url).text == "real"
        with vcr.use_cassette(cassette) as tape:
            assert session.post(server.url + "/p", data={"k": "v"}).text == "real"
        assert [(r.method, r.body) for r in tape.requests] == [("POST", b"k=v")]
        assert session.get(server.url + "/after").text == "real"
    assert [r.target for r in server.requests] == ["/", "/p", "/after"]


def test_what_is_not_on_the_tape_is_refused(serve, cassette):
    server = serve(answer("real"))
    with vcr.use_cassette(cassette):
        requests.get(server.url + "/known")
    with (
        vcr.use_cassette(cassette, record_mode="none"),
        pytest.raises((CannotOverwriteExistingCassetteException, requests.ConnectionError)),
    ):
        requests.get(server.url + "/unknown")
    assert [r.target for r in server.requests] == ["/known"]


def test_redirects_and_streams_from_the_tape(serve, cassette):
    server = serve({"/a": answer("", 302, [("Location", "/b")]), "/b": answer(b"x" * 5000)})
    for _ in range(2):
        with vcr.use_cassette(cassette), requests.get(server.url + "/a", stream=True) as found:
            assert b"".join(found.iter_content(700)) == b"x" * 5000
            assert [r.status_code for r in found.history] == [302]
    assert len(server.requests) == 2


def test_the_timeline_says_so(serve, cassette, is_waterclock):
    if not is_waterclock:
        return
    server = serve(answer("real"))
    with vcr.use_cassette(cassette):
        found = requests.get(server.url)
    assert "urllib3" in found.explain()
