"""One call of our engine for a prepared request: what requests and urllib3 would do around it, and nothing more."""

from __future__ import annotations

import os.path
import sys

from . import _log_lines, _timeouts
from . import adapters as _adapters
from ._url import sendable
from .adapters import host_and_port, remember_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import EngineError, Reply
    from ._errors import Attempt
    from .adapters import HTTPAdapter
    from .models import PreparedRequest, Response

# Set by the module below when it is first needed: importing the engine is what importing waterclock is to avoid.
_engine: Any = None
_here: Any = _adapters
_proxy_headers: Any = None

# urllib3.util.SKIP_HEADER, without urllib3.
_SKIP = "@@@SKIP_HEADER@@@"
_SKIPPABLE = ("accept-encoding", "host", "user-agent")
# Methods without a body, of which nothing has to be said.
_BODILESS = ("GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT")
# Statuses that urllib3's Retry looks at when they come with Retry-After.
_RETRY_AFTER = (413, 429, 503)


class Call:
    """Everything that attempts of one call have in common."""

    __slots__ = (
        "adapter",
        "after",
        "arguments",
        "body",
        "position",
        "proxy",
        "raw",
        "reason",
        "request",
        "retries",
        "timeout",
        "url",
    )

    def __init__(self, adapter: HTTPAdapter, request: PreparedRequest, timeout: Any) -> None:
        self.adapter = adapter
        self.request = request
        # What stands in the request line, as urllib3 encodes it.
        self.url: str = sendable(request.url or "")
        self.timeout = timeout
        self.proxy: str | None = None
        self.arguments: dict[str, Any] = {}
        self.body: Any = None
        # Where a file begins to be sent, if that had to be noted; False if it does not say.
        self.position: int | bool | None = None
        self.after: Any = None
        self.reason = "redirect"
        # What the retries have come to, and the response that they were asked about.
        self.retries: Any = None
        self.raw: Any = None

    def attempt(self) -> Reply:
        """Sends the request once."""
        request = self.request
        host, port = host_and_port(self.url)
        if not host:
            # The engine's parser would take the first part of the path, as browsers do.
            _replay(self)
        sys.audit("http.client.connect", self.adapter, host, port)
        try:
            reply: Reply = self.adapter._engine.send(
                request.method,
                self.url,
                self._fields(),
                None,
                self.body,
                after=self.after,
                reason=self.reason,
                **self.arguments,
            )
        except _engine.EngineError as error:
            if error.kind == "invalid-url" and self._encode_url():
                return self.attempt()
            if "logging" in sys.modules:
                _log_lines.failure(self, error)
            raise
        except OSError as error:
            raise _own_error(error, self)
        except UnicodeError:
            raise
        except ValueError:
            _replay(self)
            raise
        if "logging" in sys.modules:
            _log_lines.reply(self, reply)
        return reply

    def _fields(self) -> Any:
        headers = self.request.headers
        fields = _fields(headers)
        method = self.request.method
        if self.body is None and method not in _BODILESS and not _has_length(headers):
            # http.client says so for methods that usually have a body.
            fields = [*(fields.values() if isinstance(fields, dict) else fields)]
            fields.insert(0, ("Content-Length", "0"))
        return fields

    def _encode_url(self) -> bool:
        """Encodes what a URL cannot have, as urllib3 does; False if that changes nothing."""
        _replay(self)
        encoded: str = _here.parse_url(self.url).url
        changed = encoded != self.url
        self.url = encoded
        return changed

    def described(self) -> Attempt:
        """What was tried, for messages."""
        from ._errors import Attempt

        return Attempt(self.request, self.proxy, *_timeouts.parts(self.timeout))


