"""The plug-in of pytest: installed before anything is collected, and only when it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import check, python, write

TEST = """
    import library, requests

    def test_it():
        assert requests.__name__ == "waterclock"
        assert library.Timeout is requests.Timeout
    """


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *words, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_tests_and_what_they_import_get_waterclock(tmp_path: Path) -> None:
    write(tmp_path, library="from requests import Timeout", test_it=TEST)
    code, printed = run(tmp_path, "-p", "waterclock.pytest_plugin")
    assert code == 0 and "1 passed" in printed, printed


def test_a_configuration_file_may_ask_for_it(tmp_path: Path) -> None:
    write(tmp_path, library="from requests import Timeout", test_it=TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p waterclock.pytest_plugin\n")
    code, printed = run(tmp_path)
    assert code == 0 and "1 passed" in printed, printed


def test_it_comes_before_plug_ins_that_import_requests(tmp_path: Path) -> None:
    # As pytest finds the plug-ins of installed distributions.
    write(tmp_path, other_plugin="import requests", library="from requests import Timeout")
    write(tmp_path, test_it=TEST)
    info = tmp_path / "other_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest11]\nother = other_plugin\n")
    code, printed = run(tmp_path, "-p", "waterclock.pytest_plugin")
    assert code == 0 and "1 passed" in printed, printed


def test_it_is_never_on_by_itself(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    write(
        tmp_path, test_it="import requests\ndef test_it(): assert requests.__name__ == 'requests'"
    )
    code, printed = run(tmp_path)
    assert code == 0 and "1 passed" in printed, printed
    check(
        tmp_path,
        """
        import importlib.metadata, sys
        import waterclock.pytest_plugin
        assert not any(type(finder).__module__.startswith("waterclock") for finder in sys.meta_path)
        for point in importlib.metadata.entry_points(group="pytest11"):
            assert not point.value.startswith("waterclock"), point
        """,
    )


def test_it_refuses_as_pytest_does(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    write(tmp_path, conftest="import requests\npytest_plugins = ['waterclock.pytest_plugin']")
    write(tmp_path, test_it="def test_it(): pass")
    code, printed = run(tmp_path)
    assert code == pytest.ExitCode.USAGE_ERROR, printed
    assert "ERROR: waterclock.install(): the real requests is imported already" in printed
    assert "conftest" in printed
