"""The short way of an ordinary request: one call into the engine, from URL to response.

A request is ordinary if nothing on its way was overridden, patched, mounted or asked for that only Python can do
(`_fast_guard` finds that out). For all others `call` returns None, having done nothing, and the long way begins. Both
ways must send the same bytes and give the same response: tests send every request of theirs both ways. Whatever comes
back unusual (a redirect, a cookie) goes on in `Session._finish`, as on the long way.
"""

from __future__ import annotations

import os
import sys

from . import _choice, _fast_cookies, _native, models, sessions
from . import _fast_guard as _guard
from . import adapters as _adapters
from ._engine import EngineError, simple_url
from ._fast_names import ADAPTER_METHODS, SESSION_METHODS
from ._log_lines import host_and_port
from ._response import Response
from ._time import current_deadline
from .structures import CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .adapters import HTTPAdapter
    from .models import PreparedRequest
    from .sessions import Session

# Names of that module are filled in late.
_here: Any = _adapters

_NO_HOOKS: dict[str, list[Any]] = {"response": []}
_SESSION_NAMES = frozenset(SESSION_METHODS)
_ADAPTER_NAMES = frozenset(ADAPTER_METHODS)
_REDIRECT_OR_COOKIES = 3


def call(
    session: Session,
    method: Any,
    url: Any,
    params: Any,
    data: Any,
    headers: Any,
    cookies: Any,
    files: Any,
    auth: Any,
    timeout: Any,
    allow_redirects: bool,
    proxies: Any,
    hooks: Any,
    stream: Any,
    verify: Any,
    cert: Any,
    json: Any,
) -> Response | None:
    """Make an ordinary request; None, and nothing is done, if it is not ordinary."""
    if files or cookies or hooks or proxies or type(url) is not str or type(method) is not str:
        return None
    kind = type(session)
    if not _guard.is_pristine() or (
        kind is not _guard.SESSION_ITSELF and not _guard.is_our_session(kind)
    ):
        return None
    own = session.__dict__
    try:
        if not _SESSION_NAMES.isdisjoint(own) or own["hooks"] != _NO_HOOKS or own["proxies"]:
            return None
        if auth is None:
            auth = own["auth"]
        if stream is None:
            stream = own["stream"]
        if cert is None:
            cert = own["cert"]
        if cert is not None or headers is not None and type(headers) is not dict:
            return None
        stored = own["headers"]
        if type(stored) is not CaseInsensitiveDict or _guard.is_logged():
            return None
        # What is in them the engine looks at.
        store = stored._store
        verify = _verify(own, verify, auth)
        trusted = None if url.startswith("http://") else _trusted(url, verify)
        body, content_type = _encode(data, json) if data or json is not None else (None, None)
        authorization = None if auth is None else _authorization(auth, store, headers)
        sent_cookies = _cookies(own, store, headers)
        adapter, prepared_url = _destination(session, url, params, sent_cookies)
        cookie = _fast_cookies.header(sent_cookies, prepared_url or "") if sent_cookies else None
    except (_NotOrdinary, _fast_cookies.Unusual, KeyError):
        # A KeyError: somebody removed an attribute of the session, or has it elsewhere.
        return None
    known = adapter.__dict__.get("_last_origin")
    if known is None or known.verify is not verify or not url.startswith(known.prefix):
        known = _remember_origin(adapter, url, verify, cert)
    sys.audit("http.client.connect", adapter, known.host, known.port)
    try:
        answer = None
        if prepared_url is None:
            # What Rust prepares itself it is given as it was written.
            answer = adapter._engine.fetch(
                method.upper(), url, False, store, headers, body, content_type, cookie, authorization,
                timeout, current_deadline(), trusted, None, bool(stream),
            )  # fmt: skip
        if answer is None:
            answer = adapter._engine.fetch(
                method.upper(), prepared_url or _prepared(url, None, None), True, store, headers,
                body, content_type, cookie, authorization,
                timeout, current_deadline(), trusted, None, bool(stream),
            )  # fmt: skip
    except _NotOrdinary:
        return None
    except (EngineError, OSError) as error:
        # An OSError: a signal handler raised it.
        raise _failure(
            session, adapter, error, method, url, params, data, headers, auth, json, timeout
        ) from None
    if answer is None:
        return None
    response = _response(answer, adapter, sent_cookies)
    if answer[1] & _REDIRECT_OR_COOKIES:
        kwargs = {
            "timeout": timeout,
            "verify": verify,
            "proxies": {},
            "stream": stream,
            "cert": cert,
        }
        return session._finish(response.request, response, allow_redirects, kwargs)
    if answer[3] is None and not stream:
        response.content  # noqa: B018
    return response


