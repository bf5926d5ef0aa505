"""The way of an ordinary request: who sends it, with which fields, and whom it trusts.

Found once, a way holds for as long as nothing has changed that it was found from; all of that is looked at in one step
in Rust (`Attributes`).
"""

from __future__ import annotations

import os
import sys
from time import monotonic

from . import _choice, models, sessions
from . import _fast_guard as _guard
from . import adapters as _adapters
from ._engine import Attributes, Unchanged, Way, simple_url
from ._fast_names import ADAPTER_METHODS, SESSION_ATTRIBUTES, SESSION_METHODS
from .structures import CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import Surface
    from .adapters import HTTPAdapter
    from .sessions import Session

# Names of that module are filled in late.
_here: Any = _adapters

_NO_HOOKS: dict[str, list[Any]] = {"response": []}
_SESSION_NAMES = frozenset(SESSION_METHODS)
_THAT_MATTER: set[str] = set(SESSION_ATTRIBUTES)
_ADAPTER_NAMES = frozenset(ADAPTER_METHODS)

#: Where a session keeps its latest way, among its attributes.
NAME = "_waterclock_way"


class NotOrdinary(Exception):
    """The long way has to be taken."""


class Found:
    """What a way is made of, and whether it may be taken again."""

    __slots__ = (
        "adapter",
        "authorization",
        "cookie",
        "is_known",
        "kind",
        "origin",
        "sent_cookies",
        "store",
        "stream",
        "trusted",
        "until",
        "url",
        "verify",
    )

    adapter: HTTPAdapter
    authorization: str | None
    cookie: str | None
    #: Whether the adapter's last call went to the same origin.
    is_known: bool
    #: The class of the session.
    kind: type
    origin: Origin
    sent_cookies: Any
    #: Of the session's header fields. What is in them the engine looks at.
    store: Any
    stream: Any
    #: The file or folder with the certificates to trust.
    trusted: str | None
    #: Till when it holds, by the monotonic clock.
    until: float
    #: What is sent, if Python has to prepare it or to look at it.
    url: str | None
    verify: Any

    def may_be_taken_again(self) -> bool:
        """Say whether nothing of it was made for one call; and the first call to somewhere may be the last."""
        return self.is_known and self.url is None and self.authorization is None

    def way(self, surface: Surface, attributes: Attributes | None = None) -> Way:
        """The way, which is taken again while `attributes` are what they were."""
        origin = self.origin
        return Way(
            surface, self.kind, self.adapter, self.adapter._engine,
            origin.prefix, (origin.host, origin.port), self.store, self.cookie, self.sent_cookies,
            self.authorization, self.verify, self.trusted, bool(self.stream), attributes,
            self.until - monotonic() if attributes is not None else 0.0,
        )  # fmt: skip


def find(
    session: Session,
    surface: Surface,
    url: str,
    params: Any,
    headers: Any,
    auth: Any,
    verify: Any,
    cert: Any,
) -> tuple[Way, str | None]:
    """Find the way of a call, and the URL that is sent, if Python has to prepare it or to look at it.

    :raises NotOrdinary: if Python has to make the call.
    """
    found = _found(session, url, params, headers, auth, verify, cert)
    if params or not auth is verify is cert is None or not found.may_be_taken_again():
        return found.way(surface), found.url
    attributes = _all_it_stands_on(session, found)
    if attributes is None:
        return found.way(surface), found.url
    # Again, as another thread may have changed something before it was looked at.
    found = _found(session, url, params, headers, auth, verify, cert)
    way = found.way(surface, attributes)
    if found.may_be_taken_again():
        session.__dict__[NAME] = way
    return way, found.url


def _found(
    session: Session, url: str, params: Any, headers: Any, auth: Any, verify: Any, cert: Any
) -> Found:
    kind = type(session)
    if not _guard.is_pristine() or (
        kind is not _guard.SESSION_ITSELF and not _guard.is_our_session(kind)
    ):
        raise NotOrdinary
    own = session.__dict__
    if not _SESSION_NAMES.isdisjoint(own) or own["hooks"] != _NO_HOOKS or own["proxies"]:
        raise NotOrdinary
    auth = own["auth"] if auth is None else auth
    cert = own["cert"] if cert is None else cert
    stored = own["headers"]
    if cert is not None or type(stored) is not CaseInsensitiveDict or _guard.is_logged():
        raise NotOrdinary
    found = Found()
    found.kind = kind
    found.stream = own["stream"]
    found.store = store = stored._store
    found.verify, found.until = _verify(own, verify, auth)
    found.trusted = None if url.startswith("http://") else _trusted(url, found.verify)
    found.authorization = None if auth is None else _authorization(auth, store, headers)
    found.sent_cookies = cookies = _cookies(own, store, headers)
    found.adapter, found.url = _destination(session, url, params, cookies)
    found.cookie = _cookie(cookies, found.url or "") if cookies else None
    known: Any = found.adapter.__dict__.get("_last_origin")
    if known is not None and known.verify is found.verify and url.startswith(known.prefix):
        found.is_known, found.origin = True, known
    else:
        found.is_known, found.origin = (
            False,
            _remember_origin(found.adapter, url, found.verify, cert),
        )
    return found


