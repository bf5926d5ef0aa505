"""Which release this is, and which release of requests it stands in for.

Programs compare `__version__` with releases of requests ("at least 2.32?"), so it is the release
whose names and behaviour we have. The release of waterclock is `__waterclock_version__`.
"""

from __future__ import annotations

__title__ = "requests"
__description__ = "Python HTTP for Humans."
__url__ = "https://requests.readthedocs.io"
__version__ = "2.34.2"
__build__ = 0x023402
__author__ = "Kenneth Reitz"
__author_email__ = "me@kennethreitz.org"
__license__ = "Apache-2.0"
__copyright__ = "Copyright Kenneth Reitz"
__cake__ = "\u2728 \U0001f370 \u2728"

__waterclock_version__ = "0.1.0"