def _response(answer: Any, adapter: HTTPAdapter, sent_cookies: Any) -> Response:
    response = _new_response(Response)
    attributes = response.__dict__
    attributes["_reply"], _, status, content = answer
    attributes["connection"] = adapter
    # What nearly everybody looks at costs less now than later.
    attributes["status_code"] = status
    if sent_cookies:
        attributes["_sent_cookies"] = sent_cookies
    if content is not None:
        attributes["_content"] = content
    return response


class _NotOrdinary(Exception):
    """The long way has to be taken."""


def _verify(own: dict[str, Any], verify: Any, auth: Any) -> Any:
    """What is verified with, as `merge_environment_settings` finds it."""
    if own["trust_env"]:
        environment = _guard.known_environment()
        if environment is None or environment.proxies or auth is None and environment.has_netrc():
            raise _NotOrdinary
        if verify is True or verify is None:
            verify = environment.ca_bundle or verify
    return own["verify"] if verify is None else verify


def _trusted(url: str, verify: Any) -> str:
    """The file or folder with the certificates that `verify` means."""
    if not url.startswith("https://") or not _guard.has_usual_extras():
        raise _NotOrdinary
    if verify is True:
        path: str = _here.DEFAULT_CA_BUNDLE_PATH
        return path
    if type(verify) is not str or not os.path.exists(verify):
        raise _NotOrdinary
    return verify


def _cookies(own: dict[str, Any], store: Any, headers: Any) -> Any:
    """The cookies of the session's jar, if there are any to choose from."""
    jar = own.get("cookies")
    if jar is None:
        return None
    if type(jar) is not sessions.RequestsCookieJar:
        raise _NotOrdinary
    if not jar._cookies:  # type: ignore[attr-defined]
        return None
    if not _guard.has_usual_extras():
        raise _NotOrdinary
    if "cookie" in store or "host" in store or headers and _names(headers, "cookie", "host"):
        raise _NotOrdinary
    return _fast_cookies.snapshot(jar)


def _destination(session: Session, url: str, params: Any, cookies: Any) -> tuple[Any, str | None]:
    """The adapter, and the URL that is sent if Python has to prepare it or to look at it."""
    own = session.__dict__
    mounted = own.get("adapters") or session.adapters
    prepared = _prepared(url, params, own["params"]) if params or own["params"] else None
    if len(mounted) == 2 and "http://" in mounted and "https://" in mounted:
        adapter = mounted["http://" if url.startswith("http://") else "https://"]
        if cookies and prepared is None:
            prepared = simple_url(url) or _prepared(url, None, None)
    else:
        prepared = prepared or simple_url(url) or _prepared(url, None, None)
        lowered = prepared.lower()
        adapter = next((mounted[key] for key in mounted if lowered.startswith(key.lower())), None)
    if not _is_usual(adapter):
        raise _NotOrdinary
    return adapter, prepared


class _Origin:
    """Where an adapter's last call went to, and how: most go there again."""

    __slots__ = ("host", "port", "prefix", "verify")

    def __init__(self, prefix: str, verify: Any) -> None:
        #: How URLs begin that go there too.
        self.prefix = prefix
        self.verify = verify
        self.host, self.port = host_and_port(prefix)


def _remember_origin(adapter: HTTPAdapter, url: str, verify: Any, cert: Any) -> _Origin:
    """Remember it for the next call, and for those who look at the adapter's pools."""
    end = url.find("/", 8)
    known = _Origin(url if end < 0 else url[: end + 1], verify)
    _native._remember_origin(adapter, url, True if verify is None else verify, cert)
    # A URL that ends after the host says too little of others.
    if end > 0:
        adapter.__dict__["_last_origin"] = known
    return known


_new_response = Response.__new__


def _names(headers: dict[str, str], *names: str) -> bool:
    """Say whether one of these fields is among the headers."""
    return any(isinstance(name, str) and name.lower() in names for name in headers)


def _is_sendable(url: str) -> bool:
    """Say whether a prepared URL has no credentials, and goes over HTTP."""
    return url.startswith(("http://", "https://")) and (
        "@" not in url or "@" not in url[8 : url.find("/", 8)]
    )


