"""Modules that exist for the sake of programs: packages, compat, certs, help and the top one."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
import threading
import types
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from loopback import Server, answer

import waterclock
from waterclock import _lazy, api, compat

requests = pytest.importorskip("requests")


def run(program: str, *options: str) -> str:
    """Run a program in a Python of its own, and return what it prints."""
    prelude = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}\n"
    done = subprocess.run(
        [sys.executable, *options, "-c", prelude + program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_packages_are_the_modules_themselves() -> None:
    import idna
    import urllib3

    assert waterclock.packages.urllib3 is urllib3
    assert waterclock.packages.idna is idna
    assert waterclock.packages.chardet is requests.packages.chardet
    assert importlib.import_module("waterclock.packages.urllib3.util.retry") is urllib3.util.retry
    assert importlib.import_module("waterclock.packages.idna.core") is idna.core
    assert sys.modules["waterclock.packages.chardet"] is requests.packages.chardet


def test_packages_are_imported_as_old_programs_do() -> None:
    program = """
import waterclock as requests
requests.packages.urllib3.disable_warnings()
from waterclock.packages.urllib3.exceptions import InsecureRequestWarning as a
from waterclock.packages.urllib3.util.retry import Retry
import waterclock.packages.urllib3.poolmanager
import urllib3
print(a is urllib3.exceptions.InsecureRequestWarning, Retry is urllib3.Retry)
"""
    assert run(program) == "True True"


def test_compat() -> None:
    for name in dir(requests.compat):
        if not name.startswith("__") and name not in ("annotations", "_resolve_char_detection"):
            assert getattr(compat, name) is getattr(requests.compat, name) or getattr(
                compat, name
            ) == getattr(requests.compat, name), name
    with pytest.raises(AttributeError, match=r"module 'waterclock\.compat' has no attribute 'x'"):
        _ = compat.x  # type: ignore[attr-defined]


def test_certs() -> None:
    assert waterclock.certs.where is requests.certs.where
    done = subprocess.run(
        [sys.executable, "-m", "waterclock.certs"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == requests.certs.where()


def test_help() -> None:
    ours = waterclock.help.info()
    assert ours.pop("waterclock") == {"version": waterclock.__waterclock_version__}
    reference = importlib.import_module("requests.help").info()
    assert ours == reference
    done = subprocess.run(
        [sys.executable, "-m", "waterclock.help"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["requests"] == {"version": "2.34.2"}
    with mock.patch("platform.python_implementation", return_value="Other"):
        assert waterclock.help._implementation() == {"name": "Other", "version": "Unknown"}


def test_versions() -> None:
    assert waterclock.__version__ == requests.__version__
    assert waterclock.__build__ == requests.__build__
    importlib.import_module("waterclock.__version__")
    assert isinstance(waterclock.__version__, str)


@pytest.mark.parametrize(
    "versions",
    [
        ("2.8.0", None, "3.4.0"),
        ("2.8.0", "5.0.0", None),
        ("1.26", "7.9.9", "x"),
        ("1.20.1", None, "3.0.0"),
        ("dev", None, "3.0.0"),
        ("2.0.0", "2.9.0", None),
        ("2.0.0", "8.0.0", None),
        ("2.0.0", None, "1.9.9"),
        ("2.0.0", None, "4.0.0"),
        ("2.0.0", None, None),
        ("x.y.z", None, None),
    ],
)
def test_check_compatibility(versions: tuple[Any, ...]) -> None:
    outcomes = []
    for package in (waterclock, requests):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                package.check_compatibility(*versions)
                outcome = "fine"
            except (AssertionError, ValueError) as error:
                outcome = type(error).__name__
        outcomes.append((outcome, [str(one.message) for one in caught]))
    assert outcomes[0] == outcomes[1]


def test_functions_of_the_api_use_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Fake:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            calls.append("closed")

        def request(self, **kwargs: Any) -> str:
            calls.append(kwargs)
            return "reply"

    monkeypatch.setattr(waterclock.sessions, "Session", Fake)
    for name in ("get", "options", "delete", "put", "patch", "post", "head"):
        function = getattr(waterclock, name)
        assert function is getattr(api, name)
        calls.clear()
        assert function("u", timeout=1) == "reply"
        ours = list(calls)
        with mock.patch("requests.sessions.Session", Fake):
            calls.clear()
            getattr(requests, name)("u", timeout=1)
        assert ours == calls
    waterclock.post("u", "d", "j")
    waterclock.get("u", "p")
    waterclock.put("u", "d")
    waterclock.request("M", "u")


def test_names_can_be_patched() -> None:
    with mock.patch("waterclock.get", return_value=1):
        assert waterclock.get("x") == 1  # type: ignore[comparison-overlap]
    assert waterclock.get is api.get
    with mock.patch("waterclock.utils.proxy_bypass", return_value=True) as bypass:
        assert waterclock.utils.should_bypass_proxies("http://h/", None)
        bypass.assert_called_once_with("h")
    assert waterclock.utils.proxy_bypass is compat.proxy_bypass
    with mock.patch.object(waterclock, "Session", create=False) as patched:
        assert waterclock.Session is patched
    assert waterclock.Session is waterclock.sessions.Session


def test_a_lazy_name_is_made_once() -> None:
    module = types.ModuleType("lazy_example")
    started = threading.Barrier(8)

    def make() -> type:
        return type("Made", (), {})

    find, names = _lazy.attach(vars(module), {"Made": make, "join": "os.path:join"})
    seen: list[Any] = []

    def look() -> None:
        started.wait()
        seen.append(find("Made"))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert {"Made", "join"} <= set(names())
    assert find("__all__") == ["Made", "join"]
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'other'"):
        find("other")


def test_functions_and_classes_pickle() -> None:
    for value in (waterclock.get, waterclock.Session, waterclock.exceptions.JSONDecodeError):
        assert pickle.loads(pickle.dumps(value)) is value


def test_import_costs_little() -> None:
    """Fewer than ten modules, none of them big; the time itself is measured, not tested."""
    program = """
