"""The short way of an ordinary request: one call into the engine, from URL to response.

A request is ordinary if nothing on its way was overridden, patched, mounted or asked for that only Python can do
(`_fast_way` and `_fast_guard` find that out). For all others `call` returns None, having done nothing, and the long way
begins. Both ways must send the same bytes and give the same response: tests send every request of theirs both ways.
Whatever comes back unusual (a redirect, a cookie) goes on in `Session._finish`, as on the long way.
"""

from __future__ import annotations

import sys
from time import monotonic

from . import _fast_way, models
from ._engine import EngineError
from ._fast_way import NAME, NotOrdinary, can_be_read_again
from ._response import Response
from .structures import CaseInsensitiveDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._engine import Deadline
    from .adapters import HTTPAdapter
    from .models import PreparedRequest
    from .sessions import Session


def current_deadline() -> Deadline | None:
    """The deadline that a call is under; `_deadline` puts another function here when there can be one."""
    return None


_REDIRECT_OR_COOKIES = 3
_new_response = Response.__new__
_new_mapping = CaseInsensitiveDict.__new__


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
    own = session.__dict__
    way = own.get(NAME)
    try:
        body, content_type = _encode(data, json) if data or json is not None else (None, None)
        if not (
            way is not None
            and way.kind is type(session)
            and params is auth is verify is cert is None
            and url.startswith(way.prefix)
            and monotonic() < way.until
            and way.attributes.are_in(own)
        ):
            way = _fast_way.find(session, url, params, headers, auth, verify, cert)
    except (NotOrdinary, KeyError):
        # A KeyError: somebody removed an attribute of the session, or has it elsewhere.
        return None
    origin, target = way.origin, way.url
    if stream is None:
        stream = way.stream
    sys.audit("http.client.connect", way.adapter, origin.host, origin.port)
    try:
        while True:
            answer = way.engine.fetch(
                method.upper(), target or url, target is not None, way.store, headers,
                body, content_type, way.cookie, way.authorization,
                timeout, current_deadline(), way.trusted, None, bool(stream),
            )  # fmt: skip
            if answer is not None:
                break
            if target is not None:
                return None
            # What Rust cannot prepare itself.
            target = _fast_way.prepared(url, None, None)
    except NotOrdinary:
        return None
    except (EngineError, OSError) as error:
        # An OSError: a signal handler raised it.
        raise _failure(
            session, way.adapter, error, method, url, params, data, headers, auth, json, timeout
        ) from None
    response = _response(answer, way.adapter, way.sent_cookies)
    if answer[1] & _REDIRECT_OR_COOKIES:
        kwargs = {
            "timeout": timeout,
            "verify": way.verify,
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
    headers = _new_mapping(CaseInsensitiveDict)
    attributes = response.__dict__
    headers.__dict__["_source"] = attributes["_reply"] = answer[0]
    attributes["connection"] = adapter
    # What nearly everybody looks at costs less now than later.
    attributes["status_code"] = answer[2]
    attributes["headers"] = headers
    if sent_cookies:
        attributes["_sent_cookies"] = sent_cookies
    content = answer[3]
    if content is not None:
        attributes["_content"] = content
    return response


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
    from . import _native

    request: PreparedRequest = session.prepare_request(made)
    call = _native.Call(adapter, request, timeout)
    if isinstance(error, OSError):
        return _native._own_error(error, call)
    return _native.failed(call, error)
