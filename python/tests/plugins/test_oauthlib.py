"""requests-oauthlib: OAuth1 signs prepared requests; OAuth2Session overrides Session.request."""

from __future__ import annotations

import json

import pytest
import requests
from loopback import answer
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests_oauthlib import OAuth1, OAuth1Session, OAuth2, OAuth2Session


@pytest.fixture
def plain_http(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def as_json(value):
    return answer(json.dumps(value), headers=[("Content-Type", "application/json")])


def test_oauth1_signs_the_header(serve):
    server = serve(answer("ok"))
    auth = OAuth1("key", "secret", "token", "token-secret", timestamp="1", nonce="n")
    requests.post(server.url + "/x?q=1", data={"k": "v w"}, auth=auth)
    (request,) = server.requests
    header = request.header("Authorization") or ""
    for part in (
        "OAuth ",
        'oauth_nonce="n"',
        'oauth_consumer_key="key"',
        "oauth_signature=",
        'oauth_token="token"',
    ):
        assert part in header
    assert request.body == b"k=v+w"


def test_oauth1_signs_body_or_query(serve):
    server = serve(answer("ok"))
    requests.post(server.url, data={"k": "v"}, auth=OAuth1("key", "secret", signature_type="body"))
    assert b"oauth_signature=" in server.requests[0].body
    assert server.requests[0].header("Content-Length") == str(len(server.requests[0].body))
    requests.get(server.url, auth=OAuth1("key", "secret", signature_type="query"))
    assert "oauth_signature=" in server.requests[1].target


def test_oauth1_session_fetches_tokens(serve):
    server = serve(answer("oauth_token=t&oauth_token_secret=s"))
    session = OAuth1Session("key", client_secret="secret")
    assert session.fetch_request_token(server.url + "/request")["oauth_token"] == "t"
    assert "oauth_token=t" in session.authorization_url(server.url + "/authorize")
    session.get(server.url + "/data")
    assert 'oauth_token="t"' in (server.requests[-1].header("Authorization") or "")


def test_oauth2_fetches_and_uses_a_token(serve, plain_http):
    server = serve(
        {
            "/token": as_json({"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}),
            "/old": answer("", 307, [("Location", "/data")]),
            "/data": lambda request: answer(request.header("Authorization") or "none"),
        }
    )
    session = OAuth2Session(client=BackendApplicationClient(client_id="me"))
    token = session.fetch_token(server.url + "/token", client_id="me", client_secret="s")
    assert token["access_token"] == "abc"
    assert session.get(server.url + "/data").text == "Bearer abc"
    assert session.get(server.url + "/old").text == "Bearer abc"
    assert b"grant_type=client_credentials" in server.requests[0].body


def test_oauth2_refreshes_by_itself(serve, plain_http):
    server = serve(
        {
            "/token": as_json({"access_token": "new", "token_type": "Bearer", "expires_in": 3600}),
            "/data": lambda request: answer(request.header("Authorization") or "none"),
        }
    )
    saved = []
    session = OAuth2Session(
        "me",
        token={
            "access_token": "old",
            "refresh_token": "r",
            "token_type": "Bearer",
            "expires_in": -30,
        },
        auto_refresh_url=server.url + "/token",
        auto_refresh_kwargs={"client_id": "me"},
        token_updater=saved.append,
    )
    assert session.get(server.url + "/data").text == "Bearer new"
    assert saved[0]["access_token"] == "new"


def test_oauth2_errors(serve, plain_http):
    server = serve(
        answer('{"error": "invalid_client"}', 401, [("Content-Type", "application/json")])
    )
    session = OAuth2Session(client=BackendApplicationClient(client_id="me"))
    with pytest.raises(InvalidClientError):
        session.fetch_token(server.url, client_id="me", client_secret="s")


def test_oauth2_as_auth_only(serve, plain_http):
    server = serve(answer("ok"))
    requests.get(
        server.url, auth=OAuth2("me", token={"access_token": "abc", "token_type": "Bearer"})
    )
    assert server.requests[0].header("Authorization") == "Bearer abc"