def _is_usual(adapter: Any) -> bool:
    """Say whether an adapter is ours and just as it was made."""
    if type(adapter) is not _adapters.HTTPAdapter:
        return False
    settings = adapter.__dict__
    if settings.get("_seen_usual") != len(settings) and not _has_usual_settings(settings):
        return False
    return not settings["proxy_manager"] and settings["_pool_maxsize"] > 0


def _has_usual_settings(settings: dict[str, Any]) -> bool:
    """The same of what cannot change without another attribute: remembered, by their number, if it is so."""
    if settings.get("_retries_given", 0) != 0:
        return False
    if "max_retries" in settings and not _is_no_retry(settings["max_retries"]):
        return False
    # A method of this adapter alone was replaced: the long way calls it.
    if not _ADAPTER_NAMES.isdisjoint(settings):
        return False
    if "poolmanager" in settings and not _choice._is_made_by_us(settings):
        return False
    if "max_retries" not in settings and "poolmanager" not in settings:
        # It counts itself.
        settings["_seen_usual"] = None
        settings["_seen_usual"] = len(settings)
    return True


def _is_no_retry(retries: Any) -> bool:
    """Say whether retries are what an adapter has that was told nothing of them."""
    module = sys.modules.get("urllib3.util.retry")
    if module is None or type(retries) is not module.Retry:
        return False
    return bool(vars(retries) == vars(module.Retry(0, read=False)))


def _encode(data: Any, json: Any) -> tuple[bytes | str, str | None]:
    """The body and its media type."""
    kind = type(data)
    try:
        if not data:
            text = models.complexjson.dumps(json, allow_nan=False)
            return text.encode("utf-8"), "application/json"
        if kind is bytes or kind is str:
            return data, None
        if _can_be_read_again(data):
            text = models.RequestEncodingMixin._encode_params(data)
            return text, "application/x-www-form-urlencoded"
    except Exception as error:
        # The long way raises it, or something else that comes before.
        raise _NotOrdinary from error
    raise _NotOrdinary


_PLAIN = frozenset((str, bytes, int, float, bool, type(None), list, tuple))


def _can_be_read_again(items: Any) -> bool:
    """Say whether the long way would find all of a form or of parameters once more."""
    kind = type(items)
    if kind is dict:
        return all(type(value) in _PLAIN for value in items.values())
    if kind is list or kind is tuple:
        return all(
            type(pair) is tuple and len(pair) == 2 and type(pair[1]) in _PLAIN for pair in items
        )
    return kind is str or kind is bytes or items is None


def _authorization(auth: Any, store: Any, headers: Any) -> str:
    """The field that user and password make."""
    if type(auth) is not tuple or len(auth) != 2:
        raise _NotOrdinary
    user, password = auth
    if type(user) is not str or type(password) is not str:
        raise _NotOrdinary
    if "authorization" in store or headers and _names(headers, "authorization"):
        # It would be replaced where it stands.
        raise _NotOrdinary
    from .auth import _basic_auth_str

    if not _guard.has_usual_extras():
        raise _NotOrdinary
    try:
        return _basic_auth_str(user, password)
    except UnicodeError as error:
        raise _NotOrdinary from error


def _prepared(url: str, params: Any, own_params: Any) -> str:
    """The URL that is sent; it has no credentials, and goes over HTTP."""
    if not _can_be_read_again(params) or not _can_be_read_again(own_params):
        raise _NotOrdinary
    prepared = models.PreparedRequest()
    try:
        merged = sessions.merge_setting(params or {}, own_params or {})
        prepared.prepare_url(url, merged)
    except Exception as error:
        # The long way has the words for whatever it is.
        raise _NotOrdinary from error
    found = prepared.url or ""
    if not _is_sendable(found):
        raise _NotOrdinary
    return found


def _failure(
    session: Session,
    adapter: HTTPAdapter,
    error: Any,
    method: str,
    url: str,
    params: Any,
    data: Any,
    headers: Any,
    auth: Any,
    json: Any,
    timeout: Any,
) -> BaseException:
    """The exception that the long way would have raised."""
    if isinstance(error, EngineError) and error.status is not None:
        # The head had arrived.
        from ._errors import body_error

        return body_error(error)
    made = models.Request(
        method=method,
        url=url,
        headers=headers,
        data=data or {},
        json=json,
        params=params or {},
        auth=auth,
    )
    request: PreparedRequest = session.prepare_request(made)
    call = _native.Call(adapter, request, timeout)
    if isinstance(error, OSError):
        return _native._own_error(error, call)
    return _native.failed(call, error)
