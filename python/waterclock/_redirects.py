"""Following redirects: where to, with which method, body, cookies and credentials."""

from __future__ import annotations

from . import sessions as _sessions
from ._environ import netrc_auth, resolve_proxies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from . import _types as _t
    from .cookies import RequestsCookieJar
    from .exceptions import TooManyRedirects
    from .models import PreparedRequest, Response

# What describes a body, and goes when the body does not come along.
_BODY_HEADERS = (
    "Content-Length",
    "Content-Type",
    "Transfer-Encoding",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
)


class SessionRedirectMixin:
    """The part of a session that follows redirects; each step is a method to be overridden."""

    __module__ = "waterclock.sessions"

    max_redirects: int
    trust_env: bool
    if TYPE_CHECKING:
        cookies: RequestsCookieJar

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response: ...  # type: ignore[empty-body]

    def get_redirect_target(self, resp: Response) -> str | None:
        """Return where a response sends the client, or None if it is no redirect to be followed."""
        if not resp.is_redirect:
            return None
        # Header fields are read as latin-1; a Location that is not ASCII is UTF-8 nearly always.
        location: Any = resp.headers["location"].encode("latin1")
        target: str = _sessions.to_native_string(location, "utf8")
        return target

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Say whether credentials for `old_url` must not be shown to `new_url`.

        They stay with one origin. The one exception is a host that moves from http to https on the
        standard ports.
        """
        old, new = _sessions.urlparse(old_url), _sessions.urlparse(new_url)
        if old.hostname != new.hostname:
            return True
        if (old.scheme, new.scheme) == ("http", "https"):
            return not (old.port in (80, None) and new.port in (443, None))
        if old.scheme != new.scheme:
            return True
        default = (_sessions.DEFAULT_PORTS.get(old.scheme), None)
        if old.port in default and new.port in default:
            return False
        return bool(old.port != new.port)

    def resolve_redirects(
        self,
        resp: Response,
        req: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: dict[str, str] | None = None,
        yield_requests: bool = False,
        **adapter_kwargs: Any,
    ) -> Generator[Response, None, None]:
        """Follow redirects and yield each response; with `yield_requests`, the requests instead."""
        history: list[Response] = []
        url = self.get_redirect_target(resp)
        before: Any = req.url
        fragment: str = _sessions.urlparse(before).fragment if url else ""
        while url:
            prepared = req.copy()
            resp.history = history[:]
            history.append(resp)
            reply = _sessions._response_body.own_reply(resp)
            if not yield_requests or reply is None:
                _finish_body(resp)
            if len(resp.history) >= self.max_redirects:
                raise _too_many(self.max_redirects, resp)
            if not yield_requests or reply is None:
                resp.close()

            url, fragment = _target(resp, url, fragment)
            prepared.url = _sessions.to_native_string(url)
            self.rebuild_method(prepared, resp)
            headers = prepared.headers
            if resp.status_code not in (307, 308):
                for name in _BODY_HEADERS:
                    headers.pop(name, None)
                prepared.body = None
                prepared._body_position = None

            # The jar decides anew which cookies the next URL gets.
            headers.pop("Cookie", None)
            _sessions._session_cookies.collect_cookies(prepared, "_cookies", req, resp)
            has_cookies = _sessions._session_cookies.has_cookies
            if has_cookies(prepared, "_cookies") or has_cookies(self, "cookies"):
                jar: Any = prepared._cookies
                _sessions.merge_cookies(jar, self.cookies)
                prepared.prepare_cookies(jar)

            proxies = self.rebuild_proxies(prepared, proxies)
            self.rebuild_auth(prepared, resp)

            # A position that could not be told is an object, for which rewinding raises: better
            # than a body that begins somewhere.
            if prepared._body_position is not None and (
                "Content-Length" in headers or "Transfer-Encoding" in headers
            ):
                _sessions.rewind_body(prepared)

            req = prepared
            if yield_requests:
                yield req  # type: ignore[misc]
                continue
            # The timeline, and a limit in total, go on over the next hop.
            earlier = resp.__dict__.get("_reply")
            if earlier is not None:
                prepared._next_of = earlier
            resp = self.send(
                req,
                stream=stream,
                timeout=timeout,
                verify=verify,
                cert=cert,
                proxies=proxies,
                allow_redirects=False,
                **adapter_kwargs,
            )
            _sessions._session_cookies.collect_cookies(self, "cookies", prepared, resp)
            url = self.get_redirect_target(resp)
            yield resp

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Take credentials away that another origin must not see, and look in netrc for its own."""
        headers = prepared_request.headers
        url: Any = prepared_request.url
        if "Authorization" in headers:
            was: Any = response.request.url
            if self.should_strip_auth(was, url):
                del headers["Authorization"]
        found = netrc_auth(url) if self.trust_env else None
        if found is not None:
            prepared_request.prepare_auth(found)

    def rebuild_proxies(
        self, prepared_request: PreparedRequest, proxies: dict[str, str] | None
    ) -> dict[str, str]:
        """Return the proxies for the next URL, and set Proxy-Authorization as that one needs it.

        Credentials of a proxy never go into a tunnel, where the server would read them.
        """
        url: Any = prepared_request.url
        scheme = _sessions.urlparse(url).scheme
        found: dict[str, str] = resolve_proxies(prepared_request, proxies, self.trust_env)
        headers = prepared_request.headers
        headers.pop("Proxy-Authorization", None)
        if scheme in found:
            user, password = _sessions.get_auth_from_url(found[scheme])
            if user and password and not scheme.startswith("https"):
                headers["Proxy-Authorization"] = _sessions._basic_auth_str(user, password)
        return found

    def rebuild_method(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Change the method where browsers do: after 303 and 302, and 301 of a POST, to GET."""
        method, status = prepared_request.method, response.status_code
        if (status in (302, 303) and method != "HEAD") or (status == 301 and method == "POST"):
            prepared_request.method = "GET"


def _too_many(most: int, resp: Response) -> TooManyRedirects:
    from ._errors import tell

    made = _sessions.TooManyRedirects(f"Exceeded {most} redirects.", response=resp)
    made.timeline = getattr(resp, "timeline", None)
    tell(made)
    return made


def _finish_body(resp: Response) -> None:
    """Read what is left of a redirect, so that its connection can be used again."""
    if _sessions._response_body.own_reply(resp) is not None:
        _sessions._response_body.drain(resp)
        return
    try:
        resp.content  # noqa: B018
    except (_sessions.ChunkedEncodingError, _sessions.ContentDecodingError, RuntimeError):
        resp.raw.read(decode_content=False)


def _target(resp: Response, location: str, fragment: str) -> tuple[str, str]:
    """Return the next URL and the fragment that redirects without one inherit (RFC 9110, 10.2.2)."""
    if location.startswith("//"):
        location = f"{_sessions.urlparse(resp.url).scheme}:{location}"
    parsed = _sessions.urlparse(location)
    if parsed.fragment == "" and fragment:
        parsed = parsed._replace(fragment=fragment)
    elif parsed.fragment:
        fragment = parsed.fragment
    url: str = _sessions.requote_uri(parsed.geturl())
    if not parsed.netloc:
        url = _sessions.urljoin(resp.url, url)
    return url, fragment
