"""How often somebody may ask, on the real database: never more than agreed, and nobody at another's expense."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from functions.cron_reconcile.handler import handler as cron_reconcile
from socialflow.entitlements.model import limit
from socialflow.identity import door
from socialflow.platform import database, pace, settings
from socialflow.platform.caller import User
from socialflow.platform.database import DatabaseDown, transaction
from socialflow.platform.pace import Allowance
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.conftest import Member

TELLS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
SOMEBODY, TEAM = Allowance("somebody", 5), Allowance("team", 7)


@pytest.fixture
def plans(clean: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plans' own figures, as in production."""
    monkeypatch.delenv("SOCIALFLOW_REQUESTS_PER_MINUTE")
    settings.forget()
    yield
    monkeypatch.undo()
    settings.forget()


def ago(owner: psycopg.Connection, seconds: float) -> None:
    """Let time pass for everybody."""
    owner.execute("UPDATE cell.rate_limit SET tat = tat - %s * interval '1 second'", (seconds,))


def spend(owner: psycopg.Connection, keys: str) -> None:
    """Use up what is there under these keys, for an hour."""
    spent = owner.execute("UPDATE cell.rate_limit SET tat = now() + interval '1 hour' WHERE key LIKE %s", (keys,))
    assert spent.rowcount > 0


def test_a_minutes_allowance_may_be_used_at_once_and_comes_back_evenly(owner: psycopg.Connection, clean: None) -> None:
    turns = [pace.take(SOMEBODY) for _ in range(7)]
    assert [turn.allowed for turn in turns] == [True] * 5 + [False] * 2
    assert [turn.remaining for turn in turns] == [4, 3, 2, 1, 0, 0, 0]
    assert 11 < turns[-1].retry_after <= 12
    assert 59 <= turns[-1].reset <= 60
    ago(owner, turns[-1].retry_after + 0.001)
    assert [pace.take(SOMEBODY).allowed for _ in range(2)] == [True, False]
    ago(owner, 3_600)
    assert [pace.take(SOMEBODY).allowed for _ in range(6)] == [True] * 5 + [False], "nothing is saved up"


def test_who_is_refused_pays_nothing(owner: psycopg.Connection, clean: None) -> None:
    for _ in range(50):
        last = pace.take(SOMEBODY)
    assert last.retry_after <= 12
    ago(owner, 12)
    assert pace.take(SOMEBODY).allowed


def test_one_callers_flood_is_not_the_others_trouble(clean: None) -> None:
    flood = [pace.take(SOMEBODY, TEAM) for _ in range(50)]
    assert sum(turn.allowed for turn in flood) == 5
    assert {turn.whose for turn in flood[5:]} == {"caller"}
    other = pace.take(Allowance("other", 5), TEAM)
    assert (other.allowed, other.whose, other.remaining) == (True, "tenant", 1)


def test_where_the_tenants_allowance_is_used_up_the_caller_keeps_theirs(owner: psycopg.Connection, clean: None) -> None:
    team = Allowance("team", 2)
    turns = [pace.take(SOMEBODY, team) for _ in range(20)]
    assert [turn.allowed for turn in turns] == [True] * 2 + [False] * 18
    refused = turns[-1]
    assert (refused.whose, refused.limit, refused.remaining) == ("tenant", 2, 0)
    assert 29 < refused.retry_after <= 30
    assert pace.take(SOMEBODY).remaining == 2
    assert pace.take(Allowance("other", 5), Allowance("another team", 2)).allowed


@pytest.mark.parametrize("rate", [1, 7, 13, 59, 61, 97, 100, 3_000])
def test_an_allowance_is_whole_whatever_its_size(rate: int, clean: None) -> None:
    some = Allowance(f"at {rate}", rate)
    assert all(pace.take(some).allowed for _ in range(min(rate, 100)))
    if rate <= 100:
        turn = pace.take(some)
        assert turn.allowed is False or turn.retry_after == 0


def test_eight_threads_never_get_more_than_there_is(owner: psycopg.Connection, clean: None) -> None:
    """In a time t: at most what may be used at once, and what has come back in t."""
    some, team = Allowance("some", 600), Allowance("team", 900)
    clock = "SELECT extract(epoch FROM clock_timestamp())::float8"

    def ask(n: int) -> int:
        try:
            mine = some if n % 2 else Allowance("others", 600)
            return sum(pace.take(mine, team).allowed for _ in range(250))
        finally:
            database.forget()

    began = owner.execute(clock).fetchone()
    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(ask, range(8)))
    ended = owner.execute(clock).fetchone()
    assert began is not None
    assert ended is not None
    took = ended[0] - began[0]
    assert 900 <= sum(allowed) <= 900 + 900 / 60 * took + 1
    for one in (0, 1):
        assert sum(allowed[one::2]) <= 600 + 600 / 60 * took + 1


