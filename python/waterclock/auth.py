"""Authentication: basic, of proxies, and digest.

An auth is any callable that takes a `PreparedRequest` and returns it, or another one.
"""

from __future__ import annotations

import os as os
import re as re
import sys as sys
import threading as threading
import time as time
import warnings as warnings
from base64 import b64encode
from builtins import str as str
from urllib.parse import urlparse

from ._internal_utils import to_native_string
from ._lazy import attach
from .compat import basestring as basestring
from .utils import parse_dict_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib as hashlib
    from collections.abc import Callable
    from typing import Any, overload

    from .cookies import extract_cookies_to_jar as extract_cookies_to_jar
    from .models import PreparedRequest, Response

CONTENT_TYPE_FORM_URLENCODED = "application/x-www-form-urlencoded"
CONTENT_TYPE_MULTI_PART = "multipart/form-data"

# What a challenge may name, and the function of hashlib for it. "-SESS" is handled apart.
_DIGESTS = {
    "MD5": "md5",
    "MD5-SESS": "md5",
    "SHA": "sha1",
    "SHA-256": "sha256",
    "SHA-512": "sha512",
}


def _latin1(value: Any, what: str, shown: Any) -> bytes:
    """Return the bytes of a user or password, which some programs give as a number."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        warnings.warn(
            f"Non-string {what} will no longer be supported in Requests "
            f"3.0.0. Please convert the object you've passed in ({shown!r}) to "
            "a string or bytes object in the near future to avoid "
            "problems.",
            category=DeprecationWarning,
            stacklevel=3,
        )
        value = str(value)
    encoded: bytes = value.encode("latin1")
    return encoded


def _basic_auth_str(username: bytes | str, password: bytes | str) -> str:
    """Return the value of an `Authorization` field for basic authentication."""
    # The password itself does not belong into a warning; its type does.
    joined = b":".join(
        (
            _latin1(username, "usernames", username),
            _latin1(password, "passwords", type(password)),
        )
    )
    return "Basic " + to_native_string(b64encode(joined).strip())


class AuthBase:
    """Base of the auths: `__call__` takes a prepared request and returns it."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        raise NotImplementedError("Auth hooks must be callable.")


