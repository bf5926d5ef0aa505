"""The short way of an ordinary request: one call into the engine, from URL to response.

A request is ordinary if nothing on its way was overridden, patched, mounted or asked for that only Python can
do. Whether it is costs less than a microsecond to find out, by identity; for all others `call` returns None,
having done nothing, and the long way begins. Both ways must send the same bytes and give the same response:
tests send every request of theirs both ways. Whatever comes back unusual (a redirect, a cookie) goes on in
`Session._finish`, as on the long way.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

from . import _choice, _environ, _native, models, sessions
from . import adapters as _adapters
from . import utils as _utils
from ._engine import EngineError, Unchanged
from ._time import current_deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .adapters import HTTPAdapter
    from .models import PreparedRequest, Response
    from .sessions import Session

# The methods that the long way calls, and that a subclass or a patch may have replaced.
_SESSION_METHODS = (
    "request",
    "send",
    "prepare_request",
    "merge_environment_settings",
    "get_adapter",
    "resolve_redirects",
    "get_redirect_target",
    "should_strip_auth",
    "rebuild_auth",
    "rebuild_proxies",
    "rebuild_method",
    "_finish",
)
_PREPARED_METHODS = (
    "__init__",
    "prepare",
    "prepare_method",
    "prepare_url",
    "prepare_headers",
    "prepare_cookies",
    "prepare_body",
    "prepare_content_length",
    "prepare_auth",
    "prepare_hooks",
    "copy",
)
_ADAPTER_METHODS = (
    "send",
    "build_response",
    "init_poolmanager",
    "proxy_manager_for",
    "cert_verify",
    "get_connection",
    "get_connection_with_tls_context",
    "build_connection_pool_key_attributes",
    "request_url",
    "add_headers",
    "proxy_headers",
)
# Names of modules that the long way looks up for each request.
_SESSION_GLOBALS = (
    "PreparedRequest",
    "Request",
    "Session",
    "HTTPAdapter",
    "merge_setting",
    "merge_hooks",
    "merge_cookies",
    "cookiejar_from_dict",
    "get_netrc_auth",
    "get_environ_proxies",
    "should_bypass_proxies",
    "resolve_proxies",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "to_key_val_list",
    "preferred_clock",
)
_MODEL_GLOBALS = ("Response", "PreparedRequest", "complexjson", "CaseInsensitiveDict")
_ADAPTER_GLOBALS = ("HTTPAdapter", "PoolManager", "Response", "TimeoutSauce", "select_proxy")
_UTIL_GLOBALS = ("get_netrc_auth", "get_environ_proxies", "should_bypass_proxies", "select_proxy")

# What requests reads of the environment.
_VARIABLES = tuple(
    name.encode()
    for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in (lower, lower.upper())
) + (b"REQUEST_METHOD", b"REQUESTS_CA_BUNDLE", b"CURL_CA_BUNDLE", b"NETRC", b"HOME")

#: Seconds for which a netrc file that is not there is taken for not there.
_NETRC_INTERVAL = 1.0

_NO_HOOKS: dict[str, list[Any]] = {"response": []}
_MISSING = object()


class _Environment:
    """What the environment says, for as long as its variables are what they were."""

    __slots__ = ("ca_bundle", "count", "netrc_at", "proxies", "unchanged", "variables")

    def __init__(self, variables: dict[bytes, bytes]) -> None:
        self.variables = variables
        self.count = len(variables)
        self.unchanged = Unchanged([(variables, list(_VARIABLES))])
        #: Whether anything but a direct connection may be wanted.
        self.proxies = _environ.may_have_proxies()
        self.ca_bundle = _environ.ca_bundle()
        #: When it was last seen that there is no netrc file; for ever ago if there is one.
        self.netrc_at = float("-inf")

    def has_netrc(self) -> bool:
        """Whether there is a netrc file; that there is none is believed for a second."""
        now = monotonic()
        if now - self.netrc_at < _NETRC_INTERVAL:
            return False
        if any(map(os.path.exists, _environ._netrc_paths(tuple(_utils.NETRC_FILES)))):
            return True
        self.netrc_at = now
        return False


_environment: _Environment | None = None


def _known_environment() -> _Environment | None:
    """The environment as it is now; None if somebody put something else in its place."""
    global _environment
    variables = getattr(os.environ, "_data", None)
    known = _environment
    if (
        known is not None
        and known.variables is variables
        and known.count == len(variables)
        and known.unchanged
    ):
        return known
    if type(variables) is not dict:
        return None
    known = _environment = _Environment(variables)
    return known


# Everything that is looked at by identity; None until it was made, or while something is replaced.
_pristine: Unchanged | None = None
# Classes of sessions whose methods are all ours.
_session_classes: dict[type, Unchanged] = {}


def _make_pristine() -> Unchanged | None:
    """Remember everything as it is, if all of it is ours."""
    global _pristine
    _pristine = None
    if not _is_ours() or _choice.replaced_below() is not None:
        return None
    places: list[tuple[Any, list[Any]]] = [
        (models.PreparedRequest, list(_PREPARED_METHODS)),
        (models.Request, ["__init__", "prepare"]),
        (models.Response, ["__init__"]),
        (_adapters.HTTPAdapter, list(_ADAPTER_METHODS)),
        (sessions.SessionRedirectMixin, ["resolve_redirects"]),
        (vars(sessions), list(_SESSION_GLOBALS)),
        (vars(models), list(_MODEL_GLOBALS)),
        (vars(_utils), list(_UTIL_GLOBALS)),
        (vars(_adapters), list(_ADAPTER_GLOBALS)),
        # A module that is imported later may have something replaced in it.
        (sys.modules, list(_choice._waiting)),
    ]
    places += [(place.holder, list(place.names)) for place in _choice._places]
    if "socket" in sys.modules:
        places.append((sys.modules["socket"].socket, ["connect"]))
    _pristine = Unchanged(places)
    return _pristine


# The functions of ours, as they were when this module was imported.
_OURS = {
    **{(models.PreparedRequest, name): None for name in _PREPARED_METHODS},
    **{(models.Request, name): None for name in ("__init__", "prepare")},
    (models.Response, "__init__"): None,
    **{(_adapters.HTTPAdapter, name): None for name in _ADAPTER_METHODS},
}
for _owner, _name in _OURS:
    _OURS[_owner, _name] = getattr(_owner, _name)
_OUR_GLOBALS = {
    (module.__name__, name): vars(module).get(name, _MISSING)
    for module, names in (
        (sessions, _SESSION_GLOBALS),
        (models, _MODEL_GLOBALS),
        (_utils, _UTIL_GLOBALS),
        (_adapters, _ADAPTER_GLOBALS),
    )
    for name in names
}
_OUR_SESSION = {name: getattr(sessions.Session, name) for name in _SESSION_METHODS}


def _is_ours() -> bool:
    """Say whether the functions on the long way are the ones that we wrote."""
    for (owner, name), value in _OURS.items():
        if getattr(owner, name) is not value:
            return False
    for (module, name), value in _OUR_GLOBALS.items():
        now = vars(sys.modules[module]).get(name, _MISSING)
        if now is value or now is _MISSING:
            continue
        if value is _MISSING and _is_from_its_table(module, name, now):
            continue
        return False
    return True


def _is_from_its_table(module: str, name: str, value: Any) -> bool:
    """Say whether a name that is filled in late has what its table says, by where that is from."""
    home: str = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return home.partition(".")[0] in ("waterclock", "urllib3", "json", "http")


def _is_our_session(kind: type) -> bool:
    """Say whether a class of sessions overrides nothing that the long way calls."""
    guard = _session_classes.get(kind)
    if guard is not None and guard:
        return True
    for name, value in _OUR_SESSION.items():
        if getattr(kind, name) is not value:
            return False
    if len(_session_classes) > 64:
        _session_classes.clear()
    _session_classes[kind] = Unchanged([(kind, list(_SESSION_METHODS))])
    return True


# The logger of urllib3's lines, once somebody has imported logging.
_logger: Any = None


def _is_logged() -> bool:
    """Say whether somebody wants urllib3's lines: the long way writes them."""
    global _logger
    logging = sys.modules.get("logging")
    if logging is None:
        return False
    if _logger is None:
        _logger = logging.getLogger("urllib3.connectionpool")
    return bool(_logger.isEnabledFor(10))


