"""`Response.json` gives what json gives, to the type and the last digit, whoever reads it."""

from __future__ import annotations

import json
import math
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import waterclock
from waterclock import _json_plain
from waterclock.models import Response


def response(content: bytes, encoding: str | None = "utf-8") -> Response:
    made = Response()
    made._content = content
    made.encoding = encoding
    return made


def exactly(value: Any) -> Any:
    """With the types, and with what does not equal itself."""
    if isinstance(value, dict):
        return dict, [(key, exactly(one)) for key, one in value.items()]
    if isinstance(value, list):
        return list, [exactly(one) for one in value]
    return type(value), repr(value)


def check(content: bytes, encoding: str | None = "utf-8") -> None:
    """Compare with what comes of json itself: of the text, as requests has it."""
    by_json = mock.Mock(return_value=False)
    ours = outcome(content, encoding)
    with mock.patch.object(_json_plain, "_means_the_same", by_json):
        theirs = outcome(content, encoding)
    assert by_json.called or encoding not in (None, "utf-8")
    assert ours == theirs


def outcome(content: bytes, encoding: str | None) -> Any:
    try:
        return exactly(response(content, encoding).json())
    except (ValueError, RecursionError) as error:
        return type(error), str(error), getattr(error, "pos", None), getattr(error, "doc", None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=400, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")]))
def test_what_json_writes(value: Any, ascii_only: bool, separators: tuple[str, str]) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    content = text.encode("utf-8", "surrogatepass")
    check(content)
    check(content, None)


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsnN IiyaN\\u/\n\t\x00\u00e9\ufeff'))
@example("1" * 5000)
@example("-0")
@example("-0.0")
@example("1e400")
@example("-1e-400")
@example("0.1e1")
@example("1E5")
@example("9223372036854775807")
@example("9223372036854775808")
@example("-9223372036854775808")
@example("123456789012345678901234567890")
@example("0.30000000000000004")
@example("5e-324")
@example("1.7976931348623157e308")
@example("9007199254740993.0")
@example("NaN")
@example("-NaN")
@example("Infinity")
@example("-Infinity")
@example("+1")
@example(".5")
@example("5.")
@example("01")
@example('"\\ud800"')
@example('"\\ud83d\\ude00"')
@example('"\\ude00\\ud83d"')
@example('"\x1f"')
@example('"\x7f"')
@example('"\\x41"')
@example('{"a": 1, "a": 2, "b": 3, "a": 4}')
@example("[" * 300 + "]" * 300)
@example("[" * 100_000)
@example("[1] x")
@example("[1,]")
@example('{"a":1,}')
@example("// comment\n1")
@example("'a'")
@example("\u00a0[1]")
@example("\x0b[1]")
@example("\ufeff[1]")
@example("")
def test_what_somebody_else_writes(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    check(content)
    check(content, None)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=30), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "nonsense"]))
@example(b'"\xff"', "utf-8")
@example(b'"\xff"', None)
@example('"é"'.encode("utf-16"), None)
@example('"é"'.encode("latin-1"), "latin-1")
def test_bytes(content: bytes, encoding: str | None) -> None:
    check(content, encoding)


@settings(max_examples=200, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 25))
def test_the_last_digit(value: float, digits: int) -> None:
    check(f"[{value!r}, {value:.{digits}e}]".encode())


def test_it_is_the_engine_that_reads() -> None:
    with mock.patch("json._default_decoder.decode", side_effect=AssertionError):
        assert response(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}').json() == {
            "a": [1, 2.5, None, True, "\u00e9"]
        }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("json.loads", lambda text: "mine"),
        ("waterclock.models.complexjson", mock.Mock(loads=lambda text: "mine")),
        ("json._default_decoder", json.JSONDecoder(parse_float=lambda text: "mine")),
    ],
)
def test_what_is_put_in_the_place_of_json_reads(name: str, value: Any) -> None:
    for _ in range(2):
        assert response(b"1.5").json() == 1.5
        with mock.patch(name, value):
            assert response(b"1.5").json() == "mine"


def test_keywords_and_subclasses() -> None:
    assert response(b"1.5").json(parse_float=str) == "1.5"

    class Mine(Response):
        @property
        def text(self) -> str:
            return "[2]"

    mine = Mine()
    mine._content, mine.encoding = b"[1]", "utf-8"
    assert mine.json() == [2]
    filled = response(b"")
    filled._content = bytearray(b"[1]")  # type: ignore[assignment]
    assert filled.json() == [1]


def test_not_a_number() -> None:
    value = response(b"[NaN, -Infinity]").json()
    assert math.isnan(value[0])
    assert value[1] == -math.inf
    with pytest.raises(waterclock.exceptions.JSONDecodeError, match="Expecting value"):
        response(b"nothing").json()
