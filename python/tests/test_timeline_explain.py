"""WATERCLOCK_EXPLAIN: programs that say nothing of waterclock show where their time went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback import CLOSE, STALL, Server, answer
from programs import environment, python, write

from waterclock import _explain

Serve = Callable[..., Server]

# Two that end well, one of them late, and one that does not.
THREE = """
    import sys
    import {name} as requests
    url = sys.argv[1]
    print(requests.get(url + "/quick", timeout=30).text)
    print(requests.get(url + "/slow", timeout=30).text)
    try:
        requests.get(url + "/stalled", timeout=0.2)
    except requests.Timeout as error:
        print(type(error).__name__)
"""


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve({"/quick": answer("quick"), "/slow": [0.3, answer("slow")], "/stalled": [STALL]})


def run(
    folder: Path, server: Server, explain: str | None, *words: str, name: str = "waterclock"
) -> Any:
    write(folder, program=THREE.replace("{name}", name))
    variables = {} if explain is None else {"WATERCLOCK_EXPLAIN": explain}
    done = python(*words, str(folder / "program.py"), server.url, env=environment(**variables))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "quick\nslow\nReadTimeout\n"
    return done.stderr


def explained(text: str) -> list[str]:
    return [
        line.rpartition("/")[2] for line in text.splitlines() if line.startswith("waterclock: ")
    ]


@pytest.mark.parametrize("value", [None, "", "0", "off"])
def test_nothing_is_said_unless_that_is_asked_for(
    tmp_path: Path, server: Server, value: str | None
) -> None:
    assert run(tmp_path, server, value) == ""


@pytest.mark.parametrize("value", ["1", "yes", " ON "])
def test_failures(tmp_path: Path, server: Server, value: str) -> None:
    said = run(tmp_path, server, value)
    assert explained(said) == ["stalled failed: ReadTimeout"]
    assert "read limit" in said
    assert "of its limit" in said


@pytest.mark.parametrize("value", ["0.25", "0.25s", "250ms"])
def test_what_takes_longer(tmp_path: Path, server: Server, value: str) -> None:
    *slow, failed = explained(run(tmp_path, server, value))
    assert "slow" in [line.split(" ")[0] for line in slow]
    # On a busy machine the quick one may be slow as well.
    assert all(float(line.split(" ")[2]) >= 0.25 for line in slow)
    assert failed == "stalled failed: ReadTimeout"


def test_every_one(tmp_path: Path, server: Server) -> None:
    said = explained(run(tmp_path, server, "all"))
    assert [line.split(" ")[0] for line in said] == ["quick", "slow", "stalled"]


def test_what_is_no_value_is_said_and_taken_for_failures(tmp_path: Path, server: Server) -> None:
    said = explained(run(tmp_path, server, "often"))
    assert "neither 1, all nor a number of seconds" in said[0]
    assert said[1:] == ["stalled failed: ReadTimeout"]


@pytest.mark.parametrize("value", ["1", "all"])
def test_programs_that_say_requests(tmp_path: Path, server: Server, value: str) -> None:
    said = explained(run(tmp_path, server, value, "-m", "waterclock", "run", name="requests"))
    assert said[-1] == "stalled failed: ReadTimeout"
    assert len(said) == (1 if value == "1" else 3)


def test_programs_that_install(tmp_path: Path, server: Server) -> None:
    write(
        tmp_path,
        program=f"""
        import waterclock
        waterclock.install()
        import requests
        requests.get("{server.url}/quick", timeout=30)
    """,
    )
    done = python(str(tmp_path / "program.py"), env=environment(WATERCLOCK_EXPLAIN="all"))
    assert len(explained(done.stderr)) == 1, done.stderr


def explained_by(folder: Path, source: str, value: str) -> list[str]:
    write(folder, program=source)
    done = python(str(folder / "program.py"), env=environment(WATERCLOCK_EXPLAIN=value))
    assert done.returncode == 0, done.stderr
    return explained(done.stderr)


def test_a_body_that_fails_later_is_explained_once(tmp_path: Path, serve: Serve) -> None:
    server = serve([answer("hello")[:-2], CLOSE])
    source = f"""
        import waterclock
        response = waterclock.get("{server.url}/cut", stream=True, timeout=30)
        try:
            response.content
        except waterclock.exceptions.ChunkedEncodingError:
            pass
    """
    assert explained_by(tmp_path, source, "1") == ["cut failed: ChunkedEncodingError"]


def test_redirects_are_one_call(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/from": answer("", 302, [("Location", "/to")]), "/to": answer("here")})
    source = f"""
        import waterclock
        assert waterclock.get("{server.url}/from", timeout=30).text == "here"
    """
    (one,) = explained_by(tmp_path, source, "all")
    assert one.startswith("from took")


def test_too_many_redirects_are_a_failure(tmp_path: Path, serve: Serve) -> None:
    server = serve(answer("", 302, [("Location", "/round")]))
    source = f"""
        import waterclock
        session = waterclock.Session()
        session.max_redirects = 3
        try:
            session.get("{server.url}/round", timeout=30)
        except waterclock.TooManyRedirects as error:
            assert len(error.timeline.hops) == 4
    """
    assert explained_by(tmp_path, source, "1") == ["round failed: TooManyRedirects"]


def test_statuses_that_retries_give_up_on(tmp_path: Path, serve: Serve) -> None:
    server = serve(answer("", 503))
    source = f"""
        import waterclock
        from urllib3.util import Retry
        session = waterclock.Session()
        retries = Retry(2, status_forcelist=[503])
        session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=retries))
        try:
            session.get("{server.url}/busy", timeout=30)
        except waterclock.exceptions.RetryError:
            pass
    """
    assert explained_by(tmp_path, source, "1") == ["busy failed: RetryError"]


def test_retries_are_one_call(tmp_path: Path) -> None:
    source = """
        import socket
        import waterclock
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        session = waterclock.Session()
        session.mount("http://", waterclock.adapters.HTTPAdapter(max_retries=2))
        try:
            session.get(f"http://127.0.0.1:{port}/closed", timeout=30)
        except waterclock.ConnectionError:
            pass
    """
    assert explained_by(tmp_path, source, "1") == ["closed failed: ConnectionError"]


def test_a_closed_standard_error_is_no_trouble(tmp_path: Path, server: Server) -> None:
    source = f"""
        import sys
        import waterclock
        sys.stderr.close()
        waterclock.get("{server.url}/quick", timeout=30)
        sys.stderr = None
        waterclock.get("{server.url}/quick", timeout=30)
    """
    assert explained_by(tmp_path, source, "all") == []


def test_the_short_way_stays_open_for_failures_alone(tmp_path: Path, server: Server) -> None:
    for value, is_short in [("", True), ("1", True), ("all", False), ("2s", False)]:
        source = f"""
            import waterclock
            from waterclock import sessions
            from waterclock import _fast_guard
            waterclock.get("{server.url}/quick", timeout=30)
            assert _fast_guard.is_pristine() is {is_short}, _fast_guard.why_not()
            assert (sessions.Session.send.__module__ == "waterclock._session") is {is_short}
        """
        explained_by(tmp_path, source, value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1", float("inf")), ("all", 0.0), ("1s", 1.0), ("1.0", 1.0), ("1500ms", 1.5), ("2", 2.0)],
)
def test_values(value: str, seconds: float) -> None:
    assert _explain.patience(value) == seconds


@pytest.mark.parametrize("value", ["often", "-1", "nan", "1m", "s"])
def test_what_is_no_value(value: str) -> None:
    assert _explain.patience(value) is None
