"""Cursors: opaque, and good for one list of one tenant with one set of filters."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from socialflow.platform.http import Cursor, Position, after, api, entry, next_cursor, requires
from tests.api import Reply, event
from tests.unit.http.conftest import SIGNED_IN, FakeDoor

HERE = Position(datetime(2026, 5, 17, 12, 0, 0, 123456, tzinfo=UTC), UUID("01890a5d-ac96-774b-bcce-b302099a8057"))


class ListOut(BaseModel):
    position: str | None
    next_cursor: str


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> "Ask":
    monkeypatch.setenv("SOCIALFLOW_STAGE", "test")
    door = FakeDoor()
    app = api(door)

    def listed(state: str | None, cursor: str | None) -> ListOut:
        filters = {"state": state}
        return ListOut(position=_text(after(cursor, filters)), next_cursor=next_cursor(HERE, filters))

    @app.get("/v1/things")
    @requires("things:read")
    def things(state: str | None = None, cursor: Cursor = None) -> ListOut:
        return listed(state, cursor)

    @app.get("/v1/others")
    @requires("things:read")
    def others(state: str | None = None, cursor: Cursor = None) -> ListOut:
        return listed(state, cursor)

    return Ask(entry(app))


@dataclass(frozen=True)
class Ask:
    handler: Callable[[dict[str, Any], Any], dict[str, Any]]

    def __call__(self, target: str, tenant: str = "acme") -> Reply:
        headers = {**SIGNED_IN, "x-tenant-id": tenant}
        return Reply.read(self.handler(event("GET", target, headers=headers), None))


def _text(position: Position | None) -> str | None:
    return f"{position.at.isoformat()} {position.id}" if position else None


def test_a_cursor_leads_on_in_its_own_list(ask: Ask) -> None:
    first = ask("/v1/things?state=open")
    assert first.json["position"] is None
    second = ask(f"/v1/things?state=open&cursor={first.json['next_cursor']}")
    assert second.json["position"] == f"{HERE.at.isoformat()} {HERE.id}"


@pytest.mark.parametrize(
    ("target", "tenant"),
    [("/v1/things?state=closed&", "acme"), ("/v1/things?", "acme"), ("/v1/others?state=open&", "acme"),
     ("/v1/things?state=open&", "asleep")],
)  # fmt: skip
def test_a_cursor_of_another_list_has_expired(ask: Ask, target: str, tenant: str) -> None:
    cursor = ask("/v1/things?state=open").json["next_cursor"]
    reply = ask(f"{target}cursor={cursor}", tenant)
    assert (reply.status, reply.code) == (400, "cursor-expired")


@pytest.mark.parametrize("position", range(0, 120, 7))
def test_a_damaged_cursor_has_expired(ask: Ask, position: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(ask("/v1/things").json["next_cursor"]))
    raw[position % len(raw)] ^= 1
    damaged = base64.urlsafe_b64encode(raw).decode()
    assert ask(f"/v1/things?cursor={damaged}").code == "cursor-expired"


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "!!!!", "%C3%A9", "A" * 4_000, "W10=", base64.b64encode(b"[" * 3_000).decode()]
)
def test_what_is_no_cursor_has_expired(ask: Ask, cursor: str) -> None:
    assert ask(f"/v1/things?cursor={cursor}").code == "cursor-expired"