def test_each_caller_has_what_the_plan_includes(plans: None, member: Member, owner: psycopg.Connection) -> None:
    for plan in ("free", "pro", "business", "enterprise"):
        owner.execute("UPDATE control.tenants SET plan = %s WHERE slug = 'acme'", (plan,))
        reply = member("viewer").get("/v1/media")
        assert reply.headers["ratelimit-limit"] == str(limit(plan, "requests_per_minute"))
    assert member("viewer").get("/v1/me").headers["ratelimit-limit"] == "100"


def test_the_request_after_the_last_is_refused_whoever_else_asks(
    plans: None, member: Member, made_key: MadeKey, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE slug = 'acme'")
    machine = holder(made_key("media:read")["key"])
    assert [int(machine.get("/v1/media").headers["ratelimit-remaining"]) >= least for least in (99, 98)] == [True] * 2
    spend(owner, "%/%")
    refused = machine.get("/v1/media")
    assert (refused.status, refused.code) == (429, "rate-limited")
    assert (refused.json["whose"], refused.json["limit"]) == ("caller", 100)
    assert int(refused.headers["retry-after"]) > 60
    assert refused.headers["ratelimit-remaining"] == "0"
    for other in (member("viewer"), member("admin"), member("owner", "contoso")):
        assert other.get("/v1/media").status == 200


def test_all_callers_of_a_tenant_share_ten_times_that(
    plans: None, acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> None:
    assert door.turn(User(uuid4(), "", ""), acme).allowed
    spend(owner, str(acme.id))
    turn = door.turn(User(uuid4(), "", ""), acme)
    assert (turn.allowed, turn.whose, turn.limit) == (False, "tenant", 10 * 1_000)
    assert door.turn(User(uuid4(), "", ""), contoso).allowed


def test_a_setting_takes_the_place_of_every_plans_figure(member: Member) -> None:
    assert member("viewer").get("/v1/media").headers["ratelimit-limit"] == "1000000"


def test_a_refused_permission_is_not_counted(owner: psycopg.Connection, member: Member, stranger: Client) -> None:
    assert member("viewer").post("/v1/media/uploads", {}).status == 403
    assert stranger.get("/v1/media").status == 403
    assert owner.execute("SELECT count(*) FROM cell.rate_limit").fetchone() == (0,)


def test_whoever_holds_the_row_too_long_stops_nobody(owner: psycopg.Connection, member: Member) -> None:
    assert TELLS[0] in member("viewer").get("/v1/media").headers
    with owner.transaction():
        owner.execute("SELECT FROM cell.rate_limit FOR UPDATE")
        with pytest.raises(DatabaseDown):
            pace.take(*[Allowance(key, 9) for (key,) in owner.execute("SELECT key FROM cell.rate_limit LIMIT 1")])
        reply = member("viewer").get("/v1/media")
        assert reply.status == 200
        assert TELLS[0] not in reply.headers
    assert TELLS[0] in member("viewer").get("/v1/media").headers


def test_a_connection_that_died_meanwhile_is_made_anew(owner: psycopg.Connection, clean: None) -> None:
    pace.take(SOMEBODY)
    mine = owner.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'sf_app'").fetchall()
    with database.direct() as another:
        for (pid,) in mine:
            another.execute("SELECT pg_terminate_backend(%s)", (pid,))
    assert pace.take(SOMEBODY).remaining == 3


def test_what_says_nothing_any_more_is_swept(owner: psycopg.Connection, clean: None) -> None:
    for one in ("old", "older", "fresh"):
        pace.take(Allowance(one, 5))
    owner.execute("UPDATE cell.rate_limit SET tat = now() - interval '2 minutes' WHERE key LIKE 'old%'")
    other = {"detail-type": "media.uploaded"}
    cron_reconcile(other, None)
    assert owner.execute("SELECT count(*) FROM cell.rate_limit").fetchone() == (3,), "not with every fact"
    cron_reconcile({"detail-type": "Scheduled Event"}, None)
    assert owner.execute("SELECT key FROM cell.rate_limit").fetchall() == [("fresh",)]


def test_a_tenants_role_counts_nothing(acme: Tenant) -> None:
    for statement in ("SELECT count(*) FROM cell.rate_limit", "SELECT cell.count_request('x', 1)"):
        with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
            tx.value(statement)
