"""No more files are on their way to a review than there is room for, and the tenants take turns."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from functions.cron_reconcile.handler import handler as cron_reconcile
from socialflow.platform import database, settings, work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant

MACHINES = {"ingest": "ingest", "publish": "publish"}
ROOM = 4
_SETTINGS = settings.WorkflowSettings(
    "ingest", "publish", "export", "render", "caption", "hash", "embed", ingest_at_once=ROOM
)
Reconcile = Callable[[], list[work.Run]]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[work.Run]:
    """The runs that were started."""
    runs: list[work.Run] = []
    monkeypatch.setattr(work, "_start", lambda _machine, run: runs.append(run))
    return runs


@pytest.fixture
def reconcile(begun: list[work.Run]) -> Reconcile:
    """Start what is due; return what that has started."""

    def call() -> list[work.Run]:
        before = len(begun)
        work.start_due(MACHINES, room={"ingest": ROOM})
        return begun[before:]

    return call


def wait_in_line(tenant: Tenant, count: int, *, kind: work.Kind = "ingest", since: float = 0) -> None:
    """Have so many subjects wait, the first of them for so many seconds more than the last."""
    with transaction(tenant) as tx:
        for number in range(count):
            work.schedule(tx, kind, new_id(), wake_at=now() - timedelta(seconds=since + (count - number) / 1000))


def settled(tenant: Tenant, run: work.Run, how: str) -> None:
    """Let a run come to its end, to a person, or to a wait for its turn."""
    with transaction(tenant) as tx:
        if how == "parked":
            assert work.park(tx, "ingest", run.id, run=run.run, token="token")
        elif how == "aside":
            assert work.step_aside(tx, "ingest", run.id, run=run.run, wake_at=now() + timedelta(hours=1))
        else:
            assert work.finish(tx, "ingest", run.id, run=run.run)


@pytest.mark.parametrize("how", ["parked", "finished", "aside"])
def test_as_many_as_there_is_room_for_and_the_next_when_one_is_through(
    acme: Tenant, reconcile: Reconcile, how: str
) -> None:
    wait_in_line(acme, 10)
    first = reconcile()
    assert len(first) == ROOM
    assert reconcile() == []
    settled(acme, first[0], how)
    settled(acme, first[1], how)
    assert len(reconcile()) == 2
    assert reconcile() == []


def test_a_tenant_with_a_crowd_does_not_stand_in_the_way_of_another(
    acme: Tenant, contoso: Tenant, reconcile: Reconcile
) -> None:
    """Acme's crowd has waited the longest by far, and was there first."""
    wait_in_line(acme, 50, since=3_600)
    first = reconcile()
    wait_in_line(contoso, 3)
    for run in first:
        settled(acme, run, "parked")
    second = reconcile()
    assert Counter(run.tenant for run in second) == {"acme": 2, "contoso": 2}
    settled(acme, next(run for run in second if run.tenant == "acme"), "finished")
    assert [run.tenant for run in reconcile()] == ["acme"], "one of acme's is under way, and two of contoso's"


def test_the_longest_waiting_of_a_tenant_comes_first(acme: Tenant, reconcile: Reconcile) -> None:
    wait_in_line(acme, ROOM)
    wait_in_line(acme, ROOM, since=60)
    early = {run.id for run in reconcile()}
    with database.engine_room() as connection:
        left = connection.execute("SELECT id FROM cell.work WHERE begun_at IS NULL ORDER BY wake_at").fetchall()
        late = connection.execute("SELECT max(wake_at) < now() - interval '30 s' FROM cell.work WHERE run = 0")
        assert late.fetchone() == (False,)
    assert early.isdisjoint({row[0] for row in left})


def test_posts_never_wait_for_files(acme: Tenant, reconcile: Reconcile) -> None:
    wait_in_line(acme, 20, since=60)
    wait_in_line(acme, 20, kind="publish")
    assert Counter(run.kind for run in reconcile()) == {"publish": 20, "ingest": ROOM}


def test_what_has_failed_or_vanished_leaves_its_room(
    acme: Tenant, reconcile: Reconcile, owner: psycopg.Connection
) -> None:
    """One that fails again and again waits for long: it must not take the room of others meanwhile."""
    wait_in_line(acme, 20)
    first = reconcile()
    owner.execute("UPDATE cell.work SET run = 12 WHERE id = %s", (first[0].id,))
    assert work.hurry(work.Run("acme", "ingest", first[0].id, 12))
    assert len(reconcile()) == 1
    owner.execute("UPDATE cell.work SET wake_at = now() - interval '1 s' WHERE id = %s", (first[1].id,))
    again = reconcile()
    assert len(again) == 1


def test_those_who_count_at_one_moment_do_not_both_find_room(
    acme: Tenant, contoso: Tenant, begun: list[work.Run]
) -> None:
    wait_in_line(acme, 40)
    wait_in_line(contoso, 40)

    def reconcile(_worker: int) -> None:
        work.start_due(MACHINES, room={"ingest": ROOM})
        database.forget()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reconcile, range(32)))
    assert len(begun) == ROOM
    assert Counter(run.tenant for run in begun) == {"acme": 2, "contoso": 2}


def test_a_suspended_tenants_files_wait_and_take_no_room(
    acme: Tenant, contoso: Tenant, reconcile: Reconcile, owner: psycopg.Connection
) -> None:
    wait_in_line(acme, 10, since=60)
    wait_in_line(contoso, 10)
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert {run.tenant for run in reconcile()} == {"contoso"}
    owner.execute("UPDATE control.tenants SET status = 'active' WHERE slug = 'acme'")
    assert reconcile() == []


def test_the_minutes_call_stays_while_something_waits_and_others_do_not(
    acme: Tenant, contoso: Tenant, begun: list[work.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pause one run comes to a person: the call that stays begins the next, until nobody waits."""
    wait_in_line(acme, ROOM + 3)
    wait_in_line(contoso, 3)
    monkeypatch.setattr(settings.WorkflowSettings, "from_env", lambda: _SETTINGS)
    assert cron_reconcile({}, None) == {"started": ROOM}
    through = iter(range(100))

    def pause(_seconds: float) -> None:
        run = begun[next(through)]
        settled(acme if run.tenant == "acme" else contoso, run, "parked")

    monkeypatch.setattr(time, "sleep", pause)
    assert cron_reconcile({"detail-type": "Scheduled Event"}, None) == {"started": 6}
    assert len(begun) == ROOM + 6


def test_the_minutes_call_does_not_outlast_its_time(
    acme: Tenant, begun: list[work.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody comes through: it gives up before its function is ended, and leaves the rest to the next minute."""
    wait_in_line(acme, ROOM + 3)
    monkeypatch.setattr(settings.WorkflowSettings, "from_env", lambda: _SETTINGS)
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert cron_reconcile({"detail-type": "Scheduled Event"}, None) == {"started": ROOM}
    assert next(clock) < 100


def test_a_suspended_tenants_files_do_not_keep_the_minutes_call(
    acme: Tenant, begun: list[work.Run], owner: psycopg.Connection
) -> None:
    wait_in_line(acme, ROOM + 3)
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert not work.waits(["ingest"])
