"""Work: whatever dies is started again, under a new number, and an older run can do nothing any more."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import boto3
import psycopg
import pytest

from functions.cron_reconcile.handler import handler as cron_reconcile
from functions.on_decision.handler import handler as on_decision
from functions.on_execution_failed.handler import handler as on_execution_failed
from functions.ops_wake_everything.handler import handler as ops_wake_everything
from socialflow.platform import aws, database, settings, work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from socialflow.tenants.lifecycle import buried
from tests.conftest import Cloud


class States:
    """Step Functions as far as starting and answering go; it remembers."""

    def __init__(self) -> None:
        self.exceptions = boto3.client("stepfunctions").exceptions
        self.started: list[tuple[str, str, dict[str, Any]]] = []
        self.answered: list[tuple[str, dict[str, Any]]] = []
        self.gone = False

    def start_execution(self, **call: str) -> None:
        if any(name == call["name"] for _machine, name, _input in self.started):
            raise self.exceptions.ExecutionAlreadyExists({"Error": {}}, "StartExecution")
        self.started.append((call["stateMachineArn"], call["name"], json.loads(call["input"])))

    def send_task_success(self, **call: str) -> None:
        if self.gone:
            raise self.exceptions.TaskTimedOut({"Error": {}}, "SendTaskSuccess")
        self.answered.append((call["taskToken"], json.loads(call["output"])))


@pytest.fixture
def states(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    fake = States()
    monkeypatch.setattr(work, "client", lambda name: fake if name == "stepfunctions" else aws.client(name))
    yield fake
    settings.forget()


def scheduled(tenant: Tenant, kind: work.Kind = "ingest", *, seconds: float = 0) -> UUID:
    subject = new_id()
    with transaction(tenant) as tx:
        work.schedule(tx, kind, subject, wake_at=now() + timedelta(seconds=seconds))
    return subject


def test_a_due_subject_is_started_once_with_ids_and_nothing_else(acme: Tenant, states: States, cloud: Cloud) -> None:
    subject = scheduled(acme, "publish")
    assert cron_reconcile({}, None) == {"started": 1}
    assert cron_reconcile({}, None) == {"started": 0}
    given = {"v": 1, "tenant": "acme", "kind": "publish", "id": str(subject), "run": 1}
    assert states.started == [(cloud.publish, f"publish-{subject}-1", given)]


def test_what_is_not_due_is_left(acme: Tenant, states: States) -> None:
    scheduled(acme, seconds=60)
    assert cron_reconcile({}, None) == {"started": 0}


def test_two_reconcilers_start_each_subject_once(acme: Tenant, contoso: Tenant, states: States) -> None:
    for number in range(30):
        scheduled(acme if number % 2 else contoso)

    def reconcile(_worker: int) -> None:
        cron_reconcile({}, None)
        database.forget()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reconcile, range(8)))
    names = [name for _machine, name, _input in states.started]
    assert len(names) == len(set(names)) == 30


def test_a_run_that_is_silent_past_its_grace_is_started_again_and_the_old_one_is_superseded(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    subject = scheduled(acme)
    cron_reconcile({}, None)
    owner.execute("UPDATE cell.work SET wake_at = now() - interval '1 second'")
    cron_reconcile({}, None)
    assert [given["run"] for _machine, _name, given in states.started] == [1, 2]
    with transaction(acme) as tx:
        assert not work.is_current(tx, "ingest", subject, run=1)
        assert not work.postpone(tx, "ingest", subject, run=1, wake_at=now())
        assert not work.park(tx, "ingest", subject, run=1, token="old")
        assert not work.finish(tx, "ingest", subject, run=1)
        assert work.is_current(tx, "ingest", subject, run=2)


def test_a_start_that_dies_after_the_commit_is_made_up_for(
    acme: Tenant, states: States, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = scheduled(acme)

    def die(**_call: str) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(states, "start_execution", die)
        with pytest.raises(ConnectionResetError):
            cron_reconcile({}, None)
    assert cron_reconcile({}, None) == {"started": 0}, "its grace is not over"
    owner.execute("UPDATE cell.work SET wake_at = now()")
    assert cron_reconcile({}, None) == {"started": 1}
    assert states.started[0][1] == f"ingest-{subject}-2"


@pytest.fixture
def finished(acme: Tenant, states: States) -> UUID:
    """A subject whose first run has ended."""
    subject = scheduled(acme)
    cron_reconcile({}, None)
    with transaction(acme) as tx:
        assert work.park(tx, "ingest", subject, run=1, token="token")
        assert work.finish(tx, "ingest", subject, run=1)
    return subject


def test_finished_work_is_started_by_nothing(acme: Tenant, states: States, finished: UUID) -> None:
    other = scheduled(acme)
    assert ops_wake_everything({}, None) == {"outcome": "woken", "subjects": 1}
    assert on_execution_failed(failed(work.Run("acme", "ingest", finished, 1)), None) == {"hurried": False}
    assert on_decision(decided("acme", finished), None) == {"woken": False}
    with transaction(acme) as tx:
        work.restart(tx, "ingest", finished, token="token")
    assert cron_reconcile({}, None) == {"started": 1}
    assert states.started[-1][1] == f"ingest-{other}-1"


def test_a_finished_run_does_nothing_any_more(acme: Tenant, finished: UUID) -> None:
    with transaction(acme) as tx:
        assert not work.is_current(tx, "ingest", finished, run=1)
        assert not work.postpone(tx, "ingest", finished, run=1, wake_at=now())
        assert not work.park(tx, "ingest", finished, run=1, token="late")
        assert not work.finish(tx, "ingest", finished, run=1)


def test_finished_work_that_is_asked_for_again_gets_a_new_name(acme: Tenant, states: States, finished: UUID) -> None:
    """A name is refused for 90 days: a number given twice would start nothing."""
    with transaction(acme) as tx:
        work.schedule(tx, "ingest", finished, wake_at=now())
    assert cron_reconcile({}, None) == {"started": 1}
    assert [name for _machine, name, _input in states.started] == [f"ingest-{finished}-1", f"ingest-{finished}-2"]
    with transaction(acme) as tx:
        assert work.is_current(tx, "ingest", finished, run=2)


def test_what_a_suspended_tenant_has_uploaded_waits_for_its_return(
    acme: Tenant, contoso: Tenant, states: States, owner: psycopg.Connection
) -> None:
    """Its post is looked after meanwhile (an attempt may be under way), and others' uploads are not kept back."""
    uploaded, others, post = scheduled(acme), scheduled(contoso), scheduled(acme, "publish")
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert cron_reconcile({}, None) == {"started": 2}
    assert ops_wake_everything({}, None) == {"outcome": "woken", "subjects": 3}
    owner.execute("UPDATE cell.work SET wake_at = now() + interval '1 hour' WHERE id <> %s", (uploaded,))
    assert cron_reconcile({}, None) == {"started": 0}
    assert {name for _machine, name, _input in states.started} == {f"ingest-{others}-1", f"publish-{post}-1"}
    owner.execute("UPDATE control.tenants SET status = 'active' WHERE slug = 'acme'")
    assert cron_reconcile({}, None) == {"started": 1}
    assert states.started[-1][1] == f"ingest-{uploaded}-1"


