"""`waterclock.packages.urllib3`, `.idna` and `.chardet`: the modules themselves, not copies.

requests once carried copies of them, and programs still import them by those names. Importing this
module imports all three.
"""

from __future__ import annotations

import sys

import idna as idna
import urllib3 as urllib3

from .compat import chardet as chardet


def _alias(prefix: str) -> None:
    """Make every module of the three known as a part of `prefix` too, as the same object."""
    for name, module in list(sys.modules.items()):
        top, dot, rest = name.partition(".")
        if top in ("urllib3", "idna"):
            sys.modules[f"{prefix}.{name}"] = module
        elif chardet is not None and top == chardet.__name__:
            sys.modules[f"{prefix}.{name}"] = module
            sys.modules[f"{prefix}.chardet{dot}{rest}"] = module


_alias(__name__)
if getattr(sys.modules.get("requests"), "packages", None) is sys.modules[__name__]:
    _alias("requests.packages")
