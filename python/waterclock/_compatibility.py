"""The check of dependencies that requests makes when it is imported.

Here it is made by whoever calls it: urllib3 and a detector of encodings are imported late, if at
all, and the wheel says which versions it wants.
"""

from __future__ import annotations

import warnings

from .exceptions import RequestsDependencyWarning


def _installed(module: str) -> str | None:
    try:
        version: str = __import__(module).__version__
    except ImportError:
        return None
    return version


charset_normalizer_version = _installed("charset_normalizer")
chardet_version = _installed("chardet")


def _three(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")[:3]
    return int(major), int(minor), int(patch)


def check_compatibility(
    urllib3_version: str,
    chardet_version: str | None,
    charset_normalizer_version: str | None,
) -> None:
    """Raise AssertionError or ValueError if a version is outside the range requests works with."""
    if urllib3_version.split(".")[:3] == ["dev"]:
        raise AssertionError("urllib3 was installed from its repository")
    padded = urllib3_version + ".0" if urllib3_version.count(".") == 1 else urllib3_version
    if _three(padded) < (1, 21, 0):
        raise AssertionError(f"urllib3 {urllib3_version} is older than 1.21.1")

    if chardet_version:
        if not (3, 0, 2) <= _three(chardet_version) < (8, 0, 0):
            raise AssertionError(f"chardet {chardet_version} is not within 3.0.2 and 8")
    elif charset_normalizer_version:
        if not (2, 0, 0) <= _three(charset_normalizer_version) < (4, 0, 0):
            raise AssertionError(
                f"charset_normalizer {charset_normalizer_version} is not within 2 and 4"
            )
    else:
        warnings.warn(
            "Unable to find acceptable character detection dependency "
            "(chardet or charset_normalizer).",
            RequestsDependencyWarning,
            stacklevel=2,
        )


check_compatibility.__module__ = "waterclock"


def _check_cryptography(cryptography_version: str) -> None:
    try:
        numbers = [int(number) for number in cryptography_version.split(".")]
    except ValueError:
        return
    if numbers < [1, 3, 4]:
        warnings.warn(
            f"Old version of cryptography ({numbers}) may cause slowdown.",
            RequestsDependencyWarning,
            stacklevel=2,
        )
