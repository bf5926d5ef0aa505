"""What other limits, and other clients, would have done with a call."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loopback import Server, answer
from programs import python

import waterclock
from waterclock import Limits

Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def slow() -> Iterator[Any]:
    """A call that waits 0.8 s for the first byte, and 0.5 s for the rest of the body."""
    whole = answer("hello")
    server = Server([[0.8, whole[:-2], 0.5, whole[-2:]]])
    yield waterclock.get(server.url, timeout=30).timeline
    server.stop()


def check(timeline: Any, fired: Any, limit: str, phase: str) -> None:
    assert fired.fires is True
    assert fired.limit == limit
    assert fired.wait in timeline.spans
    assert fired.wait.phase == phase
    assert fired.at == pytest.approx(fired.wait.started + fired.into, abs=1e-6)
    assert 0 <= fired.into <= fired.wait.duration
    assert "would have fired" in str(fired)


def test_a_total(slow: Any) -> None:
    fired = slow.what_if(total=0.3)
    check(slow, fired, "total", "first_byte")
    assert fired.at == pytest.approx(0.3, abs=1e-6)
    assert fired.error is None
    assert str(fired).startswith("What if: total=0.3\n")
    assert repr(fired) == "<WhatIf: total fires at 0.300000 s>"


def test_what_would_not_have_fired(slow: Any) -> None:
    calm = slow.what_if(total=20)
    assert calm == (False, None, None, None, None, None, str(calm))
    assert "would not have fired" in str(calm)
    assert repr(calm) == "<WhatIf: nothing fires>"


def test_limits_by_name_and_timeouts(slow: Any) -> None:
    check(slow, slow.what_if(read=0.3), "read", "first_byte")
    check(slow, slow.what_if(body=0.1), "body", "body")
    check(slow, slow.what_if(0.3), "read", "first_byte")
    check(slow, slow.what_if((10, 0.3)), "read", "first_byte")
    check(slow, slow.what_if(Limits(first_byte=0.3)), "first_byte", "first_byte")
    assert not slow.what_if((5, 10)).fires
    assert "timeout=(10, 0.3)" in str(slow.what_if((10, 0.3)))


def test_a_pickled_timeline_answers_the_same(slow: Any) -> None:
    other = pickle.loads(pickle.dumps(slow))
    assert other.what_if(total=0.3) == slow.what_if(total=0.3)
    assert other.as_client("curl", max_time=0.3) == slow.as_client("curl", max_time=0.3)
    assert pickle.loads(pickle.dumps(slow.what_if(total=0.3))) == slow.what_if(total=0.3)


def test_questions_that_cannot_be_asked(slow: Any) -> None:
    with pytest.raises(TypeError, match="say which limits"):
        slow.what_if()
    with pytest.raises(TypeError, match="not both"):
        slow.what_if(0.1, total=0.3)
    with pytest.raises(TypeError, match="no limit"):
        slow.what_if(totally=0.1)
    with pytest.raises(ValueError, match="total is 0"):
        slow.what_if(total=0)
    with pytest.raises(ValueError, match="Timeout value"):
        slow.what_if("soon")


ASKED: dict[str, tuple[str, dict[str, Any], str | None]] = {
    # The settings as keywords, and how the answer begins with them; what is raised.
    "requests": ("requests timeout=0.3", {"timeout": 0.3}, "ReadTimeout"),
    "urllib3": ("urllib3 read=0.3", {"read": 0.3}, "ReadTimeoutError"),
    "httpx": ("httpx read=0.3", {"read": 0.3}, "ReadTimeout"),
    "aiohttp": ("aiohttp sock_read=0.3", {"sock_read": 0.3}, None),
    "curl": ("curl --max-time 0.3", {"max_time": 0.3}, "exit code 28"),
    "wget": ("wget --read-timeout 0.3", {"read_timeout": 0.3}, None),
    "go": ("go Client.Timeout=0.3", {"Client_Timeout": 0.3}, None),
}


@pytest.mark.parametrize("client", ASKED)
def test_other_clients(slow: Any, client: str) -> None:
    shown, settings, error = ASKED[client]
    fired = slow.as_client(client, **settings)
    assert f"What if this had been {shown}?" in str(fired)
    assert fired.fires, str(fired)
    assert fired.wait.phase == "first_byte"
    assert fired.error
    if error is not None:
        assert error in fired.error
    calm = slow.as_client(client, **dict.fromkeys(settings, 20))
    assert not calm.fires
    assert calm.error is None


def test_settings_as_they_are_written(slow: Any) -> None:
    same = slow.as_client("curl", max_time=0.3)
    assert slow.as_client("curl", "--max-time 0.3") == same
    assert slow.as_client("curl", "-m 0.3") == same
    assert slow.as_client("curl", m=0.3) == same
    pair = slow.as_client("requests", timeout=(3.05, 27))
    assert "requests timeout=(3.05, 27)" in str(pair)
    assert slow.as_client("requests", "timeout=(3.05, 27)") == pair
    assert "timeout=None" in str(slow.as_client("requests", timeout=None))
    assert not slow.as_client("curl", max_time=1e-9 + 1e3).fires


def test_without_settings_those_of_the_call_are_taken(slow: Any, serve: Serve) -> None:
    assert "requests timeout=30?" in str(slow.as_client("requests"))
    server = serve(answer())
    timeline: Any = waterclock.get(server.url).timeline
    with pytest.raises(ValueError, match=r'say which: as_client\("curl", "--max-time 0.12"\)'):
        timeline.as_client("curl")


def test_settings_that_a_client_does_not_have(slow: Any) -> None:
    with pytest.raises(ValueError, match='no rules for "lynx"; there are for requests, urllib3'):
        slow.as_client("lynx", timeout=1)
    with pytest.raises(ValueError, match="has no timeout") as refused:
        slow.as_client("curl", patience=1)
    assert "--as" not in str(refused.value)
    with pytest.raises(TypeError, match="a number of seconds"):
        slow.as_client("curl", max_time=True)
    with pytest.raises(ValueError, match="negative"):
        slow.as_client("curl", max_time=-1)


def test_a_call_that_never_began_is_asked_nothing() -> None:
    from waterclock._engine import Record
    from waterclock._timeline import Timeline

    # What the program says of a URL that nobody can be asked for.
    document = python("-m", "waterclock", "--json", "http://example.com:99999/").stdout
    timeline = Timeline(Record.from_json(document))
    with pytest.raises(ValueError, match="had not begun"):
        timeline.what_if(total=1)
    assert "invalid port" in timeline._repr_html_()
    with pytest.raises(ValueError, match="JSON|document"):
        Record.from_json("[]")
