"""google-auth's transport: a Session of its own with refreshed tokens, time limits and client certificates."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import google.auth.exceptions
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession, Request, TimeoutGuard
from google.oauth2.credentials import Credentials
from loopback import STALL, answer


def credentials(token_uri, token=None):
    return Credentials(
        token, refresh_token="r", token_uri=token_uri, client_id="me", client_secret="s"
    )


def as_json(value):
    return answer(json.dumps(value), headers=[("Content-Type", "application/json")])


def test_request_adapts_responses_and_errors(serve):
    server = serve(answer("body", 201, [("X-One", "1")]))
    found = Request()(server.url, method="POST", body=b"b", headers={"X-Mine": "m"}, timeout=5)
    assert (found.status, found.data, found.headers["x-one"]) == (201, b"body", "1")
    assert (server.requests[0].body, server.requests[0].header("X-Mine")) == (b"b", "m")
    server.stop()
    with pytest.raises(google.auth.exceptions.TransportError) as caught:
        Request()(server.url)
    assert isinstance(caught.value.__cause__, requests.exceptions.ConnectionError)


def test_tokens_are_fetched_and_renewed_on_401(serve):
    tokens = iter(["one", "two"])

    def data(request):
        fresh = request.header("Authorization") == "Bearer two"
        return answer("in" if fresh else "out", 200 if fresh else 401)

    server = serve(
        {
            "/token": lambda request: as_json({"access_token": next(tokens), "expires_in": 3600}),
            "/data": data,
        }
    )
    with AuthorizedSession(credentials(server.url + "/token")) as session:
        found = session.get(server.url + "/data", timeout=5)
    assert (found.status_code, found.text) == (200, "in")
    assert [r.target for r in server.requests] == ["/token", "/data", "/token", "/data"]


def test_time_limits(serve):
    server = serve([STALL])
    with (
        AuthorizedSession(credentials(server.url, token="t")) as session,
        pytest.raises(requests.Timeout),
    ):
        session.get(server.url, timeout=0.2)
    with pytest.raises(requests.exceptions.Timeout), TimeoutGuard(0.0000001):
        sum(range(1000))


def test_sessions_keep_retries_and_pickle_requests(serve):
    server = serve(answer("ok"))
    session = AuthorizedSession(credentials(server.url, token="t"))
    assert session._auth_request.session.get_adapter("https://x").max_retries.total == 3
    copied = pickle.loads(pickle.dumps(Request()))
    assert copied(server.url).status == 200


def test_client_certificates(tls_serve, ca_file, client_certificate, monkeypatch):
    server = tls_serve(answer("known"), ask_client=True)
    certificate, key = (Path(path).read_bytes() for path in client_certificate)
    monkeypatch.setenv("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")
    with AuthorizedSession(credentials(server.url, token="t")) as session:
        session.configure_mtls_channel(lambda: (certificate, key))
        assert session.is_mtls
        session.verify = ca_file
        found = session.get(server.url, timeout=5)
    assert found.text == "known"
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(server.url, verify=ca_file, timeout=5)
