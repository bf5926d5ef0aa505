"""requests-file: an adapter of its own for file://, which fills a Response by hand."""

from __future__ import annotations

import pytest
import requests
from requests_file import FileAdapter


@pytest.fixture
def session():
    with requests.Session() as session:
        session.mount("file://", FileAdapter())
        yield session


def test_read(session, tmp_path):
    path = tmp_path / "a b.txt"
    path.write_bytes(b"hello\n" * 3)
    found = session.get(path.as_uri())
    assert (found.status_code, found.content) == (200, b"hello\n" * 3)
    assert found.headers["Content-Length"] == "18"
    assert found.url == path.as_uri()
    assert found.ok


def test_stream(session, tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\n")
    with session.get(path.as_uri(), stream=True) as found:
        assert list(found.iter_lines()) == [b"one", b"two"]


def test_missing_and_head(session, tmp_path):
    assert session.get((tmp_path / "missing").as_uri()).status_code == 404
    path = tmp_path / "there"
    path.write_bytes(b"x")
    assert session.head(path.as_uri()).status_code == 200
    with pytest.raises(ValueError, match="method"):
        session.post(path.as_uri())


def test_without_the_adapter(tmp_path):
    with pytest.raises(
        requests.exceptions.InvalidSchema, match="No connection adapters were found"
    ):
        requests.get(tmp_path.as_uri())
