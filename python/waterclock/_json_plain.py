"""JSON read by the scanner in C that json itself uses.

Importing json takes longer than a request: it brings regular expressions along. So as long as nobody has imported it, what
it would return is read without it, and whatever it would refuse it is imported for, and refuses it in its own words.
"""

from __future__ import annotations

import sys

from . import models as _models
from . import utils as _utils

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SPACES = " \t\n\r"


class _Settings:
    """What `json.JSONDecoder()` tells the scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {
        "NaN": float("nan"),
        "Infinity": float("inf"),
        "-Infinity": float("-inf"),
    }.__getitem__


def _make_scanner() -> Any:
    """Return the scanner, or None where json would not use it."""
    # It would be used in json's place.
    if _utils._is_installed("simplejson"):
        return None
    try:
        from _json import make_scanner

        settings: Any = _Settings()
        return make_scanner(settings)
    except (ImportError, AttributeError):
        return None


_scan = _make_scanner()


def loads(text: str, kwargs: dict[str, Any]) -> Any:
    """Return what `models.complexjson.loads` would."""
    if not kwargs and _scan and "json" not in sys.modules and "complexjson" not in vars(_models):
        try:
            value, end = _scan(text, len(text) - len(text.lstrip(_SPACES)))
            if not text[end:].strip(_SPACES):
                return value
        except Exception:  # noqa: BLE001, S110 - json says what is wrong
            pass
    return _models.complexjson.loads(text, **kwargs)
