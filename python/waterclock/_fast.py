"""The short way of an ordinary request: one call into the engine, from URL to response.

A request is ordinary if nothing on its way was overridden, patched, mounted or asked for that only Python can do
(`_fast_way` and `_fast_guard` find that out). For all others `call` returns None, having done nothing, and the long way
begins. Both ways must send the same bytes and give the same response: tests send every request of theirs both ways.
Whatever comes back unusual (a redirect, a cookie) goes on in `Session._finish`, as on the long way.
"""

from __future__ import annotations

import sys

from . import _fast_way, models
from ._engine import EngineError, Surface
from ._fast_way import NAME, NotOrdinary, can_be_read_again
from ._response import Response
from ._session import Session as _Session
from .structures import CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import Way
    from .adapters import HTTPAdapter
    from .models import PreparedRequest
    from .sessions import Session


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
    if headers is not None and type(headers) is not dict:
        return None
    if stream is not None:
        stream = bool(stream)
    follow = bool(allow_redirects)
    method = method.upper()
    try:
        body, kind = _encode(data, json) if data or json is not None else (None, None)
    except NotOrdinary:
        return None
    rest = (params, data, auth, json)
    way: Way | None = (
        session.__dict__.get(NAME) if params is auth is verify is cert is None else None
    )
    if way is not None:
        response = way.again(
            session, method, url, headers, body, kind, timeout, stream, follow, rest
        )
        if response is not None:
            return response
    try:
        way, target = _fast_way.find(session, _SURFACE, url, params, headers, auth, verify, cert)
    except (NotOrdinary, KeyError):
        # A KeyError: somebody removed an attribute of the session, or has it elsewhere.
        return None
    response = way.go(
        session, method, url, target, headers, body, kind, timeout, stream, follow, rest
    )
    if response is None and target is None:
        # What Rust cannot prepare itself.
        try:
            target = _fast_way.prepared(url, None, None)
        except NotOrdinary:
            return None
        response = way.go(
            session, method, url, target, headers, body, kind, timeout, stream, follow, rest
        )
    return response


def _finish(
    session: Session,
    response: Response,
    verify: Any,
    timeout: Any,
    stream: bool,
    allow_redirects: bool,
) -> Response:
    """Go on with a redirect, or with a response that sets cookies."""
    kwargs = {"timeout": timeout, "verify": verify, "proxies": {}, "stream": stream, "cert": None}
    return session._finish(response.request, response, allow_redirects, kwargs)


def _encode(data: Any, json: Any) -> tuple[bytes | str, str | None]:
    """The body and its media type."""
    kind = type(data)
    try:
        if not data:
            text = models.complexjson.dumps(json, allow_nan=False)
            return text.encode("utf-8"), "application/json"
        if kind is bytes or kind is str:
            return data, None
        if can_be_read_again(data):
            text = models.RequestEncodingMixin._encode_params(data)
            return text, "application/x-www-form-urlencoded"
    except Exception as error:
        # The long way raises it, or something else that comes before.
        raise NotOrdinary from error
    raise NotOrdinary


def _failure(
    session: Session,
    adapter: HTTPAdapter,
    error: Any,
    method: str,
    url: str,
    headers: Any,
    timeout: Any,
    rest: tuple[Any, Any, Any, Any] | None,
) -> BaseException:
    """The exception that the long way would have raised."""
    if isinstance(error, EngineError) and error.status is not None:
        # The head had arrived.
        from ._errors import body_error

        return body_error(error)
    params, data, auth, json = rest or (None, None, None, None)
    made = models.Request(
        method=method,
        url=url,
        headers=headers,
        data=data or {},
        json=json,
        params=params or {},
        auth=auth,
    )
    from . import _native

    request: PreparedRequest = session.prepare_request(made)
    call = _native.Call(adapter, request, timeout)
    if isinstance(error, OSError):
        return _native._own_error(error, call)
    return _native.failed(call, error)


_SURFACE = Surface(Response, CaseInsensitiveDict, _Session.request, sys.audit, _failure, _finish)
