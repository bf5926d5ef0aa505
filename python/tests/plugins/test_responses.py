"""responses replaces HTTPAdapter.send, and builds responses with the adapter's build_response."""

from __future__ import annotations

import json

import pytest
import requests
import responses
from loopback import answer
from requests.adapters import HTTPAdapter
from responses import matchers
from responses.registries import OrderedRegistry
from urllib3.util.retry import Retry

URL = "http://api.example/things"


@responses.activate
def test_json_headers_and_the_recorded_call():
    responses.get(URL, json={"a": 1}, headers={"X-One": "1"}, status=201)
    found = requests.get(URL, headers={"X-Mine": "m"}, timeout=3)
    assert (found.status_code, found.json(), found.headers["x-one"]) == (201, {"a": 1}, "1")
    assert found.url == URL
    call = responses.calls[0]
    assert call.request.headers["x-mine"] == "m"
    assert call.response.json() == {"a": 1}


@responses.activate
def test_matchers():
    responses.post(
        URL,
        match=[
            matchers.json_params_matcher({"name": "x"}),
            matchers.query_param_matcher({"page": "2"}),
            matchers.header_matcher({"Authorization": "Basic dTpw"}),
            matchers.request_kwargs_matcher({"stream": False, "verify": True}),
        ],
        body="made",
    )
    found = requests.post(URL, json={"name": "x"}, params={"page": 2}, auth=("u", "p"))
    assert found.text == "made"
    with pytest.raises(
        requests.exceptions.ConnectionError, match="Connection refused by Responses"
    ):
        requests.post(URL, json={"name": "y"}, params={"page": 2}, auth=("u", "p"))


@responses.activate
def test_unknown_address_is_a_connection_error():
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://other.example/")
    assert caught.value.request.url == "http://other.example/"


@responses.activate
def test_errors_are_raised_as_they_were_given():
    given = requests.exceptions.ReadTimeout("too slow")
    responses.get(URL, body=given)
    with pytest.raises(requests.Timeout) as caught:
        requests.get(URL)
    assert caught.value is given


@responses.activate
def test_callbacks_and_streams():
    def callback(request):
        return 200, {"X-Length": str(len(request.body))}, json.dumps(request.body.decode()[::-1])

    responses.add_callback(responses.PUT, URL, callback=callback)
    with requests.put(URL, data=b"abc", stream=True) as found:
        assert found.headers["X-Length"] == "3"
        assert b"".join(found.iter_content(2)) == b'"cba"'


@responses.activate
def test_redirects_and_cookies():
    responses.get(
        URL, status=302, headers={"Location": "/end", "Set-Cookie": "taste=sweet; Path=/"}
    )
    responses.get("http://api.example/end", body="there")
    with requests.Session() as session:
        found = session.get(URL)
        assert [r.status_code for r in found.history] == [302]
        assert found.text == "there"
        assert session.cookies["taste"] == "sweet"
    assert responses.calls[1].request.headers["Cookie"] == "taste=sweet"


@responses.activate(registry=OrderedRegistry)
def test_retries_ask_the_adapters_policy():
    for status in (500, 500, 200):
        responses.get(URL, status=status, body=str(status))
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[500])))
        assert session.get(URL).text == "200"
    assert len(responses.calls) == 3


@responses.activate
def test_retries_end_with_retry_error():
    responses.get(URL, status=500)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[500])))
        with pytest.raises(requests.exceptions.RetryError):
            session.get(URL)


def test_passthrough_reaches_the_real_server(serve):
    server = serve(answer("real"))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru(server.url)
        mock.get(URL, body="mocked")
        assert requests.get(server.url + "/x").text == "real"
        assert requests.get(URL).text == "mocked"
    assert [r.target for r in server.requests] == ["/x"]
    assert requests.get(server.url + "/after").text == "real"
