"""For `pytest -p waterclock.pytest_plugin`: tests, and what they import, get waterclock as `requests`.

It is never loaded by itself. In a configuration file:

    [tool.pytest.ini_options]
    addopts = "-p waterclock.pytest_plugin"
"""

from __future__ import annotations


def pytest_addhooks() -> None:
    """Installs, at the moment when pytest takes this plug-in in.

    No hook is earlier, and `-p` comes before the plug-ins that are found by entry points, which may import
    requests. Not when this module is imported: tools that import every module there is must not install.
    """
    import pytest

    from ._install import install

    try:
        install()
    except RuntimeError as refused:
        raise pytest.UsageError(str(refused)) from None