def send(
    adapter: HTTPAdapter,
    request: PreparedRequest,
    stream: bool,
    timeout: Any,
    verify: Any,
    cert: Any,
    proxies: dict[str, str] | None,
) -> Response:
    """What `HTTPAdapter.send` does when nothing on the way was replaced."""
    if _engine is None:
        _import_engine()
    call = Call(adapter, request, timeout)
    url = call.url
    proxy = _here.select_proxy(url, proxies) if proxies else None
    arguments = call.arguments
    if proxy:
        _go_through(proxy, call)
        if proxy[:6].lower() == "https:":
            # urllib3 goes by `verify` there, whatever the URL is.
            arguments["proxy_verify"] = ca_bundle(verify) if verify else False
    if url[:6].lower() == "https:":
        arguments["verify"] = ca_bundle(verify) if verify else False
        if not verify:
            _warn_of_no_verification(call)
    if cert:
        certificate, key = client_certificate(cert)
        arguments["cert"] = certificate if key is None else (certificate, key)
    remember_origin(adapter, url, verify, cert)
    adapter.add_headers(
        request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies
    )
    body = request.body
    if body is not None:
        arguments["chunked"] = "Content-Length" not in request.headers
        call.body = body if type(body) in (bytes, str) else _body(body)
    arguments["timeout"] = _timeouts.checked(timeout)
    deadline = _timeouts.deadline_in_force()
    if deadline is not None:
        arguments["total_until"] = deadline
    # The body is left to be read by who asks for it: hooks and cookies come before, as in requests.
    arguments["stream"] = True
    _continue_call(call)
    reply = _with_retries(call)
    response = response_of(adapter, request, reply)
    if call.url is not url:
        response.url = url
    if call.retries is not None:
        response.__dict__["_retries"] = call.retries
    if call.raw is not None:
        # It is asked about its status already; a second one could not read what it has read.
        response.raw = call.raw
    return response


def _with_retries(call: Call) -> Reply:
    """One attempt; more of them if the adapter's retries say so."""
    own = call.adapter.__dict__
    if "max_retries" in own:
        from . import _retrying

        return _retrying.send(call, own["max_retries"])
    may_retry = bool(own.get("_retries_given"))
    if may_retry and hasattr(call.body, "tell"):
        try:
            call.position = call.body.tell()
        except OSError:
            call.position = False
    try:
        reply = call.attempt()
    except _engine.EngineError as error:
        if may_retry:
            from . import _retrying

            return _retrying.send(call, call.adapter.max_retries, failure=error)
        raise failed(call, error) from None
    if may_retry and reply.status in _RETRY_AFTER and reply.header("Retry-After"):
        from . import _retrying

        return _retrying.send(call, call.adapter.max_retries, reply=reply)
    return reply


def failed(call: Call, error: EngineError) -> BaseException:
    """The exception for a failure that is not retried."""
    from ._errors import exception

    if error.kind == "invalid-request":
        raise_as_http_client(call.request)
        made: BaseException = _here.InvalidHeader(error.message, request=call.request)
        return made
    if error.kind == "invalid-url":
        # requests has many words for what is wrong with a URL; its own way finds the right ones.
        _replay(call)
    return exception(error, call.described())


def raise_as_http_client(request: PreparedRequest) -> None:
    """Raises what http.client raises for a method or field that it does not send; returns if it would send all."""
    import re

    method = request.method or ""
    found = re.search(r"[^!#$%&'*+\-.^_`|~0-9a-zA-Z]", method)
    if found:
        raise ValueError(
            f"Method cannot contain non-token characters {method!r} (found at least {found.group()!r})"
        )
    for name, value in request.headers.items():
        shown = name.encode("ascii") if isinstance(name, str) else name
        if not re.fullmatch(rb"[^:\s][^:\r\n]*", shown):
            raise ValueError(f"Invalid header name {shown!r}")
        sent = value.encode("latin-1") if isinstance(value, str) else value
        if isinstance(sent, bytes) and re.search(rb"\n(?![ \t])|\r(?![ \t\n])", sent):
            raise ValueError(f"Invalid header value {sent!r}")


def response_of(adapter: HTTPAdapter, request: PreparedRequest, reply: Reply) -> Response:
    """The response that stands on a reply; what it costs to look at is made when it is looked at."""
    kind: type[Response] = _here.Response
    response = kind.__new__(kind)
    response.__dict__.update(_reply=reply, request=request, connection=adapter)
    url: Any = request.url
    if url != reply.url:
        response.url = url if isinstance(url, str) else url.decode("utf-8")
    try:
        # Whoever sends this request again, in a hook for example, goes on with the same call.
        request._after = reply
    except AttributeError:
        pass  # not a request of ours, and it takes no attributes
    return response


