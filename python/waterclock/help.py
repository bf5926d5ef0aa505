"""What to put into a report of a bug: `python -m waterclock.help` prints it."""

from __future__ import annotations

import json
import platform
import ssl
import sys

import idna
import urllib3

from . import __version__ as requests_version
from . import __waterclock_version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    import charset_normalizer
except ImportError:
    charset_normalizer = None  # type: ignore[assignment]

try:
    import chardet  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    chardet = None

try:
    from urllib3.contrib import pyopenssl
except ImportError:
    pyopenssl = None  # type: ignore[assignment]
    OpenSSL = None
    cryptography = None
else:
    cryptography, OpenSSL = __import__("cryptography"), __import__("OpenSSL")


def _implementation() -> dict[str, str]:
    """Return which Python this is."""
    name = platform.python_implementation()
    if name == "PyPy":
        release: Any = sys.pypy_version_info  # type: ignore[attr-defined]
        version = f"{release.major}.{release.minor}.{release.micro}"
        if release.releaselevel != "final":
            version += release.releaselevel
    elif name in ("CPython", "Jython", "IronPython"):
        version = platform.python_version()
    else:
        version = "Unknown"
    return {"name": name, "version": version}


def _platform() -> dict[str, str]:
    try:
        return {"system": platform.system(), "release": platform.release()}
    except OSError:
        return {"system": "Unknown", "release": "Unknown"}


def _version(module: Any, missing: str | None = None) -> dict[str, str | None]:
    return {"version": getattr(module, "__version__", missing)}


def info() -> dict[str, Any]:
    """Return platform, versions and how TLS is done, as a document for JSON."""
    pyopenssl_info: dict[str, str | None] = {"version": None, "openssl_version": ""}
    if OpenSSL:
        number = OpenSSL.SSL.OPENSSL_VERSION_NUMBER
        pyopenssl_info = {"version": OpenSSL.__version__, "openssl_version": f"{number:x}"}
    return {
        "platform": _platform(),
        "implementation": _implementation(),
        "system_ssl": {"version": f"{ssl.OPENSSL_VERSION_NUMBER:x}"},
        "using_pyopenssl": pyopenssl is not None,
        "using_charset_normalizer": chardet is None,
        "pyOpenSSL": pyopenssl_info,
        "urllib3": _version(urllib3),
        "chardet": _version(chardet),
        "charset_normalizer": _version(charset_normalizer),
        "cryptography": _version(cryptography, ""),
        "idna": _version(idna, ""),
        "requests": {"version": requests_version},
        "waterclock": {"version": __waterclock_version__},
    }


def main() -> None:
    """Print `info()` as JSON."""
    print(json.dumps(info(), sort_keys=True, indent=2))


if __name__ == "__main__":
    main()
