"""Hostile and broken bodies: each is refused with its place, none is a failure."""

import json

import pytest

from socialflow.platform.http.body import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, read
from tests.unit.http.conftest import JSON, SIGNED_IN, Edge

BROKEN: list[tuple[str | bytes, str, str]] = [
    # (body, pointer, code)
    ("{", "", "json-invalid"),
    ("\ufeff{}", "", "json-invalid"),
    ("{'a': 1}", "", "json-invalid"),
    ("[" * 100_000, "", "too-deep"),
    ('{"a":' * 40_000, "", "too-deep"),
    ("[" * 100_000 + "]" * 100_000, "", "too-deep"),
    ('{"free": ' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}", "", "too-deep"),
    ("[]", "", "not-an-object"),
    ('[{"text": "first"}]', "", "not-an-object"),
    ("null", "", "not-an-object"),
    ('"text"', "", "not-an-object"),
    ("NaN", "", "number-invalid"),
    ('{"text": NaN}', "", "number-invalid"),
    ('{"text": -Infinity}', "", "number-invalid"),
    ('{"text": 1e999}', "/text", "number-invalid"),
    ('{"free": {"n": -9007199254740992}}', "/free/n", "number-invalid"),
    ('{"text": ' + "9" * 5_000 + "}", "", "json-invalid"),
    ('{"text": "a", "text": "b"}', "", "duplicate-key"),
    ('{"text": "a", "free": {"x": 1, "x": 2}}', "", "duplicate-key"),
    ('{"text": "a\\u0000b"}', "/text", "text-invalid"),
    ('{"text": "\\ud800"}', "/text", "text-invalid"),
    ('{"text": "a", "free": {"k/1": ["ok", "\\udfff"]}}', "/free/k~11/1", "text-invalid"),
    ('{"text": "a", "free": {"\\u0000": 1}}', "/free", "text-invalid"),
    ('{"text": "\ud800"}', "", "not-utf-8"),
    (b'{"text": "\xff"}', "", "not-utf-8"),
    (b"\x00\x01\x02", "", "json-invalid"),
    (b'{"text": "\xed\xa0\x80"}', "", "not-utf-8"),
    ('{"text": "tab\there"}', "", "json-invalid"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_refused_with_its_place(edge: Edge, body: str | bytes, pointer: str, code: str) -> None:
    reply = edge.ask("POST", "/v1/things", body)
    assert reply.status == 422
    assert [(error["pointer"], error["code"]) for error in reply.json["errors"]] == [(pointer, code)]
    assert edge.called == []


def test_base64_that_is_none_is_refused(edge: Edge) -> None:
    from tests.api import Reply, event  # noqa: PLC0415 # only this test makes an event by hand

    raw = event("POST", "/v1/things", headers={**SIGNED_IN, **JSON}, body="{}") | {"isBase64Encoded": True}
    assert Reply.read(edge.handler(raw, None)).json["errors"][0]["code"] == "not-utf-8"


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_may_have_so_many_bytes_and_no_more(edge: Edge, *, encoded: bool) -> None:
    def sized(size: int) -> str | bytes:
        filler = "x" * (size - len('{"text": "a", "free": {"f": ""}}'))
        text = f'{{"text": "a", "free": {{"f": "{filler}"}}}}'
        return text.encode() if encoded else text

    assert edge.ask("POST", "/v1/things", sized(MAX_BYTES)).status == 201
    refused = edge.ask("POST", "/v1/things", sized(MAX_BYTES + 1))
    assert (refused.status, refused.code, refused.json["max_bytes"]) == (413, "body-too-large", MAX_BYTES)


def test_bytes_are_counted_and_not_characters(edge: Edge) -> None:
    body = '{"text": "a", "free": {"f": "' + "é" * (MAX_BYTES // 2) + '"}}'
    assert len(body) < MAX_BYTES
    assert edge.ask("POST", "/v1/things", body).status == 413


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json;charset="utf-8"', True),
        ("", False),
        ("text/plain", False),
        ("application/jsonp", False),
        ("application/json; charset=latin-1", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("multipart/form-data", False),
        ("text/json, application/json", False),
    ],
)
def test_only_json_is_read(edge: Edge, content_type: str, *, taken: bool) -> None:
    headers = {**SIGNED_IN, "content-type": content_type}
    assert edge.ask("POST", "/v1/things", '{"text": "a"}', headers).status == (201 if taken else 415)


def test_what_is_no_request_body_is_not_read(edge: Edge) -> None:
    assert edge.ask("POST", "/v1/things/01890a5d-ac96-774b-bcce-b302099a8057/touch", "\x00", SIGNED_IN).status == 204


@pytest.mark.parametrize("body", [None, "", b""])
def test_a_body_that_is_needed_is_asked_for(edge: Edge, body: str | bytes | None) -> None:
    reply = edge.ask("POST", "/v1/things", body)
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "missing")


def test_text_of_every_script_and_the_largest_integer_pass() -> None:
    document = {"text": "Grüße 你好 👋🏽 \u202e", "n": MAX_INTEGER, "f": -1.5e300, "deep": [[[{"a": None}]]]}
    assert read("application/json", json.dumps(document), is_base64=False) == document
    assert read("application/json", json.dumps(document, ensure_ascii=False), is_base64=False) == document
