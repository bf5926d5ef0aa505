"""JSON read in Rust, where it comes to what Python's json would make of it.

It takes less time (0.6 of json's for 10 kB), and json need not be imported, which takes longer than a request. Whatever is refused here json gets,
as before; and everything if a program uses another module in its place, or has replaced something in it.
"""

from __future__ import annotations

import sys

from . import models as _models
from . import utils as _utils
from ._engine import Unchanged, plain_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# It would be used in json's place.
_has_simplejson = _utils._is_installed("simplejson")
# True while json is as it was when it was imported; None before that.
_json_is_itself: Unchanged | None = None


def loads(content: bytes) -> tuple[Any] | None:
    """Return what `models.complexjson.loads` would, alone in a tuple; None if it has to be asked."""
    return plain_json(content) if _means_the_same() else None


def _means_the_same() -> bool:
    """Say whether `complexjson` is json, and nothing in it was replaced."""
    used = vars(_models).get("complexjson")
    json: Any = sys.modules.get("json")
    if json is None:
        return used is None and not _has_simplejson
    if used is None:
        used = _models.complexjson
    return used is json and (bool(_json_is_itself) or _is_itself(json))


def _is_itself(json: Any) -> bool:
    global _json_is_itself
    decoder = json._default_decoder
    loads = json.loads
    if getattr(loads, "__globals__", None) is not vars(json) or loads.__name__ != "loads":
        return False
    if type(decoder) is not json.JSONDecoder or json.JSONDecoder.__module__ != "json.decoder":
        return False
    hooks = (decoder.object_hook, decoder.object_pairs_hook, decoder.parse_float, decoder.parse_int)
    if hooks != (None, None, float, int) or not decoder.strict:
        return False
    _json_is_itself = Unchanged([(vars(json), ["loads", "_default_decoder", "JSONDecoder"])])
    return True
