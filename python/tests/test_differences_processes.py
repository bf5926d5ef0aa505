"""What surrounds a call: proxies without PySocks, forks, interrupts, and engines.

docs/moving-from-requests.md says why it is as it is.
"""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import programs
import pytest
from differences import of_requests, of_waterclock
from loopback import CLOSE, Server, answer

import waterclock

Serve = Callable[..., Server]

OK = answer("ok")


@pytest.fixture
def socks_server() -> Iterator[str]:
    """Answers one SOCKS5 request, and then one HTTP request, whatever they ask for."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"\x05\x00")
            connection.recv(1000)
            connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
            connection.recv(10_000)
            connection.sendall(OK)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"socks5h://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_socks_needs_no_package(tmp_path: Path, socks_server: str) -> None:
    program = """
        import sys
        sys.modules["socks"] = None
        package = __import__(sys.argv[1])
        try:
            print(package.get("http://a.invalid/", proxies={"http": sys.argv[2]}, timeout=10).text)
        except package.exceptions.InvalidSchema as error:
            print(error)
    """
    assert programs.check(tmp_path, program, "waterclock", socks_server) == "ok\n"
    pytest.importorskip("requests")
    found = programs.check(tmp_path, program, "requests", socks_server)
    assert found == "Missing dependencies for SOCKS support.\n"


def test_an_interrupt_ends_any_wait(tmp_path: Path, serve: Serve) -> None:
    stopped = threading.Event()
    server = serve([stopped])
    program = """
        import _thread, os, signal, sys, threading, time
        import waterclock
        def interrupt():
            time.sleep(0.2)
            began.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        began = []
        waterclock.Session  # imported before it counts
        threading.Thread(target=interrupt).start()
        try:
            waterclock.get(sys.argv[1])
        except KeyboardInterrupt:
            print("late" if time.monotonic() - began[0] > 10 else "in time")
    """
    assert programs.check(tmp_path, program, server.url) == "in time\n"
    stopped.set()


def test_a_session_works_after_a_fork(tmp_path: Path, serve: Serve) -> None:
    server = serve(OK)
    program = """
        import os, sys
        import waterclock
        session = waterclock.Session()
        session.get(sys.argv[1])
        child = os.fork()
        text = session.get(sys.argv[1]).text
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print(text)
        else:
            os._exit(text != "ok")
    """
    assert programs.check(tmp_path, program, server.url) == "ok\n"
    # The child uses no connection of its parent's.
    assert sorted(request.connection for request in server.requests) == [1, 1, 2]


def test_threads_share_a_session(serve: Serve) -> None:
    server = serve(lambda request: answer(request.target))
    wrong: list[str] = []
    with waterclock.Session() as session:

        def work(name: int) -> None:
            for number in range(25):
                path = f"/{name}-{number}"
                text = session.get(server.url + path, timeout=10).text
                if text != path:
                    wrong.append(text)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert len(server.requests) == 200


class WithContext(waterclock.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **kwargs)


def test_the_timeline_says_when_urllib3_made_a_call(serve: Serve) -> None:
    server = serve(OK)
    with waterclock.Session() as session:
        session.mount("http://", WithContext())
        response = session.get(server.url, timeout=10)
        assert response.timeline is not None
        assert "urllib3 made this call: WithContext.init_poolmanager is overridden" in (
            response.timeline.verdict
        )
        # What it cannot keep is refused, and not forgotten.
        with pytest.raises(ValueError, match="first_byte cannot be kept here"):
            session.get(server.url, timeout=waterclock.Limits(first_byte=1))


def test_what_auditors_hear(tmp_path: Path, serve: Serve) -> None:
    server = serve(OK)
    program = """
        import sys
        package = __import__(sys.argv[1])
        session = package.Session()
        heard = []
        sys.addaudithook(lambda event, arguments: heard.append(event))
        session.get(sys.argv[2])
        wanted = {"http.client.connect", "socket.connect", "socket.getaddrinfo"}
        print(*sorted(wanted.intersection(heard)))
    """
    found = programs.check(tmp_path, program, "waterclock", server.url)
    assert found == "http.client.connect\n"
    pytest.importorskip("requests")
    found = programs.check(tmp_path, program, "requests", server.url)
    assert found == "http.client.connect socket.connect socket.getaddrinfo\n"


def test_one_exception_and_no_chain(serve: Serve) -> None:
    server = serve([CLOSE])

    def program(package: Any) -> Any:
        try:
            package.get(server.url, timeout=10)
        except package.ConnectionError as error:
            shown = traceback.format_exception(type(error), error, error.__traceback__)
            return "urllib3.exceptions.ProtocolError: " in "".join(shown), type(
                error.args[0]
            ).__name__

    assert of_requests(program) == (True, "ProtocolError")
    assert of_waterclock(program) == (False, "ProtocolError")


def test_a_replaced_socket_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(OK)
    made: list[Any] = []

    class Socket(socket.socket):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(socket, "socket", Socket)
    response = waterclock.get(server.url, timeout=10)
    assert made
    assert "socket.socket was replaced" in response.explain()


def test_a_connection_that_was_not_verified_serves_no_verified_call(
    tls_serve: Serve, ca_file: str
) -> None:
    """CVE-2024-35195."""
    server = tls_serve(OK)
    with waterclock.Session() as session:
        with pytest.warns(Warning, match="Unverified"):
            session.get(server.url, verify=False)
        session.get(server.url, verify=ca_file)
    assert server.connections == 2


def test_an_unknown_keyword_is_an_error(serve: Serve) -> None:
    server = serve(OK)

    def program(package: Any) -> Any:
        return package.get(server.url, time_out=1)

    assert of_requests(program) == of_waterclock(program) == "TypeError"


def test_classes_are_at_home_in_waterclock() -> None:
    """So what real requests has pickled, it must read itself."""
    assert waterclock.Response.__module__ == "waterclock.models"
    assert waterclock.__version__ == "2.34.2"
    assert waterclock.utils.default_user_agent() == "python-requests/2.34.2"
    assert waterclock.__waterclock_version__.count(".") >= 2
