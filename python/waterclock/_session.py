"""`Session`: settings, cookies and connections that several requests share."""

from __future__ import annotations

from . import _environ
from . import sessions as _sessions
from ._environ import is_original, netrc_auth, resolve_proxies
from ._lazy import Lazy
from ._redirects import SessionRedirectMixin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from http.cookiejar import CookieJar
    from typing import Any

    from typing_extensions import Self, Unpack

    from . import _types as _t
    from ._engine import Way
    from .adapters import BaseAdapter
    from .cookies import RequestsCookieJar
    from .models import PreparedRequest, Request, Response
    from .structures import CaseInsensitiveDict


def _has_other_adapter() -> bool:
    """Say whether somebody put a class of their own in the place of our adapter."""
    adapter = _sessions.__dict__.get("HTTPAdapter")
    return adapter is not None and getattr(adapter, "__module__", "") != "waterclock.adapters"


class Session(SessionRedirectMixin):
    """Requests that share settings, cookies and connections.

    >>> import waterclock
    >>> with waterclock.Session() as session:
    ...     session.headers["X-Shop"] = "42"

    Threads may share a session, if its settings do not change meanwhile.

    :param timeout: what `timeout=` is for every call that says nothing else: seconds, `(connect,
        read)` in seconds, or `waterclock.Limits`. None, the default, waits for ever.
    """

    __module__ = "waterclock.sessions"

    __attrs__: list[str] = [  # noqa: RUF012 - subclasses add to a copy
        "headers",
        "cookies",
        "auth",
        "proxies",
        "hooks",
        "params",
        "verify",
        "cert",
        "adapters",
        "stream",
        "trust_env",
        "max_redirects",
    ]

    headers: CaseInsensitiveDict[str]
    auth: _t.AuthType
    proxies: dict[str, str]
    hooks: dict[str, list[_t.HookType]]
    params: MutableMapping[str, Any]
    stream: bool
    verify: _t.VerifyType
    cert: _t.CertType
    max_redirects: int
    trust_env: bool

    #: What `timeout=` is when a call does not say. Not set by `__init__` unless it was given,
    #: because subclasses of requests' Session often have an attribute of that name.
    timeout: _t.TimeoutType = None

    #: The way of its latest ordinary request (`_fast_way`).
    _waterclock_way: Way | None = None

    if TYPE_CHECKING:
        cookies: RequestsCookieJar
        adapters: MutableMapping[str, BaseAdapter]
    else:

        @Lazy
        def cookies(self) -> RequestsCookieJar:
            """The cookies that responses set and requests send; any CookieJar can be put here."""
            return _sessions.cookiejar_from_dict({})

        @Lazy
        def adapters(self) -> MutableMapping[str, BaseAdapter]:
            """Who sends a request, by the beginning of its URL, the longest first."""
            # Complete before another thread can see it.
            adapters = _sessions.OrderedDict()
            adapters["https://"] = _sessions.HTTPAdapter()
            adapters["http://"] = _sessions.HTTPAdapter()
            return adapters

    def __init__(self, *, timeout: _t.TimeoutType = None) -> None:
        #: Header fields of every request.
        self.headers = _sessions.default_headers()
        #: `(user, password)` or a callable, for every request that has no other.
        self.auth = None
        #: Proxies by scheme, or by scheme and host.
        self.proxies = {}
        #: Functions that see every response.
        self.hooks = _sessions.default_hooks()
        #: What every query gets.
        self.params = {}
        #: Whether the body is left to be read later.
        self.stream = False
        #: Whether certificates are verified, or with which CA file or folder.
        self.verify = True
        #: File with the client's certificate, or `(certificate, key)`.
        self.cert = None
        #: How many redirects are followed for one request.
        self.max_redirects = _sessions.DEFAULT_REDIRECT_LIMIT
        #: Whether proxies, netrc and CA certificates are looked for in the environment.
        self.trust_env = True
        if timeout is not None:
            self.timeout = timeout
        if type(self).mount is not Session.mount or _has_other_adapter():
            # A subclass may want to know of each adapter, and a patch may not last.
            self.adapters = _sessions.OrderedDict()
            self.mount("https://", _sessions.HTTPAdapter())
            self.mount("http://", _sessions.HTTPAdapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def prepare_request(self, request: Request) -> PreparedRequest:
        """Make what is sent, from a request and the settings of this session."""
        url: Any = request.url
        method: Any = request.method
        prepared = _sessions.PreparedRequest()
        auth = request.auth
        if self.trust_env and not auth and not self.auth:
            auth = netrc_auth(url)
        merge = _sessions.merge_setting
        prepared.prepare(
            method=method.upper(),
            url=url,
            files=request.files,
            data=request.data,
            json=request.json,
            headers=merge(request.headers, self.headers, dict_class=_sessions.CaseInsensitiveDict),
            params=merge(request.params, self.params),
            auth=merge(auth, self.auth),
            cookies=self._cookies_for(request, prepared),
            hooks=_sessions.merge_hooks(request.hooks, self.hooks),
        )
        return prepared

    def _cookies_for(self, request: Request, prepared: PreparedRequest) -> Any:
        """Return a jar with the cookies of session and request; None if there are none."""
        cookies: Any = request.cookies or {}
        if (
            type(cookies) is dict
            and not cookies
            and not _sessions._session_cookies.has_cookies(self, "cookies")
            and type(prepared).prepare_cookies is _sessions._prepared.prepare_cookies_as_written
        ):
            return None
        if not isinstance(cookies, _sessions.cookielib.CookieJar):
            cookies = _sessions.cookiejar_from_dict(cookies)
        merge = _sessions.merge_cookies
        return merge(merge(_sessions.RequestsCookieJar(), self.cookies), cookies)

    def request(
        self,
        method: str,
        url: _t.UriType,
        params: _t.ParamsType = None,
        data: _t.DataType = None,
        headers: _t.HeadersType = None,
        cookies: RequestsCookieJar | CookieJar | dict[str, str] | None = None,
        files: _t.FilesType = None,
        auth: _t.AuthType = None,
        timeout: _t.TimeoutType = None,
        allow_redirects: bool = True,
        proxies: dict[str, str] | None = None,
        hooks: _t.HooksInputType | None = None,
        stream: bool | None = None,
        verify: _t.VerifyType | None = None,
        cert: _t.CertType = None,
        json: _t.JsonType = None,
    ) -> Response:
        """Make a request, send it and return the response.

        :param method: the method, such as ``"GET"``.
        :param url: where to send it.
        :param params: what to append to the query: a mapping, pairs, text or bytes.
        :param data: the body: a form as mapping or pairs, text, bytes, a file or an iterator.
        :param headers: header fields; None as a value takes the session's away.
        :param cookies: cookies for this request alone.
        :param files: files for a multipart body: ``{field: file}`` or pairs.
        :param auth: ``(user, password)`` or a callable that signs the request.
        :param timeout: seconds to wait for the server each time, ``(connect, read)``, or
            `waterclock.Limits`. None waits for ever, unless the session has a timeout or there is a
            `waterclock.deadline`.
        :param allow_redirects: whether to follow redirects.
        :param proxies: proxies by scheme, or by scheme and host.
        :param hooks: ``{"response": function}``.
        :param stream: leave the body to be read later.
        :param verify: whether to verify the server's certificate, or a CA file or folder.
        :param cert: the client's certificate: a file, or ``(certificate, key)``.
        :param json: the body as an object, if there is neither `data` nor `files`.
        :raises waterclock.RequestException: if there is no response; a status such as 404 is one.
        :raises ValueError: if `timeout` is no timeout.
        """
        if timeout is None:
            timeout = self.timeout
        # The short way, if nothing that has to be called was overridden.
        response: Response | None = _sessions._fast.call(
            self, method, url, params, data, headers, cookies, files, auth, timeout,
            allow_redirects, proxies, hooks, stream, verify, cert, json,
        )  # fmt: skip
        if response is not None:
            return response

        if isinstance(url, bytes):
            url = url.decode("utf-8")
        request = _sessions.Request(
            method=method.upper(),
            url=url,
            headers=headers,
            files=files,
            data=data or {},
            json=json,
            params=params or {},
            auth=auth,
            cookies=cookies,
            hooks=hooks,
        )
        prepared = self.prepare_request(request)
        settings = self.merge_environment_settings(
            prepared.url,  # type: ignore[arg-type]
            proxies or {},
            stream,
            verify,
            cert,
        )
        return self.send(prepared, timeout=timeout, allow_redirects=allow_redirects, **settings)

    def get(
        self, url: _t.UriType, params: _t.ParamsType = None, **kwargs: Unpack[_t.GetKwargs]
    ) -> Response:
        """Send a GET request (see `request`)."""
        if params is None and self._waterclock_way is not None:
            # The same way as last time, if that still leads there.
            response = self._waterclock_way.get(self, url, kwargs)
            if response is not None:
                return response
        kwargs.setdefault("allow_redirects", True)
        return self.request("GET", url, params=params, **kwargs)

    def options(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
        """Send an OPTIONS request (see `request`)."""
        kwargs.setdefault("allow_redirects", True)
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
        """Send a HEAD request (see `request`); redirects are not followed unless you say so."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(
        self,
        url: _t.UriType,
        data: _t.DataType = None,
        json: _t.JsonType = None,
        **kwargs: Unpack[_t.PostKwargs],
    ) -> Response:
        """Send a POST request (see `request`)."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(
        self, url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]
    ) -> Response:
        """Send a PUT request (see `request`)."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(
        self, url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]
    ) -> Response:
        """Send a PATCH request (see `request`)."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
        """Send a DELETE request (see `request`)."""
        return self.request("DELETE", url, **kwargs)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a prepared request and return the response."""
        # Hooks get all of these, so that they can send a request in the same way.
        kwargs.setdefault("stream", self.stream)
        kwargs.setdefault("verify", self.verify)
        kwargs.setdefault("cert", self.cert)
        if "proxies" not in kwargs:
            kwargs["proxies"] = resolve_proxies(request, self.proxies, self.trust_env)
        if isinstance(request, _sessions.Request):
            raise ValueError("You can only send PreparedRequests.")  # noqa: TRY004 - as in requests
        if self.timeout is not None and kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout
        allow_redirects = kwargs.pop("allow_redirects", True)

        # Which call this one goes on with, if it follows a redirect.
        attributes = request.__dict__
        after = attributes.pop("_next_of", None)
        if after is not None:
            attributes["_after"] = after
        else:
            attributes.pop("_after", None)

        url: Any = request.url
        adapter = self.get_adapter(url=url)
        clock = _sessions.preferred_clock
        started = clock()
        response = adapter.send(request, **kwargs)
        taken = clock() - started
        if _sessions._response_body.own_reply(response) is None:
            response.elapsed = _sessions.timedelta(seconds=max(taken, 0))
        return self._finish(request, response, allow_redirects, kwargs)

    def _finish(
        self,
        request: PreparedRequest,
        response: Response,
        allow_redirects: bool,
        kwargs: dict[str, Any],
    ) -> Response:
        """Do what remains once a response is there: hooks, cookies, redirects, the body.

        `kwargs` are those of the adapter's `send`.
        """
        response = _sessions.dispatch_hook("response", request.hooks, response, **kwargs)
        if response.history:
            # Hooks that sent requests of their own: those responses may set cookies too.
            for earlier in response.history:
                _sessions._session_cookies.collect_cookies(
                    self, "cookies", earlier.request, earlier
                )
        _sessions._session_cookies.collect_cookies(self, "cookies", request, response)

        if allow_redirects:
            history = list(self.resolve_redirects(response, request, **kwargs))
            if history:
                history.insert(0, response)
                response = history.pop()
                response.history = history
        else:
            following = self.resolve_redirects(response, request, yield_requests=True, **kwargs)
            response._next = next(following, None)  # type: ignore[assignment]
        if not kwargs.get("stream"):
            response.content  # noqa: B018
        return response

    def merge_environment_settings(
        self,
        url: str,
        proxies: dict[str, str] | None,
        stream: bool | None,
        verify: _t.VerifyType | None,
        cert: _t.CertType,
    ) -> dict[str, Any]:
        """Return the settings for a request: its own, then the environment's, then the session's.

        As in requests a CA bundle in the environment counts more than `Session.verify`.
        """
        if self.trust_env:
            find = _sessions.get_environ_proxies
            if not is_original("get_environ_proxies", find) or _environ.may_have_proxies():
                no_proxy = proxies.get("no_proxy") if proxies is not None else None
                found = find(url, no_proxy=no_proxy)
                if proxies is not None and found:
                    # Not into the caller's own dictionary.
                    proxies = proxies.copy()
                    for key, value in found.items():
                        proxies.setdefault(key, value)
            if verify is True or verify is None:
                verify = _environ.ca_bundle() or verify
        merge = _sessions.merge_setting
        return {
            "proxies": merge(proxies, self.proxies),
            "stream": merge(stream, self.stream),
            "verify": merge(verify, self.verify),
            "cert": merge(cert, self.cert),
        }

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return who sends requests to `url`."""
        lowered = url.lower()
        for prefix, adapter in self.adapters.items():
            if lowered.startswith(prefix.lower()):
                return adapter
        raise _sessions.InvalidSchema(f"No connection adapters were found for {url!r}")

    def close(self) -> None:
        """Close the adapters, and with them all connections."""
        if "adapters" in self.__dict__ or getattr(type(self), "adapters", None) is not None:
            for adapter in self.adapters.values():
                adapter.close()

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Let `adapter` send the requests whose URL begins with `prefix`; the longest one wins."""
        self.adapters[prefix] = adapter
        for shorter in [key for key in self.adapters if len(key) < len(prefix)]:
            self.adapters[shorter] = self.adapters.pop(shorter)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: getattr(self, name, None) for name in self.__attrs__}
        if "timeout" in self.__dict__:
            state["timeout"] = self.timeout
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
