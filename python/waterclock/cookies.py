"""Cookies by the rules of `http.cookiejar`, in a jar that is also a mapping.

Importing this module imports `http.cookiejar`, which is slow. The package does so when there is a
cookie, or when a program asks.
"""

from __future__ import annotations

import calendar as calendar
import copy as copy
import threading as threading
import time as time
from collections.abc import Iterator, MutableMapping
from http import cookiejar
from http.cookiejar import Cookie, CookieJar, CookiePolicy
from http.cookies import Morsel
from urllib.parse import urlparse, urlunparse

from ._internal_utils import to_native_string
from ._lazy import attach

cookielib = cookiejar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeVar, overload

    from _typeshed import SupportsKeysAndGetItem

    from ._engine import Reply
    from .models import PreparedRequest

    _CookieJarT = TypeVar("_CookieJarT", bound=CookieJar)


class MockRequest:
    """A prepared request as `http.cookiejar` wants to see one: like those of `urllib.request`.

    The jar does not change the request. What it would add is in `get_new_headers()`.
    """

    type: str

    def __init__(self, request: PreparedRequest) -> None:
        self._r = request
        self._new_headers: dict[str, str] = {}
        self.type = urlparse(self._url).scheme

    @property
    def _url(self) -> str:
        return self._r.url  # type: ignore[return-value]

    def get_type(self) -> str:
        """Return the scheme."""
        return self.type

    def get_host(self) -> str:
        """Return host and port."""
        return urlparse(self._url).netloc

    def get_origin_req_host(self) -> str:
        """Return the host that a person asked for: always this one."""
        return self.get_host()

    def get_full_url(self) -> str:
        """Return the URL, with the host of the `Host` field if the caller set one."""
        field = self._r.headers.get("Host")
        if not field:
            return self._url
        host = to_native_string(field, encoding="utf-8")
        return urlunparse(urlparse(self._url)._replace(netloc=host))

    def is_unverifiable(self) -> bool:
        """Say that nobody approved of the request, so that a policy may be strict."""
        return True

    def has_header(self, name: str) -> bool:
        """Say whether the field is in the request, or was added by the jar."""
        return name in self._r.headers or name in self._new_headers

    def get_header(self, name: str, default: str | None = None) -> str | None:
        """Return a field of the request, or one that the jar added."""
        added = self._new_headers.get(name, default)
        return self._r.headers.get(name, added)  # type: ignore[return-value]

    def add_header(self, key: str, val: str) -> None:
        """Refuse: a jar only adds fields that do not go on to a redirect's target."""
        raise NotImplementedError("Cookie headers should be added with add_unredirected_header()")

    def add_unredirected_header(self, name: str, value: str) -> None:
        """Note a field that the jar adds."""
        self._new_headers[name] = value

    def get_new_headers(self) -> dict[str, str]:
        """Return the fields that the jar added."""
        return self._new_headers

    @property
    def unverifiable(self) -> bool:
        return self.is_unverifiable()

    @property
    def origin_req_host(self) -> str:
        return self.get_origin_req_host()

    @property
    def host(self) -> str:
        return self.get_host()


class MockResponse:
    """Header fields as `http.cookiejar` wants to see a response.

    `headers` is an `http.client.HTTPMessage`, or anything else with `get_all(name, default)`.
    """

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """Return the fields."""
        return self._headers

    def getheaders(self, name: str) -> Any:
        """Return all values of one field."""
        return self._headers.getheaders(name)


