"""User and password from a netrc file."""

from __future__ import annotations

import os
from urllib.parse import urlparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from . import _types as _t


def _find_file() -> str | None:
    from . import utils

    candidates: Iterable[str]
    named = os.environ.get("NETRC")
    candidates = [named] if named is not None else [f"~/{name}" for name in utils.NETRC_FILES]
    for candidate in candidates:
        path = os.path.expanduser(candidate)
        if os.path.exists(path):
            return path
    return None


def _host(url: str) -> str | None:
    """Return the host that a connection for `url` goes to.

    The URL may be what a caller was given by somebody else. Where it is connected to, a backslash
    ends the host as a slash does, but not for `urlparse`: without this,
    `http://attacker.example\\@bank.example/` would bring the attacker the bank's password.
    """
    return urlparse(url.lstrip().replace("\\", "/")).hostname


def get_netrc_auth(url: _t.UriType, raise_errors: bool = False) -> tuple[str, str] | None:
    """Return what the netrc file says for the host of `url`: (user, password), or None.

    The file is the one `$NETRC` names, else `~/.netrc`, else `~/_netrc`. A file that cannot be read
    or understood counts as none, unless `raise_errors` is set.
    """
    if isinstance(url, bytes):
        url = url.decode("utf-8")
    try:
        path = _find_file()
        if path is None:
            return None
        host = _host(url)
        if host is None:
            return None

        from netrc import NetrcParseError, netrc

        try:
            entry = netrc(path).authenticators(host)
        except (NetrcParseError, OSError):
            if raise_errors:
                raise
            return None
    except (ImportError, AttributeError):
        # Some platforms have no netrc, or no home.
        return None
    if not entry or not any(entry):
        return None
    login, account, password = entry
    return login or account or "", password or ""
