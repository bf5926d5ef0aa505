"""One function for each method. Each call has a session of its own, and so its own connections."""

from __future__ import annotations

from . import sessions
from .models import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import _types as _t


def request(method: str, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
    """Send a request and return the `Response`.

    `method` is GET, POST or any other; the keywords are those of `Session.request`:

    params
        mapping, list of pairs, str or bytes for the query.
    data
        mapping or list of pairs for a form, or str, bytes, a file or an iterator for the body.
    json
        what to send as JSON.
    headers, cookies
        mappings; `cookies` may be a cookie jar.
    files
        mapping or list of pairs of name and file, or of name and
        `(filename, file[, content_type[, headers]])`.
    auth
        `(user, password)` or any callable that takes and returns a `PreparedRequest`.
    timeout
        seconds, `(connect, read)`, or `waterclock.Limits`. None sets no limit.
    allow_redirects
        False returns a redirect instead of following it.
    proxies
        mapping of scheme, or scheme and host, to the proxy's URL.
    verify
        False accepts any certificate; a path is a bundle of trusted ones.
    cert
        path of a client certificate with its key, or a pair of paths.
    stream
        True leaves the body to be read later.
    hooks
        mapping of event to a function or a list of them (see `hooks`).
    """
    # Closing the session closes its connections, which otherwise would wait for the collector.
    with sessions.Session() as session:
        return session.request(method=method, url=url, **kwargs)


def get(url: _t.UriType, params: _t.ParamsType = None, **kwargs: Unpack[_t.GetKwargs]) -> Response:
    """Send a GET request; see `request`."""
    return request("get", url, params=params, **kwargs)


def options(url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
    """Send an OPTIONS request; see `request`."""
    return request("options", url, **kwargs)


def head(url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
    """Send a HEAD request; see `request`. Redirects are not followed unless asked for."""
    kwargs.setdefault("allow_redirects", False)
    return request("head", url, **kwargs)


def post(
    url: _t.UriType,
    data: _t.DataType = None,
    json: _t.JsonType = None,
    **kwargs: Unpack[_t.PostKwargs],
) -> Response:
    """Send a POST request; see `request`."""
    return request("post", url, data=data, json=json, **kwargs)


def put(url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]) -> Response:
    """Send a PUT request; see `request`."""
    return request("put", url, data=data, **kwargs)


def patch(url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]) -> Response:
    """Send a PATCH request; see `request`."""
    return request("patch", url, data=data, **kwargs)


def delete(url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
    """Send a DELETE request; see `request`."""
    return request("delete", url, **kwargs)
