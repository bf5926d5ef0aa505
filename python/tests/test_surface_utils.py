"""What the helpers of requests answer, ours answer too: tables of inputs go through both."""

from __future__ import annotations

import io
import os
import random
import tarfile
import urllib.request
import zipfile
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from waterclock import structures, utils
from waterclock._util_headers import _split_list

requests = pytest.importorskip("requests")
theirs = requests.utils


def outcome(function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """Return what a call gives: its value, or its exception by name and text."""
    try:
        value = function(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is, it must be the same)
        return type(error).__name__, str(error)
    if isinstance(value, Iterator):
        value = list(value)
    return type(value).__name__, value


def same(name: str, *arguments: Any) -> None:
    """Check that a helper of both packages does the same."""
    assert outcome(getattr(utils, name), *arguments) == outcome(getattr(theirs, name), *arguments)


class ReadOnly:
    """A file that knows its name and its length."""

    def __init__(self, name: Any) -> None:
        self.name = name
        self.len = 7


class NoPosition:
    """Standard input of some systems: there is a position, but nobody can tell it."""

    def tell(self) -> int:
        raise OSError

    def __len__(self) -> int:
        return 5


class NoEnd:
    """A file whose end cannot be visited."""

    def tell(self) -> int:
        return 3

    def seek(self, *_: int) -> None:
        raise OSError


ENTRIES: dict[str, list[tuple[Any, ...]]] = {
    "dict_to_sequence": [({"a": 1},), ([("a", 1)],), (UserDict(a=1),), ("ab",), (None,)],
    "from_key_val_list": [
        ([("a", 1)],),
        ({"a": 1},),
        ("string",),
        (b"bytes",),
        (True,),
        (3,),
        (None,),
        ([1],),
        (OrderedDict(a=1),),
    ],
    "to_key_val_list": [
        ([("a", 1)],),
        ({"a": 1},),
        (UserDict(a=1),),
        ("string",),
        (b"",),
        (0,),
        (None,),
        ((1, 2),),
        (3.5,),
    ],
    "parse_list_header": [
        (text,)
        for text in (
            "a, b",
            'token, "quoted value"',
            '"a, b", c',
            '"a\\"b", "c',
            "",
            ",",
            "a,,b,",
            ' " a " ',
            'x"y,z"w',
            '"\\',
            '"a" "b"',
        )
    ],
    "parse_dict_header": [
        (text,)
        for text in (
            'foo="is a fish", bar="as well"',
            "key_without_value",
            'realm="a\\"b, c", nonce=1==, qop="auth,auth-int"',
            "",
            'a=,b="",=c',
            'a="b',
            'a = "b"',
        )
    ],
    "unquote_header_value": [
        ("",),
        ("plain",),
        ('"quoted"',),
        ('"',),
        ('"a\\"b\\\\c"',),
        ('"\\\\host\\file"', True),
        ('"\\\\host\\file"', False),
        ('"C:\\\\x"', True),
        ('"half',),
        (None,),
    ],
    "parse_header_links": [
        (text,)
        for text in (
            '<http://a/f.jpeg>; rel=front; type="image/jpeg"',
            "<http://a/f.jpeg>",
            "<http://a/f.jpeg>;",
            '<http://a/1>; rel=next, <http://a/2>;rel="last";x=y=z;t=1',
            "",
            "  ",
            '<http://a/?q=a,b>; rel="a b"; =x',
            "no brackets; rel=1",
            "<a>;rel=1,<b>;rel=2,   <c>",
        )
    ],
    "_parse_content_type_header": [
        (text,)
        for text in (
            "application/json",
            "application/json; charset=utf-8",
            "text/html ; Charset='x' ; a = \"b\" ;; c",
            "multipart/form-data; boundary = something ; boundary2='x' ; no_equals ",
            "",
            "; a=b",
        )
    ],
    "get_encoding_from_headers": [
        (structures.CaseInsensitiveDict({"Content-Type": text} if text is not None else {}),)
        for text in (
            None,
            "",
            "text/html",
            "text/html; charset=utf-16",
            "text/html; CHARSET='\"x\"'",
            "application/json",
            "application/json; x=1",
            "image/png",
            "context/x",
        )
    ],
    "guess_json_utf": [
        (data,)
        for text in ("", "{}", "[1]", '"', "1", "é")
        for encoding in (
            "utf-8",
            "utf-8-sig",
            "utf-16",
            "utf-16-le",
            "utf-16-be",
            "utf-32",
            "utf-32-le",
            "utf-32-be",
        )
        for data in [text.encode(encoding)]
    ],
    "iter_slices": [
        (b"", 1),
        (b"abcdef", 4),
        ("abcdef", 2),
        ("abc", 0),
        ("abc", -1),
        ("abc", None),
        ("", None),
        ("abc", 9),
    ],
    "unquote_unreserved": [
        (text,)
        for text in (
            "http://a/%7e%41%2f",
            "%",
            "%4",
            "%zz",
            "%-1",
            "100%",
            "%%41",
            "a%20b",
            "%C3%A4",
            "",
            "ä%61",
        )
    ],
    "requote_uri": [
        (text,)
        for text in (
            "http://a/%7e b",
            "http://a/%zz?x=[1]",
            "http://example.com/fiz?buz=%ppicture",
            "http://example.com/fiz?buz=%25ppicture",
            "ä%",
            'a|b"<>',
        )
    ],
    "get_auth_from_url": [
        (text,)
        for text in (
            "http://u:p@h",
            "http://u@h",
            "http://:p@h",
            "http://u:@h",
            "http://h",
            "http://%75%25user:pa%20ss@h/",
            "http://u:p%40ss@h",
            "",
            "u:p@h",
        )
    ],
    "urldefragauth": [
        (text,)
        for text in (
            "http://u:p@h/a?b#c",
            "http://h",
            "//u@h/x#f",
            "h/x#f",
            "http://u:p@q@h/;p?x",
            "scheme:u@h",
            "",
        )
    ],
    "prepend_scheme_if_needed": [
        (text, "http")
        for text in (
            "example.com/",
            "example.com",
            "example.com:80",
            "localhost:8080",
            "http://h",
            "http://h/",
            "http://h:3128",
            "http://h:03128/",
            "http://h:99999",
            "http://H.example/",
            "https://u:p@h:80/",
            "http://@h",
            "http://:@h",
            "http://u@h:1",
            "http://h:0",
            "http://h:/",
            "socks5h://h:1080",
            "Socks5://h",
            "//h/path?x#f",
            "user:pass@example.com/path?query",
            "u%40:p@h",
            "http://[::1]:8080",
            "http://h/a b",
            "http://a_b",
            "http://1.2.3.4:80",
            "http://h?x",
            "",
        )
    ],
    "dotted_netmask": [(mask,) for mask in (0, 1, 8, 24, 31, 32)],
    "address_in_network": [
        ("192.168.1.1", "192.168.1.0/24"),
        ("172.16.0.1", "192.168.1.0/24"),
        ("10.1.2.3", "10.9.9.9/8"),
        ("x", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.0"),
    ],
    "is_ipv4_address": [(text,) for text in ("8.8.8.8", "8.8.8.8.8", "localhost", "1", "::1", "")],
    "is_valid_cidr": [
        (text,)
        for text in (
            "192.168.1.0/24",
            "8.8.8.8",
            "192.168.1.0/a",
            "192.168.1.0/128",
            "192.168.1.0/-1",
            "192.168.1.999/24",
            "192.168.1.0/0",
            "1.2.3.4/24/5",
            "/24",
        )
    ],
    "select_proxy": [
        (url, proxies)
        for url in (
            "hTTp://u:p@Some.Host/path",
            "http:///path",
            "https://other/",
            "file:///etc/motd",
            "x://some.host",
        )
        for proxies in (
            None,
            {},
            {"http": "http://http.proxy"},
            {"http": "a", "http://some.host": "b"},
            {"all": "socks5://a", "all://some.host": "c"},
            {"https": "d", "file": "e", "all": "f"},
        )
    ],
    "check_header_validity": [
        (pair,)
        for pair in (
            ("a", "b"),
            ("a", ""),
            ("a", " b"),
            ("a", "b\r\n"),
            ("a", "b\nc"),
            ("", "b"),
            (" a", "b"),
            ("a:b", "c"),
            (b"a", b"b"),
            (b"a\n", b"b"),
            (b"a", b" b"),
            (b"a", "b"),
            ("a", 3),
            (3, "a"),
            ("a", None),
            ("ä", "ö"),
            ("a b", "c\td"),
            ("a", "b "),
        )
    ],
    "super_len": [
        ("abc",),
        ("äöü",),
        (b"abc",),
        ([1, 2],),
        ({},),
        (0,),
        (None,),
        (ReadOnly("x"),),
        (NoPosition(),),
        (NoEnd(),),
        (io.BytesIO(b"abc"),),
        (io.StringIO("abc"),),
    ],
    "guess_filename": [
        (ReadOnly(name),)
        for name in ("a/b.txt", b"a/b.txt", "<stdin>", "<x", "x>", "", None, 3, b"<x>", "b.txt")
    ],
    "default_user_agent": [(), ("name",)],
}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, arguments) for name, table in ENTRIES.items() for arguments in table],
)
def test_same_answer(name: str, arguments: tuple[Any, ...]) -> None:
    same(name, *arguments)