class HTTPBasicAuth(AuthBase):
    """Sends user and password in the `Authorization` field."""

    username: bytes | str
    password: bytes | str

    if TYPE_CHECKING:

        @overload
        def __init__(self, username: str, password: str) -> None: ...

        @overload
        def __init__(self, username: bytes, password: bytes) -> None: ...

    def __init__(self, username: bytes | str, password: bytes | str) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return _same_account(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = _basic_auth_str(self.username, self.password)
        return r


class HTTPProxyAuth(HTTPBasicAuth):
    """Sends user and password in the `Proxy-Authorization` field."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Proxy-Authorization"] = _basic_auth_str(self.username, self.password)
        return r


def _same_account(auth: HTTPBasicAuth | HTTPDigestAuth, other: object) -> bool:
    return bool(
        auth.username == getattr(other, "username", None)
        and auth.password == getattr(other, "password", None)
    )


class HTTPDigestAuth(AuthBase):
    """Answers the challenges of digest authentication (RFC 7616, `qop=auth` only).

    The first request goes without credentials; the one after a challenge, and all later ones of
    the same thread, carry them. Each thread counts for itself.
    """

    username: bytes | str
    password: bytes | str
    _thread_local: threading.local

    if TYPE_CHECKING:

        @overload
        def __init__(self, username: str, password: str) -> None: ...

        @overload
        def __init__(self, username: bytes, password: bytes) -> None: ...

    def __init__(self, username: bytes | str, password: bytes | str) -> None:
        self.username = username
        self.password = password
        self._thread_local = threading.local()

    def init_per_thread_state(self) -> None:
        """Give this thread its state, unless it has one."""
        state = self._thread_local
        if hasattr(state, "init"):
            return
        state.init = True
        state.last_nonce = ""
        state.nonce_count = 0
        state.chal = {}
        state.pos = None
        state.num_401_calls = None

    def build_digest_header(self, method: str, url: str) -> str | None:
        """Return the `Authorization` field for this thread's challenge.

        None if the challenge wants a digest or a protection that is not known here.
        """
        state = self._thread_local
        realm, nonce = state.chal["realm"], state.chal["nonce"]
        qop = state.chal.get("qop")
        algorithm = state.chal.get("algorithm")
        opaque = state.chal.get("opaque")

        named = "MD5" if algorithm is None else algorithm.upper()
        digest = _digest(named)
        if digest is None:
            return None

        parsed = urlparse(url)
        path = parsed.path or "/"
        if parsed.query:
            path += f"?{parsed.query}"
        # Of bytes this makes "b'name'", as requests does; only str works with digest.
        username: Any = self.username
        password: Any = self.password
        account = digest(f"{username}:{realm}:{password}")
        request = digest(f"{method}:{path}")

        state.nonce_count = state.nonce_count + 1 if nonce == state.last_nonce else 1
        count = f"{state.nonce_count:08x}"
        client_nonce = _client_nonce(state.nonce_count, nonce)
        if named == "MD5-SESS":
            account = digest(f"{account}:{nonce}:{client_nonce}")

        if not qop:
            response = digest(f"{account}:{nonce}:{request}")
        elif qop == "auth" or "auth" in qop.split(","):
            response = digest(f"{account}:{nonce}:{count}:{client_nonce}:auth:{request}")
        else:
            return None  # auth-int, which would cover the body
        state.last_nonce = nonce

        fields = [
            f'username="{username}"',
            f'realm="{realm}"',
            f'nonce="{nonce}"',
            f'uri="{path}"',
            f'response="{response}"',
        ]
        if opaque:
            fields.append(f'opaque="{opaque}"')
        if algorithm:
            fields.append(f'algorithm="{algorithm}"')
        if qop:
            fields.append(f'qop="auth", nc={count}, cnonce="{client_nonce}"')
        return "Digest " + ", ".join(fields)

    def handle_redirect(self, r: Response, **kwargs: Any) -> None:
        """Let the target of a redirect challenge us anew."""
        if r.is_redirect:
            self._thread_local.num_401_calls = 1

    def handle_401(self, r: Response, **kwargs: Any) -> Response:
        """If `r` is a challenge not answered yet, send the request again with the answer."""
        state = self._thread_local
        if not 400 <= r.status_code < 500:
            state.num_401_calls = 1
            return r
        if state.pos is not None:
            seek = getattr(r.request.body, "seek", None)
            if seek is not None:
                seek(state.pos)

        challenge = r.headers.get("www-authenticate", "")
        if "digest" not in challenge.lower() or not state.num_401_calls < 2:
            state.num_401_calls = 1
            return r
        state.num_401_calls += 1
        fields = re.sub(r"digest ", "", challenge, count=1, flags=re.IGNORECASE)
        state.chal = parse_dict_header(fields)

        # The body is read to its end, so that the answer can go over the same connection.
        r.content  # noqa: B018
        r.close()
        # The copy knows which call it belongs to (`_after`): one timeline and one total for both.
        again = r.request.copy()
        _take_cookies(again, r)
        field = self.build_digest_header(again.method or "", again.url or "")
        if field:
            again.headers["Authorization"] = field
        answer: Response = r.connection.send(again, **kwargs)
        answer.history.append(r)
        answer.request = again
        return answer

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self.init_per_thread_state()
        state = self._thread_local
        if state.last_nonce:
            # Challenged before: answer at once, and save a round.
            field = self.build_digest_header(r.method or "", r.url or "")
            if field:
                r.headers["Authorization"] = field
        # Where the body begins; None also forgets where an earlier body began.
        tell = getattr(r.body, "tell", None)
        state.pos = None if tell is None else tell()
        r.register_hook("response", self.handle_401)
        r.register_hook("response", self.handle_redirect)
        state.num_401_calls = 1
        return r

    def __eq__(self, other: object) -> bool:
        return _same_account(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _digest(algorithm: str) -> Callable[[str], str] | None:
    """Return the function from text to hexadecimal digest that a challenge names."""
    name = _DIGESTS.get(algorithm)
    if name is None:
        return None
    import hashlib

    function = getattr(hashlib, name)

    def digest(text: str) -> str:
        result: str = function(text.encode("utf-8"), usedforsecurity=False).hexdigest()
        return result

    return digest


def _client_nonce(count: int, nonce: str) -> str:
    import hashlib

    mixed = f"{count}{nonce}{time.ctime()}".encode() + os.urandom(8)
    return hashlib.sha1(mixed, usedforsecurity=False).hexdigest()[:16]


def _take_cookies(request: PreparedRequest, response: Response) -> None:
    """Let a challenge set cookies for its answer."""
    jar: Any = request._cookies
    reply = response.__dict__.get("_reply")
    if reply is not None and "raw" not in response.__dict__:
        # Nobody looked at `raw`, and making it would import urllib3.
        if reply.flags & 1:
            from .cookies import _extract_from_reply

            _extract_from_reply(jar, response.request, reply)
    else:
        here = sys.modules[__name__]
        here.extract_cookies_to_jar(jar, response.request, response.raw)
    request.prepare_cookies(jar)


if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        globals(),
        {
            "hashlib": "hashlib",
            "extract_cookies_to_jar": ".cookies:extract_cookies_to_jar",
            **{name: f"typing:{name}" for name in ("Any", "Final", "cast", "overload")},
        },
    )