def test_more_than_a_batch_is_started_in_one_call(
    acme: Tenant, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.cron_reconcile import handler as module  # noqa: PLC0415 - only here

    monkeypatch.setattr(module, "BATCH", 3)
    for _ in range(8):
        scheduled(acme)
    assert cron_reconcile({}, None) == {"started": 8}


def test_after_a_loss_of_executions_everything_is_started_anew(acme: Tenant, contoso: Tenant, states: States) -> None:
    waiting, planned = scheduled(acme), scheduled(contoso, seconds=3600)
    cron_reconcile({}, None)
    assert ops_wake_everything({}, None) == {"outcome": "woken", "subjects": 2}
    assert cron_reconcile({}, None) == {"started": 2}
    assert {name for _machine, name, _input in states.started[1:]} == {f"ingest-{waiting}-2", f"ingest-{planned}-1"}


def failed(run: work.Run) -> dict[str, Any]:
    return {"detail": {"status": "FAILED", "input": run.document(), "name": run.name}}


def test_a_failed_execution_is_started_again_soon_and_later_each_time(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    subject = scheduled(acme)
    waits = []
    for run in range(1, 5):
        owner.execute("UPDATE cell.work SET wake_at = now()")
        cron_reconcile({}, None)
        assert on_execution_failed(failed(work.Run("acme", "ingest", subject, run)), None) == {"hurried": True}
        row = owner.execute("SELECT extract(epoch FROM wake_at - now()) FROM cell.work").fetchone()
        assert row is not None
        waits.append(float(row[0]))
    assert waits == pytest.approx([2, 4, 8, 16], abs=1.0)


def _in(owner: psycopg.Connection) -> float:
    row = owner.execute("SELECT extract(epoch FROM wake_at - now()) FROM cell.work").fetchone()
    assert row is not None
    return float(row[0])


@pytest.fixture
def often_rescheduled(acme: Tenant, states: States) -> UUID:
    """A subject that has run thirty times, as somebody keeps changing its time; run 31 is under way."""
    subject = scheduled(acme)
    for _ in range(30):
        cron_reconcile({}, None)
        with transaction(acme) as tx:
            work.schedule(tx, "ingest", subject, wake_at=now())
    assert cron_reconcile({}, None) == {"started": 1}
    return subject


def test_what_was_rescheduled_often_has_not_failed_often(
    acme: Tenant, states: States, owner: psycopg.Connection, often_rescheduled: UUID
) -> None:
    assert _in(owner) == pytest.approx(120, abs=2)
    run = work.Run("acme", "ingest", often_rescheduled, 31)
    assert on_execution_failed(failed(run), None) == {"hurried": True}
    assert _in(owner) == pytest.approx(2, abs=1)


def test_a_failure_that_is_told_twice_is_one(acme: Tenant, states: States, owner: psycopg.Connection) -> None:
    subject = scheduled(acme)
    cron_reconcile({}, None)
    for _ in range(3):
        on_execution_failed(failed(work.Run("acme", "ingest", subject, 1)), None)
    assert _in(owner) == pytest.approx(2, abs=1)
    owner.execute("UPDATE cell.work SET wake_at = now()")
    cron_reconcile({}, None)
    assert owner.execute("SELECT failures FROM cell.work").fetchone() == (1,)


def test_what_is_silent_again_and_again_is_started_ever_more_seldom(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    """No event tells of it: the execution is gone, or was never begun."""
    scheduled(acme)
    waits = []
    for _ in range(15):
        cron_reconcile({}, None)
        waits.append(_in(owner))
        owner.execute("UPDATE cell.work SET wake_at = now()")
    assert waits == pytest.approx([120] * 7 + [2**n for n in range(7, 12)] + [3_600] * 3, abs=2)


@pytest.mark.parametrize("heard", ["postpone", "finish", "schedule"])
def test_a_run_that_is_heard_of_ends_the_row_of_failures(
    acme: Tenant, states: States, owner: psycopg.Connection, heard: str
) -> None:
    subject = scheduled(acme)
    for _ in range(9):
        cron_reconcile({}, None)
        owner.execute("UPDATE cell.work SET wake_at = now()")
    cron_reconcile({}, None)
    assert _in(owner) == pytest.approx(512, abs=2)
    with transaction(acme) as tx:
        if heard == "postpone":
            assert work.postpone(tx, "ingest", subject, run=10, wake_at=now())
        if heard == "finish":
            assert work.finish(tx, "ingest", subject, run=10)
        if heard != "postpone":
            work.schedule(tx, "ingest", subject, wake_at=now())
    assert cron_reconcile({}, None) == {"started": 1}
    assert _in(owner) == pytest.approx(120, abs=2)


def test_a_run_that_promises_and_fails_after_all_has_failed(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    subject = scheduled(acme)
    waits = []
    for number in range(1, 5):
        owner.execute("UPDATE cell.work SET wake_at = now()")
        cron_reconcile({}, None)
        with transaction(acme) as tx:
            assert work.postpone(tx, "ingest", subject, run=number, wake_at=now() + timedelta(minutes=5))
        on_execution_failed(failed(work.Run("acme", "ingest", subject, number)), None)
        waits.append(_in(owner))
    assert waits == pytest.approx([2, 4, 8, 16], abs=1)


def test_the_failure_of_a_superseded_run_changes_nothing(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    subject = scheduled(acme)
    cron_reconcile({}, None)
    owner.execute("UPDATE cell.work SET wake_at = now()")
    cron_reconcile({}, None)
    assert on_execution_failed(failed(work.Run("acme", "ingest", subject, 1)), None) == {"hurried": False}


def decided(tenant: str, subject: UUID) -> dict[str, Any]:
    return {"detail": {"tenant": tenant, "aggregate": {"type": "review", "id": str(subject)}}}


def parked(tenant: Tenant, token: str) -> UUID:
    subject = scheduled(tenant)
    cron_reconcile({}, None)
    with transaction(tenant) as tx:
        assert work.park(tx, "ingest", subject, run=1, token=token)
        assert work.postpone(tx, "ingest", subject, run=1, wake_at=now() + timedelta(days=7))
    return subject


def test_a_decision_wakes_whoever_waits_now(acme: Tenant, states: States) -> None:
    subject = parked(acme, "first")
    with transaction(acme) as tx:
        assert work.park(tx, "ingest", subject, run=1, token="second")
    assert on_decision(decided("acme", subject), None) == {"woken": True}
    assert states.answered == [("second", {"outcome": "decided"})]


def test_a_decision_of_one_tenant_wakes_nobody_of_another(acme: Tenant, contoso: Tenant, states: States) -> None:
    subject = parked(acme, "token")
    assert on_decision(decided("contoso", subject), None) == {"woken": False}
    assert states.answered == []


def test_a_decision_whose_waiter_is_gone_starts_the_next_run(acme: Tenant, states: States) -> None:
    subject = parked(acme, "token")
    states.gone = True
    assert on_decision(decided("acme", subject), None) == {"woken": False}
    assert cron_reconcile({}, None) == {"started": 1}
    assert states.started[-1][1] == f"ingest-{subject}-2"


def test_a_decision_nobody_waits_for_is_no_error(acme: Tenant, states: States) -> None:
    assert on_decision(decided("acme", new_id()), None) == {"woken": False}


def test_a_decision_of_a_tenant_that_is_gone_ends_quietly(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    subject = parked(acme, "token")
    assert on_decision(decided("nobody", subject), None) == {"woken": False}
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'acme'")
    assert on_decision(decided("acme", subject), None) == {"woken": False}
    assert states.answered == []


def test_a_tenant_that_is_deleted_while_its_decision_is_told_is_no_error(
    acme: Tenant, states: States, owner: psycopg.Connection
) -> None:
    """The registry was read a moment before its schema got another name."""
    subject = parked(acme, "token")
    owner.execute(f'ALTER SCHEMA t_acme RENAME TO "{buried(acme.id)}"')
    assert on_decision(decided("acme", subject), None) == {"woken": False}
    assert states.answered == []
