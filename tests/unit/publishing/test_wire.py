"""What an answer says is read so that it can be stored and shown, whatever a server sends."""

import httpx
import pytest

from socialflow.publishing.networks import wire


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'{"a": ["\u0000b", {"\ud800": "\udfff!"}], "n": 1}', {"a": ["?b", {"?": "?!"}], "n": 1}),
        (rb'"\ud83d\udc69\u200d\ud83d\udc67"', "\U0001f469\u200d\U0001f467"),
        (rb'"\\u0000"', r"\u0000"),
        (b'"plain"', "plain"),
        (b'"\x00"', None),
        (b'"\xff"', None),
        (b"[" * 100_000, None),
    ],
)
def test_an_answer_is_read_as_it_can_be_stored(content: bytes, value: object) -> None:
    assert wire.value_of(httpx.Response(200, content=content)) == value


@pytest.mark.parametrize(
    ("said", "line"),
    [("Two\nlines\x00\u202e of  it", "Two lines of it"), ("x" * 1000, "x" * 300), (7, ""), (None, ""), ("\ud800", "")],
)
def test_what_a_server_says_is_one_line(said: object, line: str) -> None:
    assert wire.line(said) == line
