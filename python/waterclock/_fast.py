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
from ._time import current_deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .adapters import HTTPAdapter
    from .models import PreparedRequest, Response
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
    if not _guard.is_pristine() or not _guard.is_our_session(type(session)):
        return None
    own = session.__dict__
    if not own.keys().isdisjoint(_SESSION_NAMES):
        return None
    try:
        if own["hooks"] != _NO_HOOKS or own["proxies"] or _guard.is_logged():
            return None
        stored, own_params, own_verify = own["headers"], own["params"], own["verify"]
        if auth is None:
            auth = own["auth"]
        if stream is None:
            stream = own["stream"]
        if cert is None:
            cert = own["cert"]
        trusts_environment = own["trust_env"]
    except KeyError:
        # Somebody removed it, or has it elsewhere.
        return None
    if headers is not None and type(headers) is not dict or cert is not None:
        return None
    if type(stored) is not sessions.CaseInsensitiveDict:
        return None
    # What is in them the engine looks at.
    store = stored._store

    environment = None
    if trusts_environment:
        environment = _guard.known_environment()
        if environment is None or environment.proxies:
            return None
        if auth is None and environment.has_netrc():
            return None
        if verify is True or verify is None:
            verify = environment.ca_bundle or verify
    if verify is None:
        verify = own_verify

    # What Rust prepares itself it is given as it was written.
    prepared_url = url
    is_prepared = False
    try:
        if params or own_params:
            is_prepared = True
            prepared_url = _prepared(url, sessions.merge_setting(params or {}, own_params))
        body = content_type = None
        if data or json is not None:
            encoded = _encode(data, json)
            if encoded is None:
                return None
            body, content_type = encoded
        authorization = None if auth is None else _authorization(auth, store, headers)
    except Exception:  # noqa: BLE001 - the long way raises it, or something else that comes before
        return None
    if authorization is None and auth is not None:
        return None

    if url.startswith("http://"):
        # Not looked at for such a URL.
        trusted: Any = None
    elif url.startswith("https://"):
        if verify is not True and type(verify) is not str:
            return None
        trusted = verify if verify is not True else _adapters.DEFAULT_CA_BUNDLE_PATH  # type: ignore[attr-defined]
        if verify is not True and not os.path.exists(verify):
            return None
    else:
        return None

    jar: Any = own.get("cookies")
    cookie = sent_cookies = None
    mounted = own.get("adapters")
    if mounted is None:
        mounted = session.adapters
    is_usual_mount = len(mounted) == 2 and "http://" in mounted and "https://" in mounted
    if jar is not None:
        if type(jar) is not sessions.RequestsCookieJar:
            return None
        if jar._cookies:  # type: ignore[attr-defined]
            sent_cookies = _fast_cookies.snapshot(jar)
    if (sent_cookies or not is_usual_mount) and not is_prepared:
        # Both look at the URL that is sent.
        is_prepared = True
        prepared_url = simple_url(url) or _prepared(url, {})
    if sent_cookies:
        if "cookie" in store or "host" in store or headers and _names(headers, "cookie", "host"):
            return None
        try:
            cookie = _fast_cookies.header(sent_cookies, prepared_url)
        except _fast_cookies.Unusual:
            return None
    if is_prepared and not _is_sendable(prepared_url):
        return None
    if is_usual_mount:
        adapter: Any = mounted["https://" if url.startswith("https") else "http://"]
    else:
        adapter = next(
            (mounted[key] for key in mounted if prepared_url.lower().startswith(key.lower())), None
        )
    if not _is_usual(adapter):
        return None
    end = url.find("/", 8)
    origin = url if end < 0 else url[:end]
    place = _places.get(origin)
    if place is None:
        place = _remember_place(origin)
    settings = adapter.__dict__
    origins = settings.get("_origins")
    if origins is None or origin not in origins:
        _native._remember_origin(adapter, url, True if verify is None else verify, cert)
    sys.audit("http.client.connect", adapter, *place)
    engine = adapter._engine
    name = method.upper()
    failed: EngineError | None = None
    reply: Any = None
    while True:
        try:
            reply = engine.fetch(
                name, prepared_url, is_prepared, store, headers, body, content_type, cookie,
                authorization, timeout, current_deadline(), trusted, None, bool(stream),
            )  # fmt: skip
        except EngineError as error:
            failed = error
            break
        except OSError:
            # A file with certificates that cannot be used.
            return None
        if reply is not None:
            break
        if is_prepared:
            return None
        is_prepared = True
        prepared_url = _prepared(url, {})
        if not _is_sendable(prepared_url):
            return None
    if reply is None:
        raise _failure(
            session, adapter, failed, name, url, params, data, headers, auth, json, timeout
        ) from None

    response = _new_response(models.Response)
    attributes = response.__dict__
    attributes["_reply"] = reply
    attributes["connection"] = adapter
    if sent_cookies:
        attributes["_sent_cookies"] = sent_cookies
    if reply.body is not None:
        attributes["_content"] = reply.body
    if reply.flags & _REDIRECT_OR_COOKIES:
        kwargs = {
            "timeout": timeout,
            "verify": verify,
            "proxies": {},
            "stream": stream,
            "cert": cert,
        }
        return session._finish(response.request, response, allow_redirects, kwargs)
    if reply.body is None and not stream:
        response.content  # noqa: B018
    return response