def test_lists_are_split_as_urllib_splits_them() -> None:
    generator = random.Random(7)
    for _ in range(3000):
        text = "".join(generator.choices('ab",\\ \n=', k=generator.randrange(12)))
        assert _split_list(text) == urllib.request.parse_http_list(text), text


def test_random_urls_and_headers() -> None:
    generator = random.Random(8)
    names = ["unquote_unreserved", "requote_uri", "parse_header_links", "parse_dict_header"]
    for _ in range(1000):
        text = "".join(generator.choices("aF0%/?#[]:@;=<>\",' ä\\", k=generator.randrange(14)))
        for name in [*names, "_parse_content_type_header", "unquote_header_value"]:
            same(name, text)


def test_plain_urls_are_what_the_parser_of_urllib3_makes_of_them() -> None:
    generator = random.Random(9)
    for _ in range(3000):
        url = generator.choice(["http", "https", "socks5h", "ftp"]) + "://"
        url += "".join(generator.choices("a1.-_:@~/", k=generator.randrange(1, 10)))
        if outcome(theirs.prepend_scheme_if_needed, url, "http")[0] != "TypeError":
            same("prepend_scheme_if_needed", url, "http")
    assert utils.prepend_scheme_if_needed("http://u:p@", "http") == "http://u:p@"