def _import_engine() -> None:
    global _engine
    from . import _engine as imported

    _engine = imported


def _continue_call(call: Call) -> None:
    """Goes on with the call that a redirect or a challenge was an answer in."""
    after: Any = getattr(call.request, "_after", None)
    if isinstance(after, _engine.Reply):
        call.after = after
        call.reason = "auth" if after.status in (401, 407) else "redirect"


def _fields(headers: Any) -> Any:
    """Header fields as the engine takes them, with what urllib3 would add."""
    store = getattr(headers, "_store", None)
    if (
        isinstance(store, dict)
        and "user-agent" in store
        and "accept-encoding" in store
        and ("content-length" not in store or "transfer-encoding" not in store)
    ):
        for _, value in store.values():
            if type(value) is str:
                if value == _SKIP:
                    break
            elif type(value) is not bytes:
                break
        else:
            return store
    return _unusual_fields(headers)


def _unusual_fields(headers: Any) -> list[tuple[Any, Any]]:
    pairs = list(headers.items())
    names = {_text(name).lower() for name, _ in pairs}
    fields: list[tuple[Any, Any]] = []
    if "accept-encoding" not in names:
        fields.append(("Accept-Encoding", "identity"))
    if "user-agent" not in names:
        try:
            import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
            from urllib3.connection import _get_default_user_agent

            fields.append(("User-Agent", _get_default_user_agent()))
        except ImportError:
            pass
    for name, value in pairs:
        if _text(name).lower() == "transfer-encoding" and "content-length" in names:
            # A stream whose length the caller knows: said twice, a server could take it for two requests.
            continue
        if value == _SKIP:
            if _text(name).lower() not in _SKIPPABLE:
                allowed = "', '".join(skippable.title() for skippable in _SKIPPABLE)
                raise ValueError(f"urllib3.util.SKIP_HEADER only supports '{allowed}'")
            continue
        if value is None:
            import re

            re.match("", value)  # type: ignore[call-overload]  # refuses it with the words of this version of Python
        fields.append((name, value if isinstance(value, (str, bytes)) else str(value)))
    return fields


def _has_length(headers: Any) -> bool:
    return "Content-Length" in headers or "Transfer-Encoding" in headers


def _text(name: Any) -> str:
    return name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)


def _body(body: Any) -> Any:
    """A body that is neither bytes nor text: a file, an iterator, or a buffer."""
    if isinstance(body, (bytes, str)) or hasattr(body, "read"):
        return body
    try:
        return bytes(memoryview(body))
    except TypeError:
        pass
    try:
        return iter(body)
    except TypeError:
        raise TypeError(
            f"'body' must be a bytes-like object, file-like object, or iterable. Instead was {body!r}"
        ) from None


def _go_through(proxy: str, call: Call) -> None:
    """Tells the engine the proxy and what it is to be told."""
    if "://" not in proxy:
        proxy = _here.prepend_scheme_if_needed(proxy, "http")
    call.proxy = proxy
    scheme = proxy.partition("://")[0].lower()
    if scheme not in ("http", "https") and not scheme.startswith("socks"):
        _replay_proxy(call, proxy)
    told = proxy
    if not scheme.startswith("socks"):
        headers = call.adapter.proxy_headers(proxy)
        if headers:
            call.arguments["proxy_headers"] = [
                (_text(name), value if isinstance(value, bytes) else str(value).encode("latin-1"))
                for name, value in headers.items()
            ]
        told = _without_userinfo(proxy)
    call.arguments["proxy"] = told


def _without_userinfo(proxy: str) -> str:
    """The proxy's URL without credentials: they travel in a header that `proxy_headers` made."""
    scheme, separator, rest = proxy.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority = rest[:end].rpartition("@")[2]
    return f"{scheme}{separator}{authority}{rest[end:]}"


