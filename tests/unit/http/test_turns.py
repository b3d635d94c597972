"""How often somebody may ask: counted after their permission, before their body, and told on every answer."""

import psycopg
import pytest

from socialflow.platform.database import DatabaseDown
from socialflow.platform.pace import Turn
from tests.unit.http.conftest import JSON, SIGNED_IN, THING, Edge

HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
SPENT = Turn(allowed=False, whose="caller", limit=100, ahead=59.7)


def told(headers: object) -> list[str | None]:
    assert isinstance(headers, dict)
    return [headers.get(name) for name in HEADERS]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/things", None, 200),
        ("GET", "/v1/mine", None, 200),
        ("POST", "/v1/things", "{", 422),
        ("PATCH", "/v1/things/not-an-id", "{}", 404),
    ],
)
def test_every_answer_tells_the_allowance(edge: Edge, method: str, path: str, body: str | None, status: int) -> None:
    reply = edge.ask(method, path, body)
    assert reply.status == status
    assert told(reply.headers) == ["100", "99", "1"]


def test_who_is_not_let_in_is_not_counted_and_told_nothing(edge: Edge) -> None:
    for path, headers in (
        ("/v1/open", {}),
        ("/v1/things", {}),
        ("/v1/things", {**SIGNED_IN, "x-tenant-id": "contoso"}),
        ("/v1/nothing", SIGNED_IN),
    ):
        assert told(edge.ask("GET", path, headers=headers).headers) == [None] * 3
    assert told(edge.ask("DELETE", f"/v1/things/{THING}").headers) == [None] * 3, "the permission comes first"
    assert not any(asked.startswith("turn") for asked in edge.door.asked)


def test_what_was_told_before_is_forgotten(edge: Edge) -> None:
    assert told(edge.ask("GET", "/v1/things").headers) != [None] * 3
    assert told(edge.ask("GET", "/v1/open", headers={}).headers) == [None] * 3
    assert told(edge.ask("GET", "/v1/nothing", headers={}).headers) == [None] * 3


def test_whoever_asks_too_often_is_told_when_to_come_back_and_is_not_read(edge: Edge) -> None:
    edge.door.next_turn = SPENT
    for method, path, headers in (
        ("POST", "/v1/things", {**SIGNED_IN, **JSON}),
        ("POST", "/v1/things", {**SIGNED_IN, "content-type": "text/plain"}),
        ("GET", "/v1/mine", {"authorization": "Bearer good"}),
    ):
        reply = edge.ask(method, path, "{", headers)
        assert (reply.status, reply.code) == (429, "rate-limited")
        assert reply.headers["retry-after"] == "1"
        assert told(reply.headers) == ["100", "0", "60"]
        assert (reply.json["limit"], reply.json["whose"]) == (100, "caller")
    assert edge.called == []


def test_a_suspended_tenant_is_told_so_first(edge: Edge) -> None:
    edge.door.next_turn = SPENT
    asleep = {**SIGNED_IN, **JSON, "x-tenant-id": "asleep"}
    assert edge.ask("POST", "/v1/things", "{}", asleep).code == "tenant-suspended"


@pytest.mark.parametrize("trouble", [DatabaseDown(), psycopg.errors.UndefinedFunction("take_turn")])
def test_a_limiter_in_trouble_lets_everybody_through(
    edge: Edge, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    edge.door.next_turn = trouble
    reply = edge.ask("GET", "/v1/things")
    assert (reply.status, told(reply.headers)) == (200, [None] * 3)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "The request is let through uncounted"
    ]


def test_a_bug_of_the_limiter_is_no_trouble_of_the_database(edge: Edge) -> None:
    edge.door.next_turn = RuntimeError("a bug")
    assert edge.ask("GET", "/v1/things").status == 500


@pytest.mark.parametrize(
    ("ahead", "allowed", "remaining", "reset", "retry_after"),
    [
        (0.6, True, 99, 1, 0),
        (0, True, 100, 0, 0),
        (59.4, True, 1, 60, 0),
        (60, True, 0, 60, 0.6),
        (59.9, False, 0, 60, 0.5),
    ],
)
def test_what_is_left_follows_from_how_far_ahead_somebody_is(
    ahead: float, allowed: bool, remaining: int, reset: int, retry_after: float
) -> None:
    turn = Turn(allowed, "caller", 100, ahead)
    assert (turn.remaining, turn.reset) == (remaining, reset)
    assert turn.retry_after == pytest.approx(retry_after)