def test_lengths_of_files(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(4)
        same("super_len", file)
        assert utils.super_len(file) == 6
    with path.open() as file:
        with pytest.warns(utils.FileModeWarning) as ours:
            assert utils.super_len(file) == 10
        with pytest.warns(requests.exceptions.FileModeWarning) as reference:
            theirs.super_len(file)
    assert [str(one.message) for one in ours] == [str(one.message) for one in reference]

    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as opened:
        opened.add(path, arcname="data")
    with tarfile.open(archive) as opened:
        member = opened.extractfile("data")
        assert member is not None
        assert utils.super_len(member) == theirs.super_len(member) == 10
    read, write = os.pipe()
    with os.fdopen(read, "rb") as pipe:
        os.close(write)
        assert utils.super_len(pipe) == theirs.super_len(pipe) == 0


class Body:
    """What `rewind_body` looks at."""

    def __init__(self, body: Any, position: Any) -> None:
        self.body = body
        self._body_position = position


@pytest.mark.parametrize("position", [0, 2, None, object()])
@pytest.mark.parametrize("body", [b"", io.BytesIO(b"abc"), NoEnd()])
def test_rewind(body: Any, position: Any) -> None:
    same("rewind_body", Body(body, position))


def test_encodings_of_responses() -> None:
    for module, package in ((utils, None), (theirs, requests)):
        reply = (package or __import__("waterclock")).Response()
        reply._content = "añb".encode("latin-1")
        reply.headers["content-type"] = "text/plain"
        with pytest.warns(DeprecationWarning):
            assert module.get_unicode_from_response(reply) == "añb"
        reply.headers["content-type"] = "text/plain; charset=utf-8"
        with pytest.warns(DeprecationWarning):
            assert module.get_unicode_from_response(reply) == "a\ufffdb"
        pieces = ["añ".encode()[:2], "añ".encode()[2:], b"\xff"]
        reply.encoding = None
        assert list(module.stream_decode_response_unicode(iter(pieces), reply)) == pieces
        reply.encoding = "utf-8"
        assert "".join(module.stream_decode_response_unicode(iter(pieces), reply)) == "añ\ufffd"
        reply.encoding = "nonsense"
        with pytest.raises(LookupError):
            list(module.stream_decode_response_unicode(iter(pieces), reply))


@pytest.mark.parametrize(
    "content",
    [
        '<meta charset="UTF-8">',
        '<META http-equiv="Content-type" content="text/html;charset=KOI8-R" />',
        '<?xml version="1.0" encoding="UTF-16"?>',
        "",
    ],
)
def test_encodings_in_documents(content: str) -> None:
    with pytest.warns(DeprecationWarning):
        same("get_encodings_from_content", content)


def test_members_of_archives(tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("certs/ca.pem", "trusted")
    inside = str(archive / "certs" / "ca.pem")
    extracted = Path(utils.extract_zipped_paths(inside))
    assert extracted.read_text() == "trusted"
    assert extracted.suffix == ".pem"
    assert extracted.stat().st_mode & 0o077 == 0
    # Asked again, no second file appears; requests leaves one behind for each request.
    assert utils.extract_zipped_paths(inside) == str(extracted)
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("certs/ca.pem", "others are trusted")
    again = Path(utils.extract_zipped_paths(inside))
    assert again.read_text() == "others are trusted"
    for path in (extracted, again):
        path.unlink()
    assert Path(utils.extract_zipped_paths(inside)).read_text() == "others are trusted"
    Path(utils.extract_zipped_paths(inside)).unlink()
    for other in ("/", str(archive / "none"), __file__, "", "nowhere/at/all", str(archive)):
        same("extract_zipped_paths", other)


def test_atomic_files(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with utils.atomic_open(str(target)) as file:
        file.write(b"one")
        assert not target.exists()
    with pytest.raises(RuntimeError), utils.atomic_open(str(target)) as file:
        file.write(b"two")
        raise RuntimeError
    assert target.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["out"]


def test_default_headers() -> None:
    ours, reference = utils.default_headers(), theirs.default_headers()
    assert list(ours.items()) == list(reference.items())
    assert utils.DEFAULT_ACCEPT_ENCODING == theirs.DEFAULT_ACCEPT_ENCODING
    assert utils.DEFAULT_CA_BUNDLE_PATH == theirs.DEFAULT_CA_BUNDLE_PATH


def test_names_replaced_in_utils_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs patch one helper and expect the others to call what they put there."""
    monkeypatch.setattr(utils, "default_user_agent", lambda: "mine")
    monkeypatch.setattr(utils, "DEFAULT_ACCEPT_ENCODING", "none")
    assert utils.default_headers()["User-Agent"] == "mine"
    assert utils.default_headers()["Accept-Encoding"] == "none"
    monkeypatch.setattr(utils, "should_bypass_proxies", lambda url, no_proxy: False)
    monkeypatch.setattr(utils, "getproxies", lambda: {"http": "http://p"})
    assert utils.get_environ_proxies("http://h/") == {"http": "http://p"}
    monkeypatch.setattr(utils, "unquote_unreserved", lambda uri: uri.upper())
    assert utils.requote_uri("a") == "A"
    monkeypatch.setattr(utils, "is_urllib3_1", True)
    assert utils.super_len("ä") == 1
