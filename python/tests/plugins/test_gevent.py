"""gevent: a wait of our engine would hold up every greenlet, so urllib3 makes the calls, over gevent's sockets."""

from __future__ import annotations

import json
import os
import threading

import gevent  # noqa: F401 - whether it is there
import pytest
from loopback import STALL, answer
from programs import environment, python, write

PROGRAM = """
import json, sys
import gevent

ticks = 0

def tick():
    global ticks
    while True:
        gevent.sleep(0.01)
        ticks += 1

session = requests.Session()
ticking = gevent.spawn(tick)
calls = [gevent.spawn(session.get, URL + "/late", timeout=30) for _ in range(8)]
gevent.joinall(calls, raise_error=True)
ticks_of_calls = ticks
try:
    session.get(URL + "/stall", timeout=(5, 0.05))
    late = "no timeout"
except requests.ReadTimeout as error:
    late = type(error).__name__
with gevent.Timeout(0.05, False):
    session.get(URL + "/stall")
    late = "gevent's timeout did not come"
explain = getattr(calls[0].value, "explain", lambda: "")
print(json.dumps({
    "texts": [call.value.text for call in calls],
    "ticks": ticks_of_calls,
    "late": late,
    "explained": explain(),
    "after": session.get(URL).text,
}))
"""

ORDERS = {
    "patched first": "from gevent import monkey; monkey.patch_all()\nimport {package} as requests",
    "imported first": "import {package} as requests\nfrom gevent import monkey; monkey.patch_all()",
    "used first": (
        "import {package} as requests; requests.get(URL)\n"
        "from gevent import monkey; monkey.patch_all()"
    ),
}


@pytest.mark.parametrize("order", ORDERS)
def test_greenlets_wait_together(order, serve, tmp_path, is_waterclock):
    if order == "used first" and not is_waterclock:
        pytest.skip("requests has imported ssl by then, which gevent advises against")
    arrived = []
    together = threading.Event()

    def late(request):
        arrived.append(request)
        if len(arrived) == 8:
            together.set()
        return [together, 0.5, answer("late")]

    server = serve({"/": answer("ok"), "/late": late, "/stall": [STALL]})
    begin = ORDERS[order].format(package=os.environ["PLUGIN_PACKAGE"])
    write(tmp_path, program=f"URL = __import__('sys').argv[1]\n{begin}\n{PROGRAM}")
    done = python(str(tmp_path / "program.py"), server.url, env=environment(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # One after the other they would get no answer.
    assert found["texts"] == ["late"] * 8
    assert found["ticks"] > 3
    assert found["late"] == "ReadTimeout"
    assert found["after"] == "ok"
    if is_waterclock:
        assert "urllib3 made this call: socket.socket was replaced by gevent" in found["explained"]
