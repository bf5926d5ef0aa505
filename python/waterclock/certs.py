"""Where the trusted certificates are: `where()` is certifi's.

Whoever packages waterclock for a system may let `where` return the path of the system's bundle.
`python -m waterclock.certs` prints the path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certifi import where as where
else:
    from ._lazy import attach

    # certifi opens its bundle when it is imported, and many a program never needs it.
    __getattr__, __dir__ = attach(globals(), {"where": "certifi:where"})

if __name__ == "__main__":
    from certifi import where

    print(where())
