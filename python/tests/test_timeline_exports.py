"""What a timeline is turned into: files for other tools, and pictures for notebooks."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from loopback import STALL, Server, answer
from timing import failure

import waterclock
from waterclock import Limits
from waterclock._exports import page_in_python

Serve = Callable[..., Server]

SECRET = "Bearer hush-hush"


@pytest.fixture
def call(serve: Serve) -> Any:
    """The timeline of a call with a redirect and a secret."""
    server = serve(
        {
            "/": answer("", 302, [("Location", "/end"), ("Set-Cookie", "id=of-the-cookie")]),
            "/end": answer("the end", headers=[("Set-Cookie", "id=of-the-cookie")]),
        }
    )
    response = waterclock.get(
        server.url, headers={"Authorization": SECRET}, timeout=Limits(total=30, read=20)
    )
    return response.timeline


def again(timeline: Any) -> Any:
    return pickle.loads(pickle.dumps(timeline))


EXPORTS = ["to_har", "to_html", "to_svg", "to_trace", "to_otlp"]


@pytest.mark.parametrize("name", EXPORTS)
def test_text_without_a_path_and_a_file_with_one(call: Any, tmp_path: Path, name: str) -> None:
    export = getattr(call, name)
    text = export()
    path = tmp_path / "file"
    assert export(path) is None
    assert path.read_text(encoding="utf-8") == text
    assert export(str(path)) is None
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", EXPORTS)
def test_a_pickled_timeline_gives_the_same(call: Any, name: str) -> None:
    for other in (again(call), again(again(call))):
        assert getattr(other, name)() == getattr(call, name)()
        assert other.to_json() == call.to_json()
        assert other.explain() == call.explain()


@pytest.mark.parametrize("name", EXPORTS)
def test_files_that_cannot_be_written(call: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(call, name)(tmp_path / "nowhere" / "file")


def test_what_the_files_are(call: Any) -> None:
    har = json.loads(call.to_har())["log"]
    assert [entry["response"]["status"] for entry in har["entries"]] == [302, 200]
    assert call.to_html().startswith("<!DOCTYPE html>")
    assert ElementTree.fromstring(call.to_svg()).tag.endswith("svg")
    assert json.loads(call.to_trace())["otherData"]["method"] == "GET"
    assert json.loads(call.to_otlp())["resourceSpans"]


@pytest.mark.parametrize("name", ["to_har", "to_html", "to_json"])
def test_secrets_are_shown_only_if_that_is_asked_for(call: Any, name: str) -> None:
    export = getattr(call, name)
    assert SECRET not in export()
    assert "of-the-cookie" not in export()
    assert SECRET in export(with_secrets=True)
    assert "of-the-cookie" in export(with_secrets=True)
    # They do not travel.
    assert SECRET not in getattr(again(call), name)(with_secrets=True)
    assert SECRET.encode() not in pickle.dumps(call)


def test_it_is_saved_for_the_program(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "call.json"
    call.save(path)
    assert json.loads(path.read_text()) == call.to_dict()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    call.save(path, with_secrets=True)
    assert SECRET in path.read_text()


def test_a_failure_is_exported(serve: Serve) -> None:
    server = serve([STALL])
    error = failure(lambda: waterclock.get(server.url, timeout=Limits(total=0.1)))
    for timeline in (error.timeline, pickle.loads(pickle.dumps(error)).timeline):
        assert "total limit" in timeline.to_html()
        assert json.loads(timeline.to_har())["log"]["entries"][0]["response"]["status"] == 0


def test_advice_is_in_pythons_words() -> None:
    page = "<p>Try: <code>--total 0.16</code></p><td>Try: &lt;code&gt;--total 5&lt;/code&gt; --total 7</td>"
    told = page.replace("--total 0.16", "timeout=Limits(total=0.16)")
    assert page_in_python(page) == told
    assert page_in_python("<td>--total 7</td>") == "<td>--total 7</td>"


def test_a_call_of_urllib3_is_exported(serve: Serve) -> None:
    class Own(waterclock.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            return super().get_connection_with_tls_context(*args, **kwargs)

    server = serve(answer("hello"))
    session = waterclock.Session()
    session.mount("http://", Own())
    timeline: Any = session.get(server.url, timeout=30).timeline
    assert "urllib3 made this call" in timeline.explain()
    assert again(timeline).explain() == timeline.explain()
    assert '<p class="result good">✓ 200</p>' in timeline.to_html()


def test_a_notebook_shows_a_picture(serve: Serve) -> None:
    server = serve(answer("hello"))
    url = server.url + "/<script>alert(1)</script>"
    timeline: Any = waterclock.get(url, timeout=30).timeline
    text = timeline._repr_html_()
    root = ElementTree.fromstring(text)
    assert root.tag == "div"
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "svg" in names
    assert not names & {"script", "img", "iframe", "object", "embed", "link", "image", "use", "a"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name not in ("href", "src", "style")
            assert "url(" not in value or value.startswith("url(#")
    assert "http" not in re.sub(r"http://(www\.w3\.org/2000/svg|127\.0\.0\.1:\d+/)", "", text)
    assert timeline.verdict[0] in "".join(root.itertext())
    assert not hasattr(waterclock.Response, "_repr_html_")


def test_two_pictures_of_a_notebook_do_not_share_identifiers(serve: Serve) -> None:
    server = serve(answer("hello"))
    timelines: list[Any] = [waterclock.get(server.url, timeout=30).timeline for _ in range(2)]
    found = [set(re.findall(r' id="([^"]+)"', one._repr_html_())) for one in timelines]
    assert found[0]
    assert not found[0] & found[1]
    assert all("max-width:100%" in one._repr_html_() for one in timelines)
    # The same call has the same picture.
    assert timelines[0]._repr_html_() == again(timelines[0])._repr_html_()


def test_there_are_no_packets_without_a_recording(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "call.pcapng"
    with pytest.raises(ValueError, match=r"with waterclock\.capture\(\):"):
        call.to_pcapng(path)
    assert not path.exists()


def packets(path: Path, *words: str) -> str:
    """What tshark says of a file."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    done = subprocess.run(
        [tshark, "-r", str(path), *words], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_recorded_call_has_packets(serve: Serve, tmp_path: Path) -> None:
    server = serve(answer("hello"))
    with waterclock.capture():
        first: Any = waterclock.get(
            server.url + "/first", headers={"Authorization": SECRET}, timeout=30
        )
        second: Any = waterclock.get(server.url + "/second", timeout=30)
    after: Any = waterclock.get(server.url + "/after", timeout=30)
    for number, response in enumerate((first, second)):
        for timeline in (response.timeline, again(response.timeline)):
            path = tmp_path / f"{number}.pcapng"
            timeline.to_pcapng(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            content = path.read_bytes()
            assert content[:4] == b"\n\r\r\n"
            assert (b"/first" in content, b"/second" in content) == (number == 0, number == 1)
            assert SECRET.encode() not in content
    first.timeline.to_pcapng(tmp_path / "secret.pcapng", with_secrets=True)
    assert SECRET.encode() in (tmp_path / "secret.pcapng").read_bytes()
    # What was recorded is in what is saved, and nowhere else.
    first.timeline.save(tmp_path / "first.json")
    assert "wire" in json.loads((tmp_path / "first.json").read_text())
    assert "wire" not in first.timeline.to_dict()
    with pytest.raises(ValueError, match="not recorded"):
        after.timeline.to_pcapng(tmp_path / "after.pcapng")
    fields = packets(tmp_path / "0.pcapng", "-Y", "http", "-T", "fields", "-e", "http.request.uri")
    assert "/first" in fields


def test_a_connection_that_stays_open_has_its_part_in_each_call(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(answer("one"), answer("two"))
    with waterclock.capture():
        session = waterclock.Session()
        first: Any = session.get(server.url + "/one", timeout=30)
        second: Any = session.get(server.url + "/two", timeout=30)
    first.timeline.to_pcapng(tmp_path / "1.pcapng")
    second.timeline.to_pcapng(tmp_path / "2.pcapng")
    one, two = ((tmp_path / f"{n}.pcapng").read_bytes() for n in (1, 2))
    assert b"GET /one" in one
    assert b"GET /two" not in one
    assert b"GET /two" in two
    assert b"GET /one" not in two


def test_a_failure_has_packets(serve: Serve, tmp_path: Path) -> None:
    server = serve([STALL])
    with waterclock.capture():
        error = failure(lambda: waterclock.get(server.url, timeout=Limits(total=0.1)))
    error.timeline.to_pcapng(tmp_path / "failed.pcapng")
    assert b"total" in (tmp_path / "failed.pcapng").read_bytes()


def test_tls_is_decrypted_if_its_secrets_were_kept(
    tls_serve: Serve, ca_file: str, tmp_path: Path
) -> None:
    server = tls_serve(answer("hello"))
    with waterclock.capture(keys=True):
        response: Any = waterclock.get(server.url + "/path", verify=ca_file, timeout=30)
    open_, closed = tmp_path / "open.pcapng", tmp_path / "closed.pcapng"
    response.timeline.to_pcapng(open_, keys=True)
    response.timeline.to_pcapng(closed)
    assert b"CLIENT_" in open_.read_bytes()
    assert b"CLIENT_" not in closed.read_bytes()
    words = [
        "-d",
        f"tcp.port=={server.port},tls",
        "-Y",
        "http",
        "-T",
        "fields",
        "-e",
        "http.request.uri",
    ]
    assert "/path" in packets(open_, *words)
    assert "/path" not in packets(closed, *words)


def test_there_is_one_recording_at_a_time() -> None:
    with waterclock.capture():
        with pytest.raises(RuntimeError, match="going on already"), waterclock.capture():
            pass
        # The outer one goes on.
        with pytest.raises(RuntimeError, match="going on already"), waterclock.capture():
            pass
    with pytest.raises(ValueError, match="0 bytes"), waterclock.capture(budget=0):
        pass
    with waterclock.capture(budget=1):
        pass


def test_what_is_over_the_budget_is_counted(serve: Serve, tmp_path: Path) -> None:
    server = serve(answer("x" * 100_000))
    with waterclock.capture(budget=2_000):
        response: Any = waterclock.get(server.url, timeout=30)
    response.timeline.to_pcapng(tmp_path / "part.pcapng")
    content = (tmp_path / "part.pcapng").read_bytes()
    assert len(content) < 10_000
    assert b"over the budget" in content
