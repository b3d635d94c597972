"""A tenant's budget: never overspent by those who come at once, never held by those who died."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import psycopg
import pytest

from functions.cron_reconcile.handler import handler as cron_reconcile
from socialflow.ai import repository, service
from socialflow.ai.catalogue import MODELS
from socialflow.ai.model import RESERVED_FOR, Most, Used, Wanted
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import engine_room, transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.conftest import Member

WORKERS = 16
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
CALL = Wanted("caption", new_id(), new_id(), MODELS["openai/gpt-4.1-mini"], "platform", Most(10_000, 5_000), AT)
"""It may come to a cent: a hundred of them are a dollar."""
FULL = Used("answered", 900)
"""Nobody knows what it came to."""


@pytest.fixture
def free(acme: Tenant, owner: psycopg.Connection) -> Tenant:
    """Acme on the free plan: one dollar and 250,000 tokens."""
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE id = %s", (acme.id,))
    return replace(acme, plan="free")


def reserve(tenant: Tenant, wanted: Wanted = CALL, at: datetime = AT) -> UUID | None:
    with transaction(tenant) as tx:
        return service.reserve(tx, replace(wanted, at=at))


def settle(tenant: Tenant, call_id: UUID, used: Used, wanted: Wanted = CALL, at: datetime = AT) -> bool:
    with transaction(tenant) as tx:
        return service.settle(tx, call_id, replace(wanted, at=at), used, at=at)


def spent(owner: psycopg.Connection, tenant: str = "acme") -> tuple[int, int, int, int]:
    """Return what is spent and reserved: money, then tokens."""
    found = owner.execute(
        "SELECT spent_micros, reserved_micros, spent_tokens, reserved_tokens FROM cell.ai_budget WHERE tenant = %s",
        (tenant,),
    ).fetchone()
    assert found is not None
    return found


def facts(owner: psycopg.Connection) -> list[str]:
    rows = owner.execute("SELECT type, data->>'meter' FROM cell.outbox ORDER BY position").fetchall()
    return [" ".join(row) for row in rows]


def at_once(work: Callable[[int], int]) -> int:
    begin = Barrier(WORKERS)

    def worker(number: int) -> int:
        begin.wait()
        done = work(number)
        database.forget()
        return done

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(worker, range(WORKERS)))


def test_sixteen_at_once_never_spend_more_than_there_is(free: Tenant, owner: psycopg.Connection) -> None:
    """Each call is settled in full at once: a second dollar would be spent if any call went round the row."""
    few = replace(CALL, most=Most(10_000, 10))

    def work(_number: int) -> int:
        done = 0
        for _ in range(10):
            call_id = reserve(free, few)
            if call_id is not None:
                assert settle(free, call_id, FULL, few)
                done += 1
        return done

    assert at_once(work) == 100
    assert spent(owner)[:2] == (1_000_000, 0)
    assert facts(owner) == ["ai.budget.warning ai_budget_usd", "ai.budget.exceeded ai_budget_usd"]


def test_calls_under_way_count_before_anybody_knows_what_they_cost(free: Tenant, owner: psycopg.Connection) -> None:
    few = replace(CALL, most=Most(10_000, 10))
    assert at_once(lambda _number: sum(reserve(free, few) is not None for _ in range(10))) == 100
    assert spent(owner)[:2] == (0, 1_000_000)


def test_tokens_have_an_end_of_their_own(free: Tenant, owner: psycopg.Connection) -> None:
    assert at_once(lambda _number: sum(reserve(free) is not None for _ in range(10))) == 50
    assert spent(owner) == (0, 500_000, 0, 250_000)
    assert facts(owner) == []  # all of it may come back
    with engine_room() as connection:
        assert service.sweep(connection, at=AT + RESERVED_FOR) == 50
    assert reserve(free) is None
    assert facts(owner) == ["ai.budget.exceeded ai_tokens"]


def test_what_a_call_came_to_takes_the_place_of_its_reservation_once(free: Tenant, owner: psycopg.Connection) -> None:
    call_id = reserve(free)
    assert call_id is not None
    used = Used("answered", 900, 1_000, 100)
    assert [settle(free, call_id, used) for _ in range(3)] == [True, False, False]
    assert spent(owner) == (560, 0, 1_100, 0)


def test_two_that_settle_one_call_at_once_count_it_once(free: Tenant, owner: psycopg.Connection) -> None:
    call_id = reserve(free)
    assert call_id is not None
    assert at_once(lambda _number: settle(free, call_id, Used("answered", 1, 1_000, 100))) == 1
    assert spent(owner) == (560, 0, 1_100, 0)


def test_nobody_settles_anothers_call(free: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    call_id = reserve(free)
    assert call_id is not None
    assert not settle(contoso, call_id, FULL)
    assert spent(owner)[1] == 10_000
    with transaction(contoso) as tx:
        assert tx.value("SELECT count(*) FROM cell.ai_calls") == 0
        assert tx.value("SELECT count(*) FROM cell.ai_budget") == 0


def test_what_was_killed_between_reserving_and_settling_holds_nothing_for_long(
    free: Tenant, owner: psycopg.Connection
) -> None:
    at = now() - RESERVED_FOR
    for _ in range(7):
        reserve(free, at=at - timedelta(seconds=1))
    alive = reserve(free, at=now())
    assert alive is not None
    cron_reconcile({"detail-type": "Scheduled Event"}, None)
    money, reserved, tokens, reserved_tokens = spent(owner)
    assert (money, reserved, tokens, reserved_tokens) == (70_000, 10_000, 35_000, 5_000)
    assert settle(free, alive, Used("answered", 1, 0, 0), at=now())
    assert spent(owner)[1::2] == (0, 0)
    states = owner.execute("SELECT state, count(*) FROM cell.ai_calls GROUP BY 1 ORDER BY 1").fetchall()
    assert states == [("lost", 7), ("settled", 1)]


def test_a_receipt_that_comes_late_is_believed(free: Tenant, owner: psycopg.Connection) -> None:
    call_id = reserve(free)
    assert call_id is not None
    with engine_room() as connection:
        assert service.sweep(connection, at=AT + RESERVED_FOR) == 1
        assert service.sweep(connection, at=AT + RESERVED_FOR) == 0
    assert spent(owner) == (10_000, 0, 5_000, 0)
    assert settle(free, call_id, Used("answered", 900, 1_000, 100))
    assert not settle(free, call_id, FULL)
    assert spent(owner) == (560, 0, 1_100, 0)


def test_a_new_month_has_a_budget_of_its_own_and_a_call_belongs_to_the_month_it_began_in(
    free: Tenant, owner: psycopg.Connection
) -> None:
    last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    call_id = reserve(free, at=last)
    assert call_id is not None
    with transaction(free) as tx:
        assert service.settle(tx, call_id, replace(CALL, at=last), FULL, at=last + timedelta(seconds=5))
        assert service.used(tx, at=last)["ai_budget_usd"] == 0.01
        assert service.used(tx, at=last + timedelta(seconds=5))["ai_budget_usd"] == 0


def test_a_lower_cap_of_the_tenants_own_holds(free: Tenant, owner: psycopg.Connection) -> None:
    thrifty = replace(free, settings={"ai_budget_usd": 0.02})
    assert [reserve(thrifty) is not None for _ in range(3)] == [True, True, False]


def test_the_tenants_own_keys_spend_nothing_of_the_platforms(free: Tenant, owner: psycopg.Connection) -> None:
    own = replace(CALL, key_owner="tenant")
    assert all(reserve(free, own) for _ in range(120))
    assert reserve(free) is not None
    thrifty = replace(free, settings={"ai_budget_usd": 0})
    assert reserve(thrifty, own) is None


def test_a_cap_that_was_told_of_is_told_of_once_and_a_new_one_again(free: Tenant, owner: psycopg.Connection) -> None:
    thrifty = replace(free, settings={"ai_budget_usd": 0.01})
    call_id = reserve(thrifty)
    assert call_id is not None
    settle(thrifty, call_id, FULL)
    assert [reserve(thrifty) for _ in range(3)] == [None] * 3
    more = replace(free, settings={"ai_budget_usd": 0.02})
    call_id = reserve(more)
    assert call_id is not None
    settle(more, call_id, FULL)
    assert reserve(more) is None
    assert facts(owner) == ["ai.budget.warning ai_budget_usd", "ai.budget.exceeded ai_budget_usd"] * 2


def test_members_see_what_was_spent_by_day_model_and_member(
    free: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    somebody = new_id()
    for who, used in (
        (CALL.member, Used("answered", 800, 1_000, 100)),
        (somebody, Used("answered", 400, 2_000, 0)),
        (somebody, Used("captioner-busy", 10, 0, 0)),
    ):
        wanted = replace(CALL, member=who)
        call_id = reserve(free, wanted)
        assert call_id is not None
        settle(free, call_id, used, wanted)
    editor = member("editor")

    def asked(by: str, window: str = "since=2026-11-01&until=2026-11-30") -> list[dict[str, object]]:
        reply = editor.get(f"/v1/ai/usage?by={by}&{window}")
        assert reply.status == 200, reply
        return list(reply.json["items"])

    (day,) = asked("day")
    assert (day["what"], day["calls"], day["answered"], day["cost_usd"]) == ("2026-11-24", 3, 2, 0.00136)
    assert (day["tokens_in"], day["tokens_out"], day["latency_ms"]) == (3_000, 100, 600)
    assert [line["what"] for line in asked("model")] == ["openai/gpt-4.1-mini"]
    assert {str(line["what"]): line["cost_usd"] for line in asked("member")} == {
        str(CALL.member): 0.00056,
        str(somebody): 0.0008,
    }
    assert asked("day", "since=2026-11-25&until=2026-11-30") == []
    assert member("owner", "contoso").get("/v1/ai/usage?since=2026-11-01&until=2026-11-30").json["items"] == []


def test_calls_of_long_ago_are_thrown_away_and_their_usage_stays(
    free: Tenant, contoso: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    today = now().replace(hour=12)
    somebody = new_id()
    old, kept = today - service.KEPT - timedelta(days=1), today - service.KEPT + timedelta(days=1)
    for tenant, at, who, used in (
        (free, old, CALL.member, Used("answered", 800, 1_000, 100)),
        (free, old, None, Used("answered", 401, 2_000, 0)),
        (free, old - timedelta(days=1), somebody, Used("captioner-busy", 10, 0, 0)),
        (free, kept, CALL.member, Used("answered", 300, 500, 50)),
        (contoso, old, somebody, Used("answered", 100, 70, 7)),
    ):
        wanted = replace(CALL, member=who)
        call_id = reserve(tenant, wanted, at=at)
        assert call_id is not None
        settle(tenant, call_id, used, wanted, at=at)
    editor, other = member("editor"), member("owner", "contoso")
    window = f"since={(old - timedelta(days=1)).date()}&until={today.date()}"

    def told(who: Client) -> list[dict[str, object]]:
        asked = [who.get(f"/v1/ai/usage?by={by}&{window}") for by in ("day", "model", "member")]
        return [line for reply in asked for line in reply.json["items"]]

    before = told(editor), told(other)
    cron_reconcile({"detail-type": "Scheduled Event"}, None)
    assert owner.execute("SELECT count(*) FROM cell.ai_calls").fetchone() == (1,)
    assert (told(editor), told(other)) == before
    assert [line["calls"] for line in before[0]] == [1, 2, 1, 4, 1, 2, 1]
    late = reserve(free, replace(CALL, member=None), at=old)  # joins the line that is there, of nobody
    assert late is not None
    assert settle(free, late, Used("answered", 1, 10, 1), at=old)
    cron_reconcile({"detail-type": "Scheduled Event"}, None)
    lines = owner.execute("SELECT calls, tokens_in FROM cell.ai_usage WHERE member IS NULL").fetchall()
    assert lines == [(2, 2_010)]
    assert told(other) == before[1]


def test_a_call_under_way_is_not_rolled_up_and_no_more_than_a_batch_at_once(
    free: Tenant, owner: psycopg.Connection
) -> None:
    old = AT - service.KEPT - timedelta(days=1)
    under_way = reserve(free, at=old)
    for _ in range(5):
        call_id = reserve(free, at=old)
        assert call_id is not None
        assert settle(free, call_id, Used("answered", 1, 10, 1), at=old)
    before = AT - service.KEPT
    with engine_room() as connection:
        assert [repository.roll_up(connection, before=before, most=3) for _ in range(3)] == [3, 2, 0]
    assert owner.execute("SELECT id FROM cell.ai_calls").fetchall() == [(under_way,)]
    assert owner.execute("SELECT calls, tokens_in FROM cell.ai_usage").fetchall() == [(5, 50)]


def test_many_that_roll_up_at_once_count_each_call_once(free: Tenant, owner: psycopg.Connection) -> None:
    old = AT - service.KEPT - timedelta(days=3)
    for number in range(120):
        at = old + timedelta(days=number % 3)
        call_id = reserve(free, replace(CALL, most=Most(10, 10)), at=at)
        assert call_id is not None
        assert settle(free, call_id, Used("answered", 1, 10, 1), at=at)

    def work(_number: int) -> int:
        with engine_room() as connection:
            return repository.roll_up(connection, before=AT - service.KEPT, most=5)

    done = at_once(work) + at_once(work)
    with engine_room() as connection:
        done += repository.roll_up(connection, before=AT - service.KEPT, most=200)
    assert done == 120
    assert owner.execute("SELECT calls, tokens_in FROM cell.ai_usage").fetchall() == [(40, 400)] * 3


@pytest.mark.parametrize(
    "query", ["by=hour", "since=yesterday", "since=2026-01-01&until=2027-01-02", "until=0001-01-01", "until=9999-12-31"]
)
def test_an_impossible_window_is_told_in_words_or_is_empty(free: Tenant, member: Member, query: str) -> None:
    reply = member("editor").get(f"/v1/ai/usage?{query}")
    assert reply.status in {200, 422}, reply


def test_the_plan_tells_what_is_used_of_it(free: Tenant, member: Member) -> None:
    at = now()
    call_id = reserve(free, at=at)
    assert call_id is not None
    settle(free, call_id, FULL, at=at)
    usage = {line["meter"]: line["used"] for line in member("viewer").get("/v1/plan").json["usage"]}
    assert (usage["ai_budget_usd"], usage["ai_tokens"]) == (0.01, 5_000)
