"""Cookie jars, compared with those of requests."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy, LWPCookieJar
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

import waterclock
from waterclock import cookies

requests = pytest.importorskip("requests")
theirs = requests.cookies

Outcome = tuple[str, Any]


def outcome(function: Callable[[], Any]) -> Outcome:
    """Return what a call gives: its value, or its exception by name and text."""
    try:
        return "value", function()
    except Exception as error:  # noqa: BLE001 (whatever it is, it must be the same)
        return type(error).__name__, str(error)


def shown(jar: Any) -> list[dict[str, Any]]:
    """Return all that is in a jar."""
    return [vars(cookie) for cookie in jar]


def filled(module: Any) -> Any:
    """Return a jar with cookies of several domains and paths."""
    jar = module.RequestsCookieJar()
    jar.set("a", "1")
    jar.set("a", "2", domain="x.example", path="/p")
    jar.set("b", "3", domain="x.example")
    jar.set("c", "4", domain=".y.example", path="/q", secure=True)
    jar.set("d", None)
    jar["e"] = 'quo"te'
    jar["f"] = '"a\\"b"'
    return jar


@pytest.mark.parametrize(
    "view",
    [
        lambda jar: jar.keys(),
        lambda jar: jar.values(),
        lambda jar: jar.items(),
        lambda jar: list(jar.iterkeys()),
        lambda jar: list(jar.itervalues()),
        lambda jar: list(jar.iteritems()),
        lambda jar: jar.list_domains(),
        lambda jar: jar.list_paths(),
        lambda jar: jar.multiple_domains(),
        lambda jar: jar.get_dict(),
        lambda jar: jar.get_dict(domain="x.example"),
        lambda jar: jar.get_dict(path="/q", domain=".y.example"),
        lambda jar: len(jar),
        lambda jar: repr(jar),
        lambda jar: str(jar),
        lambda jar: "a" in jar,
        lambda jar: "z" in jar,
        lambda jar: jar["a"],
        lambda jar: jar["b"],
        lambda jar: jar["z"],
        lambda jar: jar.get("a"),
        lambda jar: jar.get("a", domain="x.example"),
        lambda jar: jar.get("a", domain="x.example", path="/"),
        lambda jar: jar.get("z", "default"),
        lambda jar: jar._find("a"),
        lambda jar: jar._find("z"),
        lambda jar: jar.pop("b"),
        lambda jar: jar.pop("z"),
        lambda jar: jar.setdefault("b", "9"),
        lambda jar: jar.popitem(),
        lambda jar: dict(jar),
        lambda jar: shown(jar),
        lambda jar: shown(jar.copy()),
        lambda jar: shown(copy.copy(jar)),
        lambda jar: shown(pickle.loads(pickle.dumps(jar))),
        lambda jar: jar.__delitem__("a") or jar.keys(),
        lambda jar: jar.set("a", None, domain="x.example") or shown(jar),
        lambda jar: jar.update({"b": "5"}) or shown(jar),
        lambda jar: jar.update(jar.copy()) or shown(jar),
        lambda jar: jar.clear() or jar.multiple_domains(),
        lambda jar: jar == jar.copy(),
        lambda jar: type(jar.get_policy()),
    ],
)
def test_jars_answer_alike(view: Callable[[Any], Any]) -> None:
    assert outcome(lambda: view(filled(cookies))) == outcome(lambda: view(filled(theirs)))


def test_a_jar_is_one_of_the_standard_library() -> None:
    jar = cookies.RequestsCookieJar(DefaultCookiePolicy(allowed_domains=["x"]))
    assert isinstance(jar, CookieJar)
    assert jar.copy().get_policy() is jar.get_policy()
    again = pickle.loads(pickle.dumps(jar))
    again.set("a", "b")
    with pytest.raises(cookies.CookieConflictError, match="multiple cookies with name, 'a'"):
        filled(cookies)["a"]
    # Updating copies: the cookies of one jar are not those of another.
    other = cookies.RequestsCookieJar()
    other.update(again)
    assert next(iter(other)) is not next(iter(again))


def morsel(text: str) -> Morsel[str]:
    """Return the only morsel of a Set-Cookie field."""
    (one,) = SimpleCookie(text).values()
    return one


@pytest.mark.parametrize(
    "text",
    [
        "a=b",
        "a=b; Path=/x; Domain=h.example; Secure; HttpOnly; Comment=c; Version=1",
        "a=b; expires=Thu, 01-Jan-1970 00:00:01 GMT",
        "a=b; expires=Fri, 32-Dec-1999 00:00:01 GMT",
        "a=b; expires=nonsense",
        "a=b; Max-Age=woops",
        "a=b; Max-Age=0",
    ],
)
def test_morsels(text: str) -> None:
    one = morsel(text)
    ours = outcome(lambda: vars(cookies.morsel_to_cookie(one)))
    reference = outcome(lambda: vars(theirs.morsel_to_cookie(one)))
    assert ours == reference
    for module in (cookies, theirs):
        jar = module.RequestsCookieJar()
        if ours[0] == "value":
            assert jar.set("ignored", one).name == "a"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"domain": ".d", "path": "", "port": "80", "secure": True, "rest": {}, "version": 1},
        {"nonsense": 1},
        {"expires": 5, "discard": False, "rfc2109": True},
    ],
)
def test_making_cookies(options: dict[str, Any]) -> None:
    ours = outcome(lambda: vars(cookies.create_cookie("n", "v", **options)))
    assert ours == outcome(lambda: vars(theirs.create_cookie("n", "v", **options)))


def test_merging() -> None:
    for given in (None, {}, {"a": "9", "new": "8"}):
        ours = shown(cookies.merge_cookies(filled(cookies), given))
        assert ours == shown(theirs.merge_cookies(filled(theirs), given))
        plain = shown(cookies.merge_cookies(CookieJar(), given))
        assert plain == shown(theirs.merge_cookies(CookieJar(), given))
        for overwrite in (True, False):
            ours = shown(cookies.cookiejar_from_dict(given, filled(cookies), overwrite))
            assert ours == shown(theirs.cookiejar_from_dict(given, filled(theirs), overwrite))
    merged = cookies.merge_cookies(CookieJar(), filled(cookies))
    assert shown(merged) == shown(theirs.merge_cookies(CookieJar(), filled(theirs)))
    with pytest.raises(ValueError, match="You can only merge into CookieJar"):
        cookies.merge_cookies({}, {})  # type: ignore[arg-type]
    jar = cookies.cookiejar_from_dict({"a": "b"})
    assert type(jar) is cookies.RequestsCookieJar
    assert waterclock.utils.dict_from_cookiejar(jar) == {"a": "b"}
    assert waterclock.utils.add_dict_to_cookiejar(jar, {"c": "d"}) is jar
    assert jar.get_dict() == {"a": "b", "c": "d"}


def test_copies() -> None:
    assert cookies._copy_cookie_jar(None) is None
    for jar in (filled(cookies), LWPCookieJar()):
        jar.set_cookie(cookies.create_cookie("x", "y"))
        copied = cookies._copy_cookie_jar(jar)
        assert type(copied) is type(jar)
        assert shown(copied) == shown(jar)
        assert copied is not jar


def test_removing() -> None:
    for arguments in (
        ("a",),
        ("a", "x.example"),
        ("a", None, "/"),
        ("a", "x.example", "/"),
        ("z",),
    ):
        ours, reference = filled(cookies), filled(theirs)
        cookies.remove_cookie_by_name(ours, *arguments)
        theirs.remove_cookie_by_name(reference, *arguments)
        assert shown(ours) == shown(reference)


SET_COOKIES = [
    ["a=b"],
    ["a=b; Path=/; Domain=example.org", "c=d; Secure", "e=f; Max-Age=0", "g=h; path=/other"],
    ["a=b; Domain=other.org", "c=d; Domain=.example.org; HttpOnly", "=x", "y"],
    ['q="a\\"b"; Max-Age=100000'],
    ["n=v; expires=Thu, 01 Jan 2099 00:00:00 GMT", "n=w"],
]


class Urllib3Like:
    """As much of a response of urllib3 as extraction looks at."""

    def __init__(self, values: list[str]) -> None:
        self.msg = Message()
        for value in values:
            self.msg["Set-Cookie"] = value
        self._original_response = self


class ReplyLike:
    """As much of a reply of the engine as extraction looks at."""

    def __init__(self, values: list[str]) -> None:
        self.headers = [("Server", "x"), *(("set-cookie", value) for value in values)]
        self.flags = 1 if values else 0


@pytest.mark.parametrize("values", SET_COOKIES)
@pytest.mark.parametrize("url", ["http://example.org/", "https://sub.example.org:8443/other/x"])
def test_from_responses_into_requests(url: str, values: list[str]) -> None:
    jars: list[Any] = []
    for package, module in ((waterclock, cookies), (requests, theirs)):
        request = package.Request("GET", url).prepare()
        jar = module.RequestsCookieJar()
        module.extract_cookies_to_jar(jar, request, Urllib3Like(values))
        jars.append(jar)
        if module is cookies:
            own = module.RequestsCookieJar()
            module._extract_from_reply(own, request, ReplyLike(values))
            jars.append(own)
    fields = [shown(jar) for jar in jars]
    for field in fields:
        for cookie in field:
            # The two clocks may have moved by a second in between.
            if cookie["expires"] is not None and cookie["expires"] < 4000000000:
                cookie["expires"] //= 1000
    assert fields[0] == fields[1] == fields[2]

    for asked in (url, "http://example.org/other/", "https://example.org/", "http://other.org/"):
        ours = waterclock.Request("GET", asked).prepare()
        reference = requests.Request("GET", asked).prepare()
        header = cookies.get_cookie_header(jars[0], ours)
        assert header == theirs.get_cookie_header(jars[2], reference)


def test_nothing_to_extract() -> None:
    request = waterclock.Request("GET", "http://example.org/").prepare()
    jar = cookies.RequestsCookieJar()
    cookies.extract_cookies_to_jar(jar, request, object())
    cookies.extract_cookies_to_jar(jar, request, None)
    cookies._extract_from_reply(jar, request, ReplyLike([]))  # type: ignore[arg-type]
    assert len(jar) == 0


@pytest.mark.parametrize(
    "headers", [{}, {"Host": "other.example:8080"}, {"Host": b"bytes.example"}, {"Cookie": "a=b"}]
)
def test_requests_as_urllib_sees_them(headers: dict[str, Any]) -> None:
    url = "https://example.org:444/p;q?x#f"
    ours = cookies.MockRequest(waterclock.Request("GET", url, headers=headers).prepare())
    reference = theirs.MockRequest(requests.Request("GET", url, headers=headers).prepare())
    for one in (ours, reference):
        one.add_unredirected_header("Cookie2", "x")
        with pytest.raises(NotImplementedError, match="add_unredirected_header"):
            one.add_header("a", "b")
    for view in (
        lambda one: (one.type, one.get_type(), one.get_host(), one.host),
        lambda one: (one.get_origin_req_host(), one.origin_req_host),
        lambda one: (one.get_full_url(), one.is_unverifiable(), one.unverifiable),
        lambda one: [one.has_header(name) for name in ("Cookie", "cookie2", "Cookie2", "Host")],
        lambda one: [one.get_header(name, "d") for name in ("Cookie", "Cookie2", "host", "x")],
        lambda one: one.get_new_headers(),
    ):
        assert view(ours) == view(reference)
