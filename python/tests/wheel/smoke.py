"""Run in a clean environment, outside the source tree: the installed package works.

usage: smoke.py FOLDER    FOLDER is where the source tree is, from which nothing may come
"""

from __future__ import annotations

import http.server
import importlib.metadata
import json
import os
import subprocess
import sys
import threading

import waterclock
import waterclock as requests


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            stopped.wait(20)
        self.reply(json.dumps({"path": self.path}).encode())

    def do_POST(self) -> None:
        self.reply(self.rfile.read(int(self.headers["Content-Length"])))

    def reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def program(*arguments: str) -> str:
    """What a Python program prints; it must end well."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout


stopped = threading.Event()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

# What was installed is what is tested, and it is complete.
home = os.path.dirname(os.path.realpath(waterclock.__file__))
assert not home.startswith(os.path.realpath(sys.argv[1]) + "/python"), home
assert os.path.exists(os.path.join(home, "py.typed"))
assert os.path.exists(os.path.join(home, "_engine.pyi"))
files = importlib.metadata.files("waterclock") or []
assert any(str(file).endswith("LICENSE-MIT") for file in files), files
assert "requests" not in {m.metadata["Name"] for m in importlib.metadata.distributions()}

# Calls, by both doors.
assert requests.get(url + "/a", timeout=30).json() == {"path": "/a"}
with requests.Session() as session:
    found = session.post(url, json={"b": 1})
    assert found.json() == {"b": 1}
    assert found.request.headers["User-Agent"].startswith("python-requests/")
    try:
        session.get(url + "/slow", timeout=0.2)
    except requests.ReadTimeout as error:
        assert error.explain()
        assert error.limit == "read", error.limit
    else:
        raise AssertionError("no ReadTimeout")
    with waterclock.deadline(0.2):
        try:
            session.get(url + "/slow")
        except requests.Timeout as error:
            assert error.limit == "total", error.limit
        else:
            raise AssertionError("no Timeout")

# Unmodified programs, and the program itself.
with open("script.py", "w", encoding="utf-8") as file:
    file.write(
        f"import requests\nprint(requests.__name__, requests.get({url + '/b'!r}).json()['path'])\n"
    )
assert program("-m", "waterclock", "run", "script.py").split() == ["waterclock", "/b"]
assert json.loads(program("-m", "waterclock", url + "/c", "--timeout", "10")) == {"path": "/c"}

stopped.set()
server.shutdown()
print(f"the wheel works with Python {sys.version.split()[0]}")