_INSTANCE_METHODS = frozenset(_SESSION_METHODS)


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
    if files or cookies or hooks or proxies or auth is not None:
        return None
    if not (_pristine or _make_pristine()) or not _is_our_session(type(session)):
        return None
    own = session.__dict__
    if not own.keys().isdisjoint(_INSTANCE_METHODS) or type(url) is not str:
        return None
    if own["auth"] is not None or own["hooks"] != _NO_HOOKS or own["proxies"]:
        return None
    if headers is not None and (type(headers) is not dict or None in headers.values()):
        return None
    if type(method) is not str or not method.isupper() or _is_logged():
        return None
    jar = own.get("cookies")
    if jar is not None and (type(jar) is not sessions.RequestsCookieJar or jar._cookies):
        return None
    stored = own["headers"]
    if type(stored) is not sessions.CaseInsensitiveDict:
        return None
    store = stored._store
    if "user-agent" not in store or "accept-encoding" not in store:
        return None
    environment = None
    if own["trust_env"]:
        environment = _known_environment()
        if environment is None or environment.proxies or environment.has_netrc():
            return None

    body = content_type = None
    if data or json is not None:
        encoded = _encode(data, json)
        if encoded is None:
            return None
        body, content_type = encoded

    if stream is None:
        stream = own["stream"]
    if cert is None:
        cert = own["cert"]
    if url.startswith("http://"):
        if cert is not None:
            return None
        # Not looked at for such a URL.
        trusted: Any = None
    else:
        if verify is None:
            verify = own["verify"] if environment is None else environment.ca_bundle or own["verify"]
        elif verify is True and environment is not None:
            verify = environment.ca_bundle or True
        if verify is not True and type(verify) is not str or cert is not None:
            return None
        trusted = _bundle(verify)
        if trusted is None:
            return None

    adapter = _adapter(session, own, url)
    if adapter is None:
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
    prepared_url = url
    is_prepared = False
    if params or own["params"]:
        is_prepared = True
        prepared_url = _prepare_url(url, sessions.merge_setting(params or {}, own["params"]))
    while True:
        try:
            reply = engine.fetch(
                method, prepared_url, is_prepared, store, headers, body, content_type, None, None,
                timeout, current_deadline(), trusted, None, bool(stream),
            )  # fmt: skip
        except EngineError as error:
            failed = error
            break
        except OSError:
            # A file with certificates that cannot be used.
            return None
        if reply is not None:
            return _response(
                session, adapter, reply, allow_redirects, stream, timeout, verify, cert
            )
        if is_prepared:
            return None
        is_prepared = True
        prepared_url = _prepare_url(url, {})
        if "@" in prepared_url or not prepared_url.startswith(("http://", "https://")):
            return None
    raise _failure(
        session, adapter, failed, method, url, params, data, headers, json, timeout
    ) from None


