"""Clerk's webhook believes what Clerk has signed lately, and answers everything else in words."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest

from socialflow.identity.signature import WINDOW
from socialflow.platform import secrets
from socialflow.platform.http.body import MAX_BYTES
from tests.api import Client, event
from tests.conftest import CLERK_SECRETS, Cloud
from tests.svix import OLD_SECRET, PATH, SECRET, Clerk, headers, post, send

BODY = json.dumps(Clerk().user("user_1", 1))
GOOD = headers(BODY)
SIGNATURE = GOOD["svix-signature"]
FOREIGN = "whsec_" + base64.b64encode(b"somebody else's own secret").decode()


@pytest.fixture(autouse=True)
def nothing_is_written(clean: None, owner: psycopg.Connection) -> Iterator[None]:
    """Hold the registry before and after against each other, unless the test takes the message."""
    counted = "SELECT (SELECT count(*) FROM control.users), (SELECT count(*) FROM control.webhook_receipts)"
    before = owner.execute(counted).fetchone()
    yield
    assert owner.execute(counted).fetchone() == before


def changed(**given: str | None) -> dict[str, str]:
    """The headers of a good message, some of them changed or left out."""
    merged: dict[str, str | None] = {**GOOD, **{name.replace("_", "-"): value for name, value in given.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def flipped(signature: str) -> str:
    head, text = signature.split(",")
    digest = bytearray(base64.b64decode(text))
    digest[0] ^= 1
    return f"{head},{base64.b64encode(digest).decode()}"


MALFORMED: dict[str, dict[str, str]] = {
    "no headers": {"content-type": "application/json"},
    "no id": changed(svix_id=None),
    "no time": changed(svix_timestamp=None),
    "no signature": changed(svix_signature=None),
    "an empty id": changed(svix_id=""),
    "an empty time": changed(svix_timestamp=""),
    "an empty signature": changed(svix_signature=""),
    "another id": changed(svix_id="msg_other"),
    "an id with blanks": changed(svix_id="msg 1"),
    "an id of other letters": changed(svix_id="msg_ü"),
    "an endless id": changed(svix_id="m" * 5_000),
    "another time": changed(svix_timestamp=str(int(GOOD["svix-timestamp"]) - 1)),
    "a time in words": changed(svix_timestamp="now"),
    "a time with a fraction": changed(svix_timestamp=GOOD["svix-timestamp"] + ".0"),
    "a negative time": changed(svix_timestamp="-1"),
    "a time of other digits": changed(svix_timestamp="١٧٦٤"),
    "an endless time": changed(svix_timestamp="9" * 5_000),
    "a time that is none": changed(svix_timestamp="NaN"),
    "one bit": changed(svix_signature=flipped(SIGNATURE)),
    "cut short": changed(svix_signature=SIGNATURE[:-5]),
    "no version": changed(svix_signature=SIGNATURE.removeprefix("v1,")),
    "another version": changed(svix_signature=SIGNATURE.replace("v1,", "v2,")),
    "a version alone": changed(svix_signature="v1,"),
    "commas alone": changed(svix_signature=",,,,"),
    "no base64": changed(svix_signature="v1,???"),
    "other letters": changed(svix_signature="v1,ü\ud800"),
    "blanks alone": changed(svix_signature="   "),
    "a crowd with ours last": changed(svix_signature="v1,a " * 16 + SIGNATURE),
    "an endless one": changed(svix_signature="v1," + "A" * 100_000),
    "another secret": headers(BODY, secret=FOREIGN),
    "another body": headers(BODY + " "),
    "a bearer token beside it": changed(svix_signature=None, authorization="Bearer a.b.c"),
    "the names of others": {name.replace("svix-", "webhook-"): value for name, value in GOOD.items()},
    "all of it twice": {name: f"{value},{value}" for name, value in GOOD.items()},
}


@pytest.mark.parametrize("given", MALFORMED.values(), ids=list(MALFORMED))
def test_what_clerk_has_not_signed_is_refused_in_words(given: dict[str, str]) -> None:
    reply = post(BODY, given)
    assert (reply.status, reply.code) == (401, "signature-refused"), reply


@pytest.mark.parametrize("away", [WINDOW + 2, -WINDOW - 2, 86_400, -86_400])
def test_a_message_of_another_time_is_refused(away: int) -> None:
    assert send(Clerk().user("user_1", 1), at=time.time() + away).code == "signature-refused"


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 100_000, "null", '{"type": NaN}', b"\xff\xfe", '{"type": "\\u0000"}', "\ud800"]
)
def test_whatever_is_not_signed_is_refused_before_it_is_read(body: str | bytes) -> None:
    assert post(body, GOOD).status in (401, 422)
    assert post(body, GOOD).code in ("signature-refused", "malformed-body")


def test_a_body_that_is_too_large_is_refused_before_anything() -> None:
    for body in ("x" * (MAX_BYTES + 1), b"x" * (MAX_BYTES + 1)):
        reply = post(body, GOOD)
        assert (reply.status, reply.code) == (413, "body-too-large")


def test_base64_that_is_none_is_no_body() -> None:
    raw = event("POST", PATH, headers=GOOD, body="!!") | {"isBase64Encoded": True}
    assert Client().send(raw).status == 422


@pytest.mark.parametrize(
    "value", ["", "a value that a deployment begins with", "whsec_", "whsec_dG9vIHNob3J0", "whsec_?"]
)
def test_without_a_usable_secret_nothing_is_believed_and_the_sender_tries_again(value: str, cloud: Cloud) -> None:
    keeper = boto3.client("secretsmanager")
    keeper.put_secret_value(SecretId=cloud.clerk_webhook_secret, SecretString=value or " ")
    secrets.forget_all()
    try:
        reply = send(Clerk().user("user_1", 1))
    finally:
        keeper.put_secret_value(SecretId=cloud.clerk_webhook_secret, SecretString=CLERK_SECRETS)
        secrets.forget_all()
    assert (reply.status, reply.code) == (503, "webhooks-unconfigured")
    assert "retry-after" in reply.headers


@pytest.mark.parametrize(
    "said",
    [{}, {"type": 7}, {"type": "user.created"}, {"type": "user.created", "data": []},
     {"type": "user.created", "data": {"id": "user_1"}}, {"type": "user.created", "data": {"id": 7, "updated_at": 1}},
     {"type": "user.created", "data": {"id": "x" * 256, "updated_at": 1}},
     {"type": "user.created", "data": {"id": "u\u202e", "updated_at": 1}},
     {"type": "user.deleted", "data": {"id": "user_1", "updated_at": True}},
     {"type": "user.deleted", "data": {"id": "user_1"}, "timestamp": 10**30},
     {"type": "user.deleted", "data": {"id": "user_1"}, "timestamp": -1},
     {"type": "organizationMembership.created", "data": {"organization": "org_1"}},
     {"type": "organizationMembership.created", "data": {"organization": {"id": "org_1"}, "role": "org:admin"}},
     {"type": "organizationMembership.updated", "data": {"organization": {"id": "org_1"}, "role": "", "updated_at": 1,
                                                         "public_user_data": {"user_id": "user_1"}}},
     {"type": "organization.deleted", "data": {}, "timestamp": 1}, [], None, "user.created"],
)  # fmt: skip
def test_a_signed_message_of_no_known_shape_is_refused_in_words(said: Any) -> None:
    reply = send(said)
    assert (reply.status, reply.code) == (422, "webhook-unreadable"), reply


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, '{"type": "user.created"', '{"a": 1' + "0" * 5_000 + "}"])
def test_a_signed_message_that_is_no_json_is_refused_in_words(body: str) -> None:
    reply = post(body, headers(body))
    assert (reply.status, reply.code) == (422, "webhook-unreadable"), reply


@pytest.mark.parametrize(
    "kind", ["session.created", "organization.created", "user.Created", "sms.created", "", "x" * 999]
)
def test_an_event_that_is_nothing_to_us_is_taken_and_changes_nothing(kind: str) -> None:
    assert send({"type": kind, "data": {"id": "user_1"}, "timestamp": 1}).status == 204


class TestTaken:
    """Messages that are believed; they make a person."""

    @pytest.fixture(autouse=True)
    def nothing_is_written(self) -> None:
        """They write."""

    def people(self, owner: psycopg.Connection) -> int:
        found = owner.execute("SELECT count(*) FROM control.users WHERE subject = 'user_1'").fetchone()
        assert found
        return int(found[0])

    @pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
    def test_either_secret_of_a_rotation_is_believed(self, clean: None, secret: str, owner: psycopg.Connection) -> None:
        assert send(Clerk().user("user_1", 1), secret=secret).status == 204
        assert self.people(owner) == 1

    def test_of_several_signatures_one_is_enough(self, clean: None, owner: psycopg.Connection) -> None:
        both = headers(BODY, message="msg_both", secret=FOREIGN)
        both["svix-signature"] += " v1a,ignored " + headers(BODY, message="msg_both")["svix-signature"]
        assert post(BODY, both).status == 204
        assert self.people(owner) == 1

    def test_the_bytes_are_what_is_signed(self, clean: None, owner: psycopg.Connection) -> None:
        spaced = json.dumps(Clerk().user("user_1", 1, first_name="Zoë 🌱"), indent=3, ensure_ascii=False) + "\n\n"
        assert post(spaced.encode(), headers(spaced)).status == 204
        assert self.people(owner) == 1

    def test_what_people_keep_in_their_metadata_is_not_looked_at(self, clean: None, owner: psycopg.Connection) -> None:
        odd: Any = {"nul": "\x00", "half": "\ud800", "large": 10**400, "deep": []}
        inner = odd["deep"]
        for _ in range(100):
            inner.append([])
            inner = inner[0]
        assert send(Clerk().user("user_1", 1, unsafe_metadata=odd)).status == 204
        assert self.people(owner) == 1

    @pytest.mark.parametrize("away", [WINDOW - 5, 5 - WINDOW])
    def test_clocks_may_differ(self, clean: None, away: int, owner: psycopg.Connection) -> None:
        assert send(Clerk().user("user_1", 1), at=time.time() + away).status == 204
        assert self.people(owner) == 1