_new_response = models.Response.__new__


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
    if settings.get("_retries_given", 0) != 0:
        return False
    if "max_retries" in settings and not _is_no_retry(settings["max_retries"]):
        return False
    # A method of this adapter alone was replaced: the long way calls it.
    if not settings.keys().isdisjoint(_ADAPTER_NAMES):
        return False
    if settings.get("proxy_manager") or settings.get("_pool_maxsize", 0) < 1:
        return False
    return "poolmanager" not in settings or _choice._is_made_by_us(settings)


def _is_no_retry(retries: Any) -> bool:
    """Say whether retries are what an adapter has that was told nothing of them."""
    module = sys.modules.get("urllib3.util.retry")
    if module is None or type(retries) is not module.Retry:
        return False
    return bool(vars(retries) == vars(module.Retry(0, read=False)))


# Host and port by origin.
_places: dict[str, tuple[str, int]] = {}


def _remember_place(origin: str) -> tuple[str, int]:
    if len(_places) > 256:
        _places.clear()
    place = _places[origin] = host_and_port(origin)
    return place


def _encode(data: Any, json: Any) -> tuple[bytes | str, str | None] | None:
    """The body and its media type; None if it is not in memory, or not as usual."""
    if not data:
        text = models.complexjson.dumps(json, allow_nan=False)
        return text.encode("utf-8"), "application/json"
    kind = type(data)
    if kind is bytes or kind is str:
        return data, None
    if kind is dict or kind is list or kind is tuple:
        text = models.RequestEncodingMixin._encode_params(data)
        return text, "application/x-www-form-urlencoded"
    return None


def _authorization(auth: Any, store: Any, headers: Any) -> str | None:
    """The field that user and password make; None if it takes more than that."""
    if type(auth) is not tuple or len(auth) != 2:
        return None
    user, password = auth
    if type(user) is not str or type(password) is not str:
        return None
    if "authorization" in store or headers and _names(headers, "authorization"):
        # It would be replaced where it stands.
        return None
    from .auth import _basic_auth_str

    return _basic_auth_str(user, password) if _guard.is_pristine() else None


def _prepared(url: str, params: Any) -> str:
    """The URL that is sent; nothing if there is none, for which the long way has words."""
    prepared = models.PreparedRequest()
    try:
        prepared.prepare_url(url, params)
    except Exception:  # noqa: BLE001 - whatever it is
        return ""
    return prepared.url or ""


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
    if error.status is not None:
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
    return _native.failed(_native.Call(adapter, request, timeout), error)
