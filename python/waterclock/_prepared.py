"""`Request`, what a caller asks for, and `PreparedRequest`, what is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import models as _models
from ._encoding import RequestEncodingMixin, RequestHooksMixin
from ._lazy import Lazy
from ._url import is_plain_query, plain, split

# As they were before anybody could patch the module that uses them.
from ._util_headers import check_header_validity as _check_header_validity
from ._util_urls import get_auth_from_url as _get_auth_from_url
from ._util_urls import requote_uri as _requote_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from http.cookiejar import CookieJar
    from typing import Any

    from . import _types as _t
    from ._engine import Reply
    from .cookies import RequestsCookieJar
    from .structures import CaseInsensitiveDict


# Header fields that were found valid: a session sends the same ones again and again.
_valid_headers: set[tuple[Any, Any]] = set()
_NOTHING: set[tuple[Any, Any]] = set()


def _are_known(fields: Any, known: set[tuple[Any, Any]]) -> bool:
    try:
        return known.issuperset(fields)
    except TypeError:
        # A value that cannot be hashed, and cannot be sent either.
        return False


def _own_parser() -> bool:
    """Say whether `models.parse_url` is nobody's but urllib3's, which gives what ours gives."""
    found = _models.__dict__.get("parse_url")
    return found is None or getattr(found, "__module__", None) == "urllib3.util.url"


def _with_query(match: re.Match[str], encoded: str) -> str:
    """Put a plain URL together again, with more in its query."""
    origin, _, path, query, fragment = match.groups()
    if not encoded:
        return f"{origin}{path or '/'}{query}{fragment}"
    query = f"{query}&{encoded}" if query else f"?{encoded}"
    url = f"{origin}{path or '/'}{query}{fragment}"
    return url if is_plain_query(encoded) else _models.requote_uri(url)


class Request(RequestHooksMixin):
    """A request as the caller describes it; `prepare()` makes the one to be sent.

    :param method: the method, such as ``"GET"``.
    :param url: where to send it.
    :param headers: header fields.
    :param files: files for a multipart body: ``{field: file}`` or pairs.
    :param data: the body: a form as mapping or pairs, text, bytes, a file or an iterator.
    :param params: what to append to the query of the URL.
    :param auth: ``(user, password)`` or a callable that signs the prepared request.
    :param cookies: cookies to send, as mapping or jar.
    :param hooks: ``{"response": function}``.
    :param json: the body as an object, if there is neither `data` nor `files`.
    """

    __module__ = "waterclock.models"

    method: str | None
    url: _t.UriType | None
    headers: Mapping[str, str | bytes]
    files: _t.FilesType
    data: _t.DataType
    json: _t.JsonType
    params: _t.ParamsType
    auth: _t.AuthType
    cookies: RequestsCookieJar | CookieJar | dict[str, str] | None

    def __init__(
        self,
        method: str | None = None,
        url: _t.UriType | None = None,
        headers: _t.HeadersType = None,
        files: _t.FilesType = None,
        data: _t.DataType = None,
        params: _t.ParamsType = None,
        auth: _t.AuthType = None,
        cookies: RequestsCookieJar | CookieJar | dict[str, str] | None = None,
        hooks: _t.HooksInputType | None = None,
        json: _t.JsonType = None,
    ) -> None:
        self.hooks = _models.default_hooks()
        if hooks is not None:
            for event, hook in list(hooks.items()):
                self.register_hook(event=event, hook=hook)
        self.method = method
        self.url = url
        self.headers = {} if headers is None else headers
        self.files = [] if files is None else files
        self.data = [] if data is None else data
        self.json = json
        self.params = {} if params is None else params
        self.auth = auth
        self.cookies = cookies

    def __repr__(self) -> str:
        return f"<Request [{self.method}]>"

    def prepare(self) -> PreparedRequest:
        """Make the request that is sent, from this one alone (see `Session.prepare_request`)."""
        prepared = _models.PreparedRequest()
        prepared.prepare(
            method=self.method,
            url=self.url,
            headers=self.headers,
            files=self.files,
            data=self.data,
            json=self.json,
            params=self.params,
            auth=self.auth,
            cookies=self.cookies,
            hooks=self.hooks,
        )
        return prepared


class PreparedRequest(RequestEncodingMixin, RequestHooksMixin):
    """What is sent, to the byte; everything in it can still be changed.

    >>> import waterclock
    >>> waterclock.Request("GET", "http://example.org/a b", params={"q": 1}).prepare().url
    'http://example.org/a%20b?q=1'
    """

    __module__ = "waterclock.models"

    method: str | None
    url: str | None
    headers: CaseInsensitiveDict[str | bytes]
    body: _t.BodyType
    hooks: dict[str, list[_t.HookType]]
    #: Where a file body began, to send it again; an object if it could not be found out.
    _body_position: int | object | None

    # The call this request goes on with, over redirects, authentication and retries. Not pickled.
    _after: Reply | None = None
    _next_of: Reply | None = None

    if TYPE_CHECKING:
        _cookies: RequestsCookieJar | CookieJar | None
    else:

        def _cookies(self) -> RequestsCookieJar:
            """The jar that the Cookie header was made from; empty for most requests."""
            return _models.cookiejar_from_dict(None)

        _cookies = Lazy(_cookies)

    def __init__(self) -> None:
        self.method = None
        self.url = None
        self.headers = None  # type: ignore[assignment]
        self._cookies = None
        self.body = None
        self.hooks = _models.default_hooks()
        self._body_position = None

    def prepare(
        self,
        method: str | None = None,
        url: _t.UriType | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        files: _t.FilesType = None,
        data: _t.DataType = None,
        params: _t.ParamsType = None,
        auth: _t.AuthType = None,
        cookies: RequestsCookieJar | CookieJar | dict[str, str] | None = None,
        hooks: _t.HooksInputType | None = None,
        json: _t.JsonType = None,
    ) -> None:
        """Prepare every part, in this order."""
        self.prepare_method(method)
        self.prepare_url(url, params)  # type: ignore[arg-type]
        self.prepare_headers(headers)
        self.prepare_cookies(cookies)
        self.prepare_body(data, files, json)
        # Whoever signs a request has to see all of it; and it may want to see the response.
        self.prepare_auth(auth, url)  # type: ignore[arg-type]
        self.prepare_hooks(hooks)

    def __repr__(self) -> str:
        return f"<PreparedRequest [{self.method}]>"

    def __getstate__(self) -> dict[str, Any]:
        # The jar counts as part of the request even if nobody needed it so far.
        self._cookies  # noqa: B018
        return {k: v for k, v in self.__dict__.items() if k not in ("_after", "_next_of")}

    def copy(self) -> PreparedRequest:
        """Return a request that can be changed without changing this one."""
        copied = _models.PreparedRequest()
        copied.method = self.method
        copied.url = self.url
        headers: Any = self.headers
        if headers is not None:
            copied.headers = headers.copy()
        if "_cookies" in self.__dict__:
            copied._cookies = _models._copy_cookie_jar(self._cookies)
        else:
            del copied._cookies
        copied.body = self.body
        copied.hooks = self.hooks
        copied._body_position = self._body_position
        if self._after is not None:
            copied._after = self._after
        return copied

    def prepare_method(self, method: str | None) -> None:
        """Set the method, in upper case."""
        self.method = None if method is None else _models.to_native_string(method.upper())

    @staticmethod
    def _get_idna_encoded_host(host: str) -> str:
        import idna

        try:
            return idna.encode(host, uts46=True).decode("utf-8")
        except idna.IDNAError:
            raise UnicodeError from None

    def prepare_url(self, url: _t.UriType, params: _t.ParamsType) -> None:
        """Set the URL: quoted, with a host in ASCII, a path, and `params` in the query."""
        url = url.decode("utf8") if isinstance(url, bytes) else str(url)
        url = url.lstrip()

        unpatched = _models.requote_uri is _requote_uri and _own_parser()
        match = plain(url) if unpatched else None
        if match is not None:
            # An empty mapping is what a session without parameters gives.
            encoded = self._encoded(params) if params else ""
            if isinstance(encoded, str):
                self.url = _with_query(match, encoded)
                return

        # Other schemes are their adapters' business (`mailto:`, `file:`, `http+unix:` is not one).
        if ":" in url and not url.lower().startswith("http"):
            self.url = url
            return

        scheme, userinfo, host, port, path, query, fragment = self._split(url)
        if not scheme:
            raise _models.MissingSchema(
                f"Invalid URL {url!r}: No scheme supplied. Perhaps you meant https://{url}?"
            )
        if not host:
            raise _models.InvalidURL(f"Invalid URL {url!r}: No host supplied")
        if not _models.unicode_is_ascii(host):
            try:
                host = self._get_idna_encoded_host(host)
            except UnicodeError:
                raise _models.InvalidURL("URL has an invalid label.") from None
        elif host.startswith(("*", ".")):
            raise _models.InvalidURL("URL has an invalid label.")

        netloc = f"{userinfo}@{host}" if userinfo else host
        if port:
            netloc += f":{port}"
        encoded = self._encoded(params)
        if encoded:
            query = f"{query}&{encoded}" if query else encoded
        parts = (scheme, netloc, path or "/", "", query, fragment)
        self.url = _models.requote_uri(_models.urlunparse(parts))

    def _split(self, url: str) -> Any:
        if _own_parser():
            parts = split(url)
            if parts is not None:
                return parts
        try:
            return _models.parse_url(url)
        except _models.LocationParseError as error:
            raise _models.InvalidURL(*error.args) from error

    def _encoded(self, params: _t.ParamsType) -> str:
        if params is None:
            return ""
        if isinstance(params, (str, bytes)):
            params = _models.to_native_string(params)
        given: Any = params
        encoded: str = self._encode_params(given)
        return encoded

    def prepare_headers(self, headers: Mapping[str, str | bytes] | None) -> None:
        """Set the header fields, after a look whether they can be sent."""
        prepared: CaseInsensitiveDict[str | bytes] = _models.CaseInsensitiveDict()
        self.headers = prepared
        if not headers:
            return
        check = _models.check_header_validity
        known = _valid_headers if check is _check_header_validity else _NOTHING
        fields: Any
        if type(headers) is _models.CaseInsensitiveDict:
            # What a session gives. Its store has the names folded already.
            fields = headers._store.values()
            if _are_known(fields, known):
                prepared._store.update(headers._store)
                return
        else:
            fields = headers.items()
        for header in fields:
            name, value = header
            # A str subclass may behave as it likes, so only real ones are remembered.
            if type(name) is str and type(value) is str:
                if header not in known:
                    check(header)
                    if len(_valid_headers) < 512 and check is _check_header_validity:
                        _valid_headers.add((name, value))
            else:
                check(header)
                name = _models.to_native_string(name)
            prepared[name] = value

    def prepare_body(
        self, data: _t.DataType, files: _t.FilesType, json: _t.JsonType = None
    ) -> None:
        """Set the body, and the header fields that describe it."""
        body: Any = None
        content_type = None

        if not data and json is not None:
            content_type = "application/json"
            try:
                body = _models.complexjson.dumps(json, allow_nan=False)
            except ValueError as error:
                raise _models.InvalidJSONError(error, request=self) from error
            if not isinstance(body, bytes):
                body = body.encode("utf-8")

        # Some objects answer for another one, so the type alone does not tell.
        iterable = isinstance(data, Iterable) or hasattr(data, "__iter__")
        if iterable and not isinstance(data, (str, bytes, list, tuple, Mapping)):
            if files:
                raise NotImplementedError("Streamed bodies and files are mutually exclusive.")
            self._prepare_stream(data)
            return

        if files:
            body, content_type = self._encode_files(files, data)  # type: ignore[arg-type]
        elif data:
            body = self._encode_params(data)  # type: ignore[arg-type]
            if isinstance(data, (str, bytes)) or hasattr(data, "read"):
                content_type = None
            else:
                content_type = "application/x-www-form-urlencoded"
        self.prepare_content_length(body)
        if content_type and "content-type" not in self.headers:
            self.headers["Content-Type"] = content_type
        self.body = body

    def _prepare_stream(self, body: Any) -> None:
        """Take a file or an iterator for the body; it is read while it is sent."""
        try:
            length = _models.super_len(body)
        except (TypeError, AttributeError, _models.UnsupportedOperation):
            length = None
        if getattr(body, "tell", None) is not None:
            # A redirect may ask for the body once more.
            try:
                self._body_position = body.tell()
            except OSError:
                # Not None: it is known that it cannot be brought back.
                self._body_position = object()
        if length:
            self.headers["Content-Length"] = str(length)
        else:
            self.headers["Transfer-Encoding"] = "chunked"
        self.body = body

    def prepare_content_length(self, body: _t.BodyType) -> None:
        """Set Content-Length from what is going to be sent."""
        if body is not None:
            length = _models.super_len(body)
            if length:
                self.headers["Content-Length"] = str(length)
        elif self.method not in ("GET", "HEAD") and self.headers.get("Content-Length") is None:
            # A method that can have a body says that there is none.
            self.headers["Content-Length"] = "0"

    def prepare_auth(self, auth: _t.AuthType, url: _t.UriType = "") -> None:
        """Let `auth`, or user and password of the URL, sign the request."""
        if auth is None:
            find = _models.get_auth_from_url
            if find is not _get_auth_from_url or "@" in (self.url or ""):
                found = find(self.url)  # type: ignore[arg-type]
                auth = found if any(found) else None
        if not auth:
            return
        sign: Any = auth
        if isinstance(auth, tuple) and len(auth) == 2:
            sign = _models.HTTPBasicAuth(*auth)
        signed = sign(self)
        if signed is not self:
            self.__dict__.update(signed.__dict__)
        # It may have changed the body.
        self.prepare_content_length(self.body)

    def prepare_cookies(
        self, cookies: RequestsCookieJar | CookieJar | dict[str, str] | None
    ) -> None:
        """Set the Cookie header from `cookies`, unless there is one already.

        To set it again, remove the header first.
        """
        if cookies is None or (type(cookies) is dict and not cookies):
            # The empty jar is made when somebody looks at it.
            self.__dict__.pop("_cookies", None)
            return
        jar: Any = cookies
        if not isinstance(cookies, _models.cookielib.CookieJar):
            jar = _models.cookiejar_from_dict(jar)
        self._cookies = jar
        header = _models.get_cookie_header(jar, self)
        if header is not None:
            self.headers["Cookie"] = header

    def prepare_hooks(self, hooks: _t.HooksInputType | None) -> None:
        """Add the caller's hooks."""
        for event in hooks or {}:
            self.register_hook(event, hooks[event])  # type: ignore[index]


# The method, whatever somebody puts in its place later.
prepare_cookies_as_written = PreparedRequest.prepare_cookies
