"""`waterclock.install()`: what is called requests is waterclock, and is one thing."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from programs import check

MODULES = [
    "__version__",
    "_internal_utils",
    "_types",
    "adapters",
    "api",
    "auth",
    "certs",
    "compat",
    "cookies",
    "exceptions",
    "help",
    "hooks",
    "models",
    "packages",
    "sessions",
    "status_codes",
    "structures",
    "utils",
]


def test_every_module_is_the_same_object_by_both_names(tmp_path: Path) -> None:
    check(
        tmp_path,
        f"""
        import importlib, sys
        import waterclock
        waterclock.install()

        import requests
        assert requests is waterclock
        for name in {MODULES!r}:
            theirs = importlib.import_module("requests." + name)
            ours = importlib.import_module("waterclock." + name)
            assert theirs is ours, name
            assert ours.__spec__.name == ours.__name__ == "waterclock." + name
        """,
    )


@pytest.mark.parametrize("first", ["requests", "waterclock"])
def test_a_class_exists_once_whichever_name_came_first(tmp_path: Path, first: str) -> None:
    second = {"requests": "waterclock", "waterclock": "requests"}[first]
    check(
        tmp_path,
        f"""
        import waterclock
        waterclock.install()

        import {first}.adapters, {first}.exceptions
        import {second}.adapters, {second}.exceptions
        import requests
        assert requests.adapters is waterclock.adapters
        assert requests.adapters.HTTPAdapter is waterclock.adapters.HTTPAdapter
        assert requests.adapters.HTTPAdapter.__module__ == "waterclock.adapters"
        assert requests.Timeout is waterclock.exceptions.Timeout
        try:
            raise waterclock.ConnectTimeout("x")
        except requests.exceptions.Timeout:
            pass
        """,
    )


def test_requests_packages_are_the_packages(tmp_path: Path) -> None:
    check(
        tmp_path,
        """
        import waterclock
        waterclock.install()

        from requests.packages.urllib3.util.retry import Retry
        import requests.packages.urllib3.contrib.socks
        import requests.packages.idna.core
        import requests.packages.chardet
        import charset_normalizer, idna.core, requests, urllib3.contrib.socks, urllib3.util.retry

        assert Retry is urllib3.util.retry.Retry
        assert requests.packages.urllib3 is urllib3
        assert requests.packages.urllib3.contrib.socks is urllib3.contrib.socks
        assert requests.packages.idna.core is idna.core
        assert requests.packages.chardet is requests.compat.chardet
        """,
    )


def test_names_that_do_not_exist_are_missing_as_ever(tmp_path: Path) -> None:
    printed = check(
        tmp_path,
        """
        import importlib.util
        import waterclock
        waterclock.install()

        for name in ("requests.nothing", "requests.packages.nothing", "requests.adapters.nothing"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                print(error.name)
        print(importlib.util.find_spec("requests.nothing"))
        try:
            from requests import nothing
        except ImportError as error:
            print(type(error).__name__)
        """,
    )
    assert printed.splitlines() == [
        "requests.nothing",
        "requests.packages.nothing",
        "requests.adapters.nothing",
        "None",
        "ImportError",
    ]


def test_installing_imports_nothing_heavy(tmp_path: Path) -> None:
    printed = check(
        tmp_path,
        """
        import sys
        before = set(sys.modules)
        import waterclock
        waterclock.install()
        import requests
        heavy = {"urllib3", "idna", "certifi", "charset_normalizer", "http", "logging", "ssl", "email"}
        print(sorted(heavy & set(sys.modules) - before))
        """,
    )
    assert printed == "[]\n"


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    check(
        tmp_path,
        """
        import sys
        import waterclock
        waterclock.install()
        import requests.adapters
        finders, modules = list(sys.meta_path), dict(sys.modules)
        waterclock.install()
        assert finders == sys.meta_path and modules == sys.modules
        """,
    )


def test_a_program_may_forget_and_import_again(tmp_path: Path) -> None:
    check(
        tmp_path,
        """
        import sys
        import waterclock
        waterclock.install()
        import requests.adapters
        del sys.modules["requests"], sys.modules["requests.adapters"]
        import requests.adapters
        assert requests is waterclock and requests.adapters is waterclock.adapters
        """,
    )


def test_the_distribution_stays_what_it_is(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    printed = check(
        tmp_path,
        """
        import importlib.metadata
        before = importlib.metadata.version("requests")
        import waterclock
        waterclock.install()
        import requests
        print(before == importlib.metadata.version("requests"))
        """,
    )
    assert printed == "True\n"


def test_the_real_requests_is_not_replaced_once_somebody_has_it(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    printed = check(
        tmp_path,
        """
        import sys, types
        import waterclock

        whole, part, other, lazy = map(types.ModuleType, ("whole", "part", "other", "lazy"))
        exec("import requests", whole.__dict__)
        exec("from requests.exceptions import Timeout", part.__dict__)
        exec("from requests import get", part.__dict__)

        class Proxy:
            @property
            def __class__(self):
                raise LookupError("nothing is bound")

        lazy.proxy = Proxy()
        sys.modules.update(whole=whole, part=part, other=other, lazy=lazy)
        modules, finders = dict(sys.modules), list(sys.meta_path)
        try:
            waterclock.install()
        except RuntimeError as error:
            print(error)
        assert sys.modules["requests"] is modules["requests"] and sys.meta_path == finders
        """,
    )
    assert printed.startswith("waterclock.install(): the real requests is imported already (from ")
    assert "__init__.py), and held by: part, whole. Call install() before" in printed
    assert "waterclock.patch_requests()" in printed


def test_a_refusal_names_only_so_many(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    printed = check(
        tmp_path,
        """
        import sys, types
        import requests, waterclock
        for number in range(20):
            sys.modules[f"a{number:02}"] = module = types.ModuleType("a")
            module.requests = requests
        try:
            waterclock.install()
        except RuntimeError as error:
            print(error)
        """,
    )
    # Twenty of these, and the program itself.
    assert "held by: __main__, a00, a01, a02, a03, a04, a05, a06 and 13 more. " in printed


def test_requests_need_not_exist(tmp_path: Path) -> None:
    check(
        tmp_path,
        """
        import sys
        sys.modules["requests"] = None
        import waterclock
        waterclock.install()
        import requests
        assert requests is waterclock
        """,
    )


def test_uninstalling_gives_the_real_one_back(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    check(
        tmp_path,
        """
        import waterclock
        waterclock.install()
        import requests.adapters, requests.packages.urllib3.util
        waterclock.uninstall()
        waterclock.uninstall()
        import requests.adapters
        assert requests is not waterclock
        assert requests.adapters.HTTPAdapter is not waterclock.adapters.HTTPAdapter
        assert requests.__version__ == waterclock.__version__
        """,
    )


def test_what_the_real_one_pickled_can_be_read(tmp_path: Path) -> None:
    requests = pytest.importorskip("requests")
    session = requests.Session()
    session.headers["X-Kept"] = "yes"
    session.cookies.set("a", "1")
    response = requests.Response()
    response.status_code, response._content, response.url = 418, b"tea", "http://example.org/"
    error = requests.exceptions.ReadTimeout("too slow")
    (tmp_path / "pickled").write_bytes(pickle.dumps([session, response, error]))
    check(
        tmp_path,
        """
        import pathlib, pickle
        import waterclock
        waterclock.install()
        data = pathlib.Path("pickled").read_bytes()
        session, response, error = pickle.loads(data)
        assert type(session) is waterclock.Session
        assert session.headers["x-kept"] == "yes" and session.cookies["a"] == "1"
        assert type(response) is waterclock.Response
        assert (response.status_code, response.content, response.url) == (418, b"tea", "http://example.org/")
        assert type(error) is waterclock.ReadTimeout and error.args == ("too slow",)
        again = pickle.loads(pickle.dumps([session, response, error]))
        assert [type(thing) for thing in again] == [type(session), type(response), type(error)]
        """,
    )


def test_patches_reach_the_code_that_runs(tmp_path: Path) -> None:
    check(
        tmp_path,
        """
        from unittest import mock
        import waterclock
        waterclock.install()

        with mock.patch("requests.adapters.HTTPAdapter.send") as send:
            send.side_effect = LookupError
            try:
                waterclock.get("http://127.0.0.1:1/")
            except LookupError:
                pass
        assert send.call_count == 1
        """,
    )
