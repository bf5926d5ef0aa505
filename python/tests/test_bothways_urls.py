"""URLs that the engine prepares itself come out as requests prepares them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import waterclock
from waterclock import _url
from waterclock._engine import simple_url

requests = pytest.importorskip("requests")

SCHEMES = st.sampled_from(["http://", "https://", "HTTP://", "http:/", "", "ftp://", " http://"])
HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9.\-]{1,20}", fullmatch=True),
    st.sampled_from(
        ["localhost", "127.0.0.1", "[::1]", "EXAMPLE.org", "a_b", "ü.de", "*", ".x", "x."]
    ),
    st.text(max_size=5),
)
PORTS = st.one_of(
    st.just(""),
    st.integers(0, 70000).map(lambda port: f":{port}"),
    st.sampled_from([":", ":080", ":x", ":-1", ":65536", ":00"]),
)
SEGMENTS = st.one_of(
    st.sampled_from(["", ".", "..", "...", ".a", "a.", "%20", "%41", "%zz", "%", "ü", " ", "*"]),
    st.text("abcXYZ019-._~!$&'()*+,;=:@", max_size=6),
    st.text(max_size=4),
)
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda parts: "".join(f"/{part}" for part in parts))
QUERIES = st.one_of(
    st.just(""),
    st.text("abc=&?/:@!$'()*+,;.-_~", max_size=10).map(lambda query: f"?{query}"),
    st.text(max_size=6).map(lambda query: f"?{query}"),
)
FRAGMENTS = st.one_of(
    st.just(""), st.just(""), st.text("ab/?#é", max_size=4).map(lambda f: f"#{f}")
)
URLS = st.builds("".join, st.tuples(SCHEMES, HOSTS, PORTS, PATHS, QUERIES, FRAGMENTS))


def prepared(package: Any, url: str, params: Any = None) -> Any:
    try:
        return package.Request("GET", url, params=params).prepare().url
    except (requests.RequestException, waterclock.RequestException) as error:
        return (type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001 - every class is compared
        return type(error).__name__


@settings(deadline=None, max_examples=400, derandomize=True, database=None)
@given(URLS)
@example("http://host")
@example("http://host?")
@example("http://host:80/")
@example("http://host/a/../b")
@example("http://host/..a/.b/c..")
@example("http://host/?a?b=/c")
def test_the_engine_prepares_as_requests_does(url: str) -> None:
    ours = simple_url(url)
    if ours is not None:
        assert ours == prepared(requests, url)


@settings(deadline=None, max_examples=400, derandomize=True, database=None)
@given(URLS)
def test_so_does_the_long_way(url: str) -> None:
    assert prepared(waterclock, url) == prepared(requests, url)


TEXTS = st.one_of(
    st.text(max_size=4), st.sampled_from(["a b", "a&b", "a=b", "a+b", "é", "%20", ""])
)
PARAMS = st.one_of(
    st.dictionaries(TEXTS, st.one_of(TEXTS, st.lists(TEXTS, max_size=2), st.none(), st.integers())),
    st.lists(st.tuples(TEXTS, TEXTS), max_size=3),
    TEXTS,
)


@settings(deadline=None, max_examples=300, derandomize=True, database=None)
@given(st.sampled_from(["http://host", "http://host/a?b=c", "http://h/a#f", "http://h/é?"]), PARAMS)
def test_params(url: str, params: Any) -> None:
    assert prepared(waterclock, url, params) == prepared(requests, url, params)


@pytest.mark.parametrize(
    ("url", "simple"),
    [
        ("http://host", "http://host/"),
        ("http://host?a=b", None),
        ("https://host:8443/a/b.html?c=d&e", "https://host:8443/a/b.html?c=d&e"),
        ("http://host/a%20b", None),
        ("http://host/#f", None),
        ("http://user@host/", None),
        ("http://HOST/", None),
    ],
)
def test_most_urls_are_simple(url: str, simple: str | None) -> None:
    assert simple_url(url) == simple


@settings(deadline=None, max_examples=100, derandomize=True, database=None)
@given(st.text("abcXYZ019-._~!$&'()*+,;=:@/%20AF", max_size=12))
def test_what_is_plain_stays_as_it_is(query: str) -> None:
    if _url.is_plain_query(query):
        assert requests.utils.requote_uri(f"http://h/?{query}") == f"http://h/?{query}"