class _ReplyHeaders:
    """The fields of a reply of our engine, for `MockResponse`."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = fields

    def get_all(self, name: str, default: Any = None) -> Any:
        lowered = name.lower()
        values = [value for field, value in self._fields if field.lower() == lowered]
        return values or default


def extract_cookies_to_jar(jar: CookieJar, request: PreparedRequest, response: Any) -> None:
    """Put into the jar what a response of urllib3 sets.

    Without an `_original_response`, as a response has that a test made up, nothing is set.
    """
    original = getattr(response, "_original_response", None)
    if original:
        jar.extract_cookies(MockResponse(original.msg), MockRequest(request))  # type: ignore[arg-type]


def _extract_from_reply(jar: CookieJar, request: PreparedRequest, reply: Reply) -> None:
    """Put into the jar what a reply of our engine sets; no response of urllib3 is made for it."""
    if reply.flags & 1:
        fields = MockResponse(_ReplyHeaders(reply.headers))
        jar.extract_cookies(fields, MockRequest(request))  # type: ignore[arg-type]


def get_cookie_header(jar: CookieJar, request: PreparedRequest) -> str | None:
    """Return the `Cookie` field that the jar has for a request, or None."""
    asked = MockRequest(request)
    jar.add_cookie_header(asked)  # type: ignore[arg-type]
    return asked.get_new_headers().get("Cookie")


def remove_cookie_by_name(
    cookiejar: CookieJar, name: str, domain: str | None = None, path: str | None = None
) -> None:
    """Remove the cookies of a name, of all domains and paths unless these are given."""
    doomed = [
        cookie
        for cookie in cookiejar
        if cookie.name == name
        and (domain is None or cookie.domain == domain)
        and (path is None or cookie.path == path)
    ]
    for cookie in doomed:
        cookiejar.clear(cookie.domain, cookie.path, cookie.name)


class CookieConflictError(RuntimeError):
    """Several cookies have this name; `get` and `set` with domain and path tell them apart."""


class RequestsCookieJar(CookieJar, MutableMapping[str, "str | None"]):
    """A `http.cookiejar.CookieJar` that is also a mapping of names to values, and can be pickled.

    Any other `CookieJar` works as well wherever a jar is asked for. Finding a cookie by its name
    looks at all of them.
    """

    _policy: CookiePolicy

    def get(  # type: ignore[override]
        self,
        name: str,
        default: str | None = None,
        domain: str | None = None,
        path: str | None = None,
    ) -> str | None:
        """Return a cookie's value. Domain and path choose among cookies of the same name."""
        try:
            return self._find_no_duplicates(name, domain, path)
        except KeyError:
            return default

    def set(self, name: str, value: str | Morsel[Any] | None, **kwargs: Any) -> Cookie | None:
        """Put a cookie into the jar, or remove those of the name if the value is None."""
        if value is None:
            remove_cookie_by_name(self, name, domain=kwargs.get("domain"), path=kwargs.get("path"))
            return None
        cookie = (
            morsel_to_cookie(value)
            if isinstance(value, Morsel)
            else create_cookie(name, value, **kwargs)
        )
        self.set_cookie(cookie)
        return cookie

    def iterkeys(self) -> Iterator[str]:
        """Yield the name of each cookie."""
        for cookie in iter(self):
            yield cookie.name

    def keys(self) -> list[str]:  # type: ignore[override]
        """Return the name of each cookie."""
        return list(self.iterkeys())

    def itervalues(self) -> Iterator[str | None]:
        """Yield the value of each cookie."""
        for cookie in iter(self):
            yield cookie.value

    def values(self) -> list[str | None]:  # type: ignore[override]
        """Return the value of each cookie."""
        return list(self.itervalues())

    def iteritems(self) -> Iterator[tuple[str, str | None]]:
        """Yield name and value of each cookie."""
        for cookie in iter(self):
            yield cookie.name, cookie.value

    def items(self) -> list[tuple[str, str | None]]:  # type: ignore[override]
        """Return name and value of each cookie."""
        return list(self.iteritems())

    def list_domains(self) -> list[str]:
        """Return the domains in the jar, each once."""
        return list(dict.fromkeys(cookie.domain for cookie in iter(self)))

    def list_paths(self) -> list[str]:
        """Return the paths in the jar, each once."""
        return list(dict.fromkeys(cookie.path for cookie in iter(self)))

    def multiple_domains(self) -> bool:
        """Say whether some domain has more than one cookie.

        The name promises something else, but this is what requests answers.
        """
        domains = [cookie.domain for cookie in iter(self) if cookie.domain is not None]
        return len(dict.fromkeys(domains)) < len(domains)

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str | None]:
        """Return names and values of the cookies with this domain and path."""
        return {
            cookie.name: cookie.value
            for cookie in iter(self)
            if (domain is None or cookie.domain == domain) and (path is None or cookie.path == path)
        }

    def __iter__(self) -> Iterator[Cookie]:  # type: ignore[override]
        return super().__iter__()

    def __contains__(self, name: object) -> bool:
        try:
            return super().__contains__(name)
        except CookieConflictError:
            return True

    def __getitem__(self, name: str) -> str | None:
        return self._find_no_duplicates(name)

    def __setitem__(self, name: str, value: str | Morsel[Any] | None) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        remove_cookie_by_name(self, name)

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        """Put a cookie into the jar; escaped quotes are taken out of a quoted value."""
        value = cookie.value
        if value is not None and value.startswith('"') and value.endswith('"'):
            cookie.value = value.replace('\\"', "")
        super().set_cookie(cookie, *args, **kwargs)

    def update(  # type: ignore[override]
        self, other: CookieJar | SupportsKeysAndGetItem[str, str]
    ) -> None:
        """Put copies of another jar's cookies into this one, or the items of a mapping."""
        if isinstance(other, CookieJar):
            for cookie in other:
                self.set_cookie(copy.copy(cookie))
        else:
            super().update(other)

    def _matching(self, name: str, domain: str | None, path: str | None) -> Iterator[Cookie]:
        for cookie in iter(self):
            if (
                cookie.name == name
                and (domain is None or cookie.domain == domain)
                and (path is None or cookie.path == path)
            ):
                yield cookie

    def _find(self, name: str, domain: str | None = None, path: str | None = None) -> str | None:
        """Return the value of the first cookie that fits."""
        for cookie in self._matching(name, domain, path):
            return cookie.value
        raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")

    def _find_no_duplicates(
        self, name: str, domain: str | None = None, path: str | None = None
    ) -> str:
        """Return the value of the only cookie that fits."""
        found = None
        for cookie in self._matching(name, domain, path):
            if found is not None:
                raise CookieConflictError(f"There are multiple cookies with name, {name!r}")
            found = cookie.value
        if found is None:
            raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")
        return found

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_cookies_lock")  # a lock cannot be pickled
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_cookies_lock" not in self.__dict__:
            self._cookies_lock = threading.RLock()

    def copy(self) -> RequestsCookieJar:
        """Return a new jar with copies of the cookies and the same policy."""
        other = RequestsCookieJar()
        other.set_policy(self.get_policy())
        other.update(self)
        return other

    def get_policy(self) -> CookiePolicy:
        """Return the policy that says which cookies are taken and sent."""
        return self._policy


