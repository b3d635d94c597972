"""The hash of a row, and canonical JSON."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from socialflow.audit.model import Row, canonical

ROW = Row(
    chain="workspace",
    seq=7,
    id=UUID(int=1),
    at=datetime(2026, 1, 2, 3, 4, 5, 678, UTC),
    actor_kind="person",
    actor_id=UUID(int=2),
    actor_name="Zoë",
    request_id="r",
    address="192.0.2.1",
    action="post.update",
    subject_type="post",
    subject_id="p",
    item="{}",
    changes='{"text": ["a", "b"]}',
    prev_hash=b"\x00" * 32,
    hash=b"",
)


def test_every_field_is_in_the_hash() -> None:
    others = {
        "chain": "x",
        "seq": 8,
        "id": UUID(int=3),
        "at": ROW.at + timedelta(microseconds=1),
        "actor_kind": "key",
        "actor_id": None,
        "actor_name": "Zoe",
        "request_id": "s",
        "address": "",
        "action": "post.delete",
        "subject_type": "media",
        "subject_id": "q",
        "item": '{"a": 1}',
        "changes": "{}",
        "prev_hash": b"\x01" * 32,
    }
    assert set(others) == set(vars(ROW)) - {"hash"}
    digests = {ROW.digest()} | {replace(ROW, **{name: value}).digest() for name, value in others.items()}  # type: ignore[arg-type] # each has its own type
    assert len(digests) == len(others) + 1


def test_what_moves_from_one_field_to_the_next_is_another_row() -> None:
    one, other = replace(ROW, actor_name="ab", request_id="c"), replace(ROW, actor_name="a", request_id="bc")
    assert one.digest() != other.digest()
    assert replace(ROW, actor_name="a,1:b", request_id="").digest() != replace(ROW, actor_name="a").digest()


def test_the_hash_is_of_the_moment_and_not_of_its_zone() -> None:
    elsewhere = ROW.at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert replace(ROW, at=elsewhere).digest() == ROW.digest()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"bb": 1, "a": 2, "é": 3}, '{"a": 2, "bb": 1, "é": 3}'),
        ([None, True, False, [], {}], "[null, true, false, [], {}]"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000001"), "0.0000001"),
        ('"\\\n\t\x01é🌅', '"\\"\\\\\\n\\t\\u0001é🌅"'),
    ],
)
def test_json_is_written_as_postgresql_writes_it(value: object, text: str) -> None:
    assert canonical(value) == text