before = set(sys.modules)
import waterclock
print(len(set(sys.modules) - before))
"""
    assert int(run(program, "-S", "-I")) < 10


def test_first_use_of_light_modules_stays_light() -> None:
    program = """
import waterclock
waterclock.exceptions.ReadTimeout, waterclock.codes.ok, waterclock.structures.CaseInsensitiveDict
waterclock.utils.requote_uri("http://h/ä"), waterclock.utils.default_headers()
waterclock.utils.prepend_scheme_if_needed("http://proxy:3128", "http")
waterclock.auth.HTTPBasicAuth("u", "p")
heavy = ["urllib3", "http.client", "http.cookiejar", "ssl", "logging", "typing", "certifi"]
print([name for name in heavy if name in sys.modules])
"""
    assert run(program, "-S", "-I") == "[]"


def test_a_plain_get_imports_little(serve: Callable[..., Server]) -> None:
    """No regular expressions, nothing for URLs, cookies, dates or exceptions; of our own only what it needs."""
    url = serve(answer("body", headers=[("Content-Type", "text/plain")])).url
    program = f"""
import os, sys
before = set(sys.modules)
import waterclock as requests
response = requests.get({url!r}, timeout=30)
assert (response.status_code, response.headers["content-type"]) == (200, "text/plain")
assert response.content == b"body"
after = set(sys.modules) - before
theirs = {{name.partition(".")[0] for name in after}} - {{"waterclock"}}
heavy = ["exceptions", "compat", "status_codes", "cookies", "auth", "_prepared", "_url", "_native"]
print(sorted(theirs), [name for name in heavy if f"waterclock.{{name}}" in after], len(after) <= 25)
"""
    light = ["__future__", "_collections", "gc"]
    assert run(program, "-S", "-I") == f"{light} [] True"


def test_json_is_read_without_importing_json(serve: Callable[..., Server]) -> None:
    """What the module would return, and in its words what it would refuse."""
    url = serve(answer("{}", headers=[("Content-Type", "application/json")])).url
    program = f"""
import sys
import waterclock as requests
assert requests.get({url!r}).json() == {{}}
print([name for name in ("json", "re", "enum", "simplejson") if name in sys.modules])
texts = [
    "[]", " [1, -2.5e3, true, false, null] \\n", '{{"a": {{"b": ["\\\\u00e9", "x"]}}, "a": 2}}', '"\u00e9"', "1",
    "[NaN, Infinity, -Infinity]", "1" * 400, "", " ", "[1,]", "nul", "[] []", '"\\n"', "{{1: 2}}", "\ufeff[]",
    "[" * 100000,
]
def came_to(text):
    response = requests.models.Response()
    response._content, response.encoding = text.encode(), "utf-8"
    try:
        return repr(response.json())
    except Exception as error:
        return type(error), str(error), getattr(error, "pos", None)
seen = []
for text in texts:
    sys.modules.pop("json", None)
    vars(requests.models).pop("complexjson", None)
    seen.append(came_to(text))
import json
requests.models.complexjson
assert seen == [came_to(text) for text in texts], seen
print(sum(type(one) is str for one in seen), len(seen))
"""
    assert run(program, "-S", "-I").split("\n") == ["[]", "7 16"]