def _all_it_stands_on(session: Session, found: Found) -> Attributes | None:
    """What a way was found from; None if it cannot be seen whether that stays as it is."""
    own = session.__dict__
    settings = found.adapter.__dict__
    guards = _guard.guards(type(session), found.trusted is not None)
    logging = _guard.where_logging_is_decided()
    # Retries can be changed where they are.
    if guards is None or logging is None or settings.get("_seen_usual") != len(settings):
        return None
    if own["trust_env"]:
        environment = _guard.known_environment()
        if environment is None:
            return None
        guards.append(environment.unchanged)
    nothing = [own["proxies"], own["params"], *own["hooks"].values(), settings["proxy_manager"]]
    usual = ["_engine", "proxy_manager", "_pool_maxsize", "_seen_usual", "_last_origin"]
    places = [logging, (own["headers"].__dict__, ["_store"]), (settings, usual)]
    jar: Any = own.get("cookies")
    if jar is not None:
        nothing.append(jar._cookies)
        places.append((jar.__dict__, ["_cookies"]))
    whole = [own["hooks"], own.get("adapters")]
    if any(not isinstance(each, (dict, list)) or each for each in nothing):
        return None
    if not all(isinstance(each, dict) for each in whole):
        return None
    # It is one of the names from now on.
    own.setdefault(NAME, None)
    unchanged = Unchanged(places, whole, [settings, *nothing], guards)
    return Attributes(own, _THAT_MATTER, unchanged)


def _verify(own: dict[str, Any], verify: Any, auth: Any) -> tuple[Any, float]:
    """What is verified with, as `merge_environment_settings` finds it, and till when."""
    until = float("inf")
    if own["trust_env"]:
        environment = _guard.known_environment()
        if environment is None or environment.proxies or auth is None and environment.has_netrc():
            raise NotOrdinary
        until = environment.no_netrc_until
        if verify is True or verify is None:
            verify = environment.ca_bundle or verify
    return own["verify"] if verify is None else verify, until


def _trusted(url: str, verify: Any) -> str:
    """The file or folder with the certificates that `verify` means."""
    if not url.startswith("https://") or not _guard.has_usual_extras():
        raise NotOrdinary
    if verify is True:
        path: str = _here.DEFAULT_CA_BUNDLE_PATH
        return path
    if type(verify) is not str or not os.path.exists(verify):
        raise NotOrdinary
    return verify


def _cookies(own: dict[str, Any], store: Any, headers: Any) -> Any:
    """The cookies of the session's jar, if there are any to choose from."""
    jar = own.get("cookies")
    if jar is None:
        return None
    if type(jar) is not sessions.RequestsCookieJar:
        raise NotOrdinary
    if not jar._cookies:  # type: ignore[attr-defined]
        return None
    if not _guard.has_usual_extras():
        raise NotOrdinary
    if "cookie" in store or "host" in store or headers and _names(headers, "cookie", "host"):
        raise NotOrdinary
    return sessions._fast_cookies.snapshot(jar)


def _cookie(cookies: Any, url: str) -> str | None:
    """What is sent of the cookies."""
    try:
        return sessions._fast_cookies.header(cookies, url)
    except sessions._fast_cookies.Unusual:
        raise NotOrdinary from None


def _destination(session: Session, url: str, params: Any, cookies: Any) -> tuple[Any, str | None]:
    """The adapter, and the URL that is sent if Python has to prepare it or to look at it."""
    own = session.__dict__
    mounted = own.get("adapters") or session.adapters
    target = prepared(url, params, own["params"]) if params or own["params"] else None
    if len(mounted) == 2 and "http://" in mounted and "https://" in mounted:
        adapter = mounted["http://" if url.startswith("http://") else "https://"]
        if cookies and target is None:
            target = simple_url(url) or prepared(url, None, None)
    else:
        target = target or simple_url(url) or prepared(url, None, None)
        lowered = target.lower()
        adapter = next((mounted[key] for key in mounted if lowered.startswith(key.lower())), None)
    if not _is_usual(adapter):
        raise NotOrdinary
    return adapter, target


class Origin:
    """Where an adapter's last call went to, and how: most go there again."""

    __slots__ = ("host", "port", "prefix", "verify")

    def __init__(self, prefix: str, verify: Any) -> None:
        #: How URLs begin that go there too.
        self.prefix = prefix
        self.verify = verify
        self.host, self.port = _adapters.host_and_port(prefix)


def _remember_origin(adapter: HTTPAdapter, url: str, verify: Any, cert: Any) -> Origin:
    """Remember it for the next call, and for those who look at the adapter's pools."""
    end = url.find("/", 8)
    known = Origin(url if end < 0 else url[: end + 1], verify)
    _adapters.remember_origin(adapter, url, True if verify is None else verify, cert)
    # A URL that ends after the host says too little of others.
    if end > 0:
        adapter.__dict__["_last_origin"] = known
    return known


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


_PLAIN = frozenset((str, bytes, int, float, bool, type(None), list, tuple))


def can_be_read_again(items: Any) -> bool:
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
        raise NotOrdinary
    user, password = auth
    if type(user) is not str or type(password) is not str:
        raise NotOrdinary
    if "authorization" in store or headers and _names(headers, "authorization"):
        # It would be replaced where it stands.
        raise NotOrdinary
    from .auth import _basic_auth_str

    if not _guard.has_usual_extras():
        raise NotOrdinary
    try:
        return _basic_auth_str(user, password)
    except UnicodeError as error:
        raise NotOrdinary from error


def prepared(url: str, params: Any, own_params: Any) -> str:
    """The URL that is sent; it has no credentials, and goes over HTTP."""
    if not can_be_read_again(params) or not can_be_read_again(own_params):
        raise NotOrdinary
    prepared = models.PreparedRequest()
    try:
        merged = sessions.merge_setting(params or {}, own_params or {})
        prepared.prepare_url(url, merged)
    except Exception as error:
        # The long way has the words for whatever it is.
        raise NotOrdinary from error
    found = prepared.url or ""
    if not _is_sendable(found):
        raise NotOrdinary
    return found