def _replay_proxy(call: Call, proxy: str) -> None:
    """Lets urllib3 say what is wrong with the proxy."""
    try:
        call.adapter.proxy_manager_for(_here._usable_proxy(proxy))
    except _here.LocationValueError as e:
        raise _here.InvalidURL(e, request=call.request)
    finally:
        call.adapter.proxy_manager.pop(proxy, None)


def _replay(call: Call) -> None:
    """Goes requests' own way up to where it connects, to fail in its words; returns if that way is open."""
    request = call.request
    try:
        if call.proxy:
            _replay_proxy(call, call.proxy)
        host, tls = _here._urllib3_request_context(request, True, None, None)
        _here.PoolManager().connection_from_host(**host, pool_kwargs=tls)
    except _here.LocationValueError as e:
        raise _here.InvalidURL(e, request=request) from None
    except ValueError as e:
        if isinstance(e, _here.InvalidURL):
            raise
        raise _here.InvalidURL(e, request=request) from None


def _own_error(error: OSError, call: Call) -> BaseException:
    """An OSError that did not come from the connection: of a file with certificates, or of the request's body."""
    from urllib3 import exceptions as theirs

    from ._urllib3_errors import pool_of, target_of, unusable_file

    if error.errno is None and not isinstance(call.body, (bytes, str)) and call.body is not None:
        return error if isinstance(error, _here.ConnectionError) else _aborted(error, call)
    if error.errno is None and "verify" in call.arguments:
        inner = theirs.SSLError(unusable_file(str(error)))
        attempt = call.described()
        retried = theirs.MaxRetryError(pool_of(attempt), target_of(attempt), inner)
        made: BaseException = _here.SSLError(retried, request=call.request)
        return made
    return _aborted(error, call)


def _aborted(error: OSError, call: Call) -> BaseException:
    from urllib3 import exceptions as theirs

    made: BaseException = _here.ConnectionError(
        theirs.ProtocolError("Connection aborted.", error), request=call.request
    )
    return made


def ca_bundle(verify: Any) -> str:
    """The path of the CA bundle that `verify` means; OSError, in requests' words, if there is nothing."""
    path = _here.DEFAULT_CA_BUNDLE_PATH if verify is True else verify
    if not path or not os.path.exists(path):
        raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {path}")
    return os.fspath(path) if not isinstance(path, int) else str(path)


def client_certificate(cert: Any) -> tuple[str, str | None]:
    """The paths of certificate and key; OSError, in requests' words, if one is not there."""
    certificate, key = (cert, None) if isinstance(cert, str) else (cert[0], cert[1])
    if certificate and not os.path.exists(certificate):
        raise OSError(f"Could not find the TLS certificate file, invalid path: {certificate}")
    if key and not os.path.exists(key):
        raise OSError(f"Could not find the TLS key file, invalid path: {key}")
    return certificate, key


def _warn_of_no_verification(call: Call) -> None:
    """urllib3's warning, before anything is sent: a program that makes errors of warnings sends nothing."""
    import warnings

    try:
        import urllib3  # noqa: F401 - before its parts, because of threads (see _lazy)
        from urllib3.exceptions import InsecureRequestWarning
    except ImportError:
        return
    via_proxy = call.proxy is not None and call.proxy[:5].lower() != "socks"
    host, _ = host_and_port(call.proxy if via_proxy else call.request.url)  # type: ignore[arg-type]
    text = (
        f"Unverified HTTPS request is being made to host '{host}'. "
        "Adding certificate verification is strongly advised. See: "
        "https://urllib3.readthedocs.io/en/latest/advanced-usage.html#tls-warnings"
    )
    module = sys.modules.get("urllib3.connectionpool")
    if module is None:
        warnings.warn(text, InsecureRequestWarning, stacklevel=2)
        return
    # As if urllib3 said it: filters go by the module, and `default` counts by its line.
    registry = vars(module).setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        text, InsecureRequestWarning, module.__file__ or "", 1, module.__name__, registry
    )