def _copy_cookie_jar(jar: CookieJar | None) -> CookieJar | None:
    """Return a jar of the same kind with copies of the cookies."""
    if jar is None:
        return None
    own = getattr(jar, "copy", None)
    if own:
        copied: CookieJar = own()
        return copied
    copied = copy.copy(jar)
    copied.clear()
    for cookie in jar:
        copied.set_cookie(copy.copy(cookie))
    return copied


def create_cookie(name: str, value: str, **kwargs: Any) -> Cookie:
    """Make a cookie. Unless told otherwise it has no domain, and so goes to every server."""
    fields: dict[str, Any] = {
        "version": 0,
        "name": name,
        "value": value,
        "port": None,
        "domain": "",
        "path": "/",
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {"HttpOnly": None},
        "rfc2109": False,
    }
    unknown = [option for option in kwargs if option not in fields]
    if unknown:
        raise TypeError(f"create_cookie() got unexpected keyword arguments: {unknown}")
    fields.update(kwargs)
    for part in ("port", "domain", "path"):
        fields[f"{part}_specified"] = bool(fields[part])
    fields["domain_initial_dot"] = fields["domain"].startswith(".")
    return Cookie(**fields)


def morsel_to_cookie(morsel: Morsel[Any]) -> Cookie:
    """Make a cookie of a `http.cookies.Morsel`."""
    expires: int | None = None
    if morsel["max-age"]:
        try:
            expires = int(time.time() + int(morsel["max-age"]))
        except ValueError:
            raise TypeError(f"max-age: {morsel['max-age']} must be integer") from None
    elif morsel["expires"]:
        expires = calendar.timegm(time.strptime(morsel["expires"], "%a, %d-%b-%Y %H:%M:%S GMT"))
    return create_cookie(
        morsel.key,
        morsel.value,
        version=morsel["version"] or 0,
        domain=morsel["domain"],
        path=morsel["path"],
        secure=bool(morsel["secure"]),
        expires=expires,
        discard=False,
        comment=morsel["comment"],
        comment_url=bool(morsel["comment"]),
        rest={"HttpOnly": morsel["httponly"]},
    )


if TYPE_CHECKING:

    @overload
    def cookiejar_from_dict(
        cookie_dict: Mapping[str, str] | None, cookiejar: None = None, overwrite: bool = True
    ) -> RequestsCookieJar: ...

    @overload
    def cookiejar_from_dict(
        cookie_dict: Mapping[str, str] | None, cookiejar: _CookieJarT, overwrite: bool = True
    ) -> _CookieJarT: ...


def cookiejar_from_dict(
    cookie_dict: Mapping[str, str] | None,
    cookiejar: CookieJar | None = None,
    overwrite: bool = True,
) -> CookieJar:
    """Put cookies with these names and values into a jar (a new one if None), and return it.

    Without `overwrite`, names that the jar has already stay as they are.
    """
    jar = RequestsCookieJar() if cookiejar is None else cookiejar
    if cookie_dict is not None:
        present = () if overwrite else {cookie.name for cookie in jar}
        for name in cookie_dict:
            if name not in present:
                jar.set_cookie(create_cookie(name, cookie_dict[name]))
    return jar


def merge_cookies(cookiejar: CookieJar, cookies: Mapping[str, str] | CookieJar | None) -> CookieJar:
    """Add a mapping, or another jar, to a jar, and return it. A mapping does not overwrite."""
    if not isinstance(cookiejar, CookieJar):
        raise ValueError("You can only merge into CookieJar")  # noqa: TRY004
    if isinstance(cookies, dict):
        return cookiejar_from_dict(cookies, cookiejar=cookiejar, overwrite=False)
    if isinstance(cookies, CookieJar):
        update = getattr(cookiejar, "update", None)
        if update:
            update(cookies)
        else:
            for cookie in cookies:
                cookiejar.set_cookie(cookie)
    return cookiejar


if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        globals(),
        {
            "_is_prepared": "._types:is_prepared",
            **{name: f"typing:{name}" for name in ("Any", "TypeVar", "overload")},
        },
    )