def _adapter(session: Session, own: dict[str, Any], url: str) -> HTTPAdapter | None:
    """Our adapter for `url`, if it is ours and just as it was made."""
    mounted = own.get("adapters")
    if mounted is None:
        mounted = session.adapters
    if len(mounted) == 2:
        adapter = mounted.get("https://" if url.startswith("https://") else "http://")
        if adapter is None:
            return None
    else:
        try:
            adapter = session.get_adapter(url)
        except Exception:
            return None
    if type(adapter) is not _adapters.HTTPAdapter:
        return None
    settings = adapter.__dict__
    if "max_retries" in settings or settings.get("_retries_given", 0) != 0:
        return None
    # A method of this adapter alone was replaced: the long way calls it.
    if not settings.keys().isdisjoint(_ADAPTER_NAMES):
        return None
    if "poolmanager" in settings or settings["proxy_manager"] or settings["_pool_maxsize"] < 1:
        return None
    return adapter


_ADAPTER_NAMES = frozenset(_ADAPTER_METHODS)

# Host and port by origin.
_places: dict[str, tuple[str, int]] = {}


def _remember_place(origin: str) -> tuple[str, int]:
    if len(_places) > 256:
        _places.clear()
    place = _places[origin] = _native._host_and_port(origin)
    return place


def _encode(data: Any, json: Any) -> tuple[bytes | str, str | None] | None:
    """The body and its media type; None if it is not in memory, or not as usual."""
    if not data:
        try:
            text = models.complexjson.dumps(json, allow_nan=False)
        except ValueError:
            return None
        return text.encode("utf-8"), "application/json"
    kind = type(data)
    if kind is bytes or kind is str:
        return data, None
    if kind is dict or kind is list or kind is tuple:
        text = models.RequestEncodingMixin._encode_params(data)
        return text, "application/x-www-form-urlencoded"
    return None


def _prepare_url(url: str, params: Any) -> str:
    prepared = models.PreparedRequest()
    prepared.prepare_url(url, params)
    return prepared.url  # type: ignore[return-value]


_bundles: dict[Any, str] = {}


def _bundle(verify: Any) -> str | None:
    """The file or folder of CA certificates that `verify` means, if it is there."""
    if verify is True:
        try:
            return _bundles[True]
        except KeyError:
            path = _bundles[True] = _utils.DEFAULT_CA_BUNDLE_PATH
            return path
    return verify if os.path.exists(verify) else None


def _response(
    session: Session,
    adapter: HTTPAdapter,
    reply: Any,
    allow_redirects: bool,
    stream: Any,
    timeout: Any,
    verify: Any,
    cert: Any,
) -> Response:
    response = _new_response(models.Response)
    attributes = response.__dict__
    attributes["_reply"] = reply
    attributes["connection"] = adapter
    if reply.body is not None:
        attributes["_content"] = reply.body
    elif not stream:
        response.content  # noqa: B018
    if reply.flags & 3:
        kwargs = {
            "timeout": timeout,
            "verify": session.verify if verify is None else verify,
            "proxies": {},
            "stream": stream,
            "cert": cert,
        }
        return session._finish(response.request, response, allow_redirects, kwargs)
    return response


_new_response = models.Response.__new__


def _failure(
    session: Session,
    adapter: HTTPAdapter,
    error: Any,
    method: str,
    url: str,
    params: Any,
    data: Any,
    headers: Any,
    json: Any,
    timeout: Any,
) -> BaseException:
    """The exception that the long way would have raised."""
    if error.status is not None:
        # The head had arrived.
        from ._errors import body_error

        return body_error(error)
    made = models.Request(
        method=method, url=url, headers=headers, data=data or {}, json=json, params=params or {}
    )
    request: PreparedRequest = session.prepare_request(made)
    return _native.failed(_native.Call(adapter, request, timeout), error)
