"""The claim: one statement gives the right to publish, and every one of its conditions is needed.

Each scenario breaks one condition and nothing else: the claim is refused, and the same statement without that condition
would have been won. So taking a condition out of the statement fails the test of its name.
"""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from functions.task_publish_target.handler import handler as task_publish_target
from socialflow.platform import database, registry
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.publishing import ledger_repository
from socialflow.publishing.content import Destination
from tests.integration.publishing.conftest import Desk

LEASE = timedelta(seconds=120)
TARGET = "UPDATE t_acme.targets SET "
SWITCH = "INSERT INTO cell.switches (tenant, scope, reason) VALUES "

# name → the statements that break it, and the condition as it stands in the claim.
SCENARIOS: dict[str, tuple[str, str]] = {
    "another run has the target": (TARGET + "run = run + 1", "t.run = %(run)s"),
    "its content was edited after preparing": (
        TARGET + "content_hash = '\\x00', approved_hash = '\\x00'",
        "t.prepared_hash = t.content_hash",
    ),
    "nobody has approved it": (
        TARGET + "approval_required = true, approved_hash = NULL",
        "(NOT t.approval_required OR t.approved_hash = t.content_hash)",
    ),
    "other content was approved": (
        TARGET + "approval_required = true, approved_hash = '\\x00'",
        "(NOT t.approval_required OR t.approved_hash = t.content_hash)",
    ),
    "the token is another account's": (TARGET + "remote_account = 'else'", "t.remote_account = %(remote_account)s"),
    "it was prepared for another way": (TARGET + "prepared_route = 'late'", "t.prepared_route = %(route)s"),
    "its first attempt was made by another way": (
        TARGET + "route = 'late'",
        "(t.route IS NULL OR t.route = %(route)s)",
    ),
    "somebody holds it": (TARGET + "hold = true", "NOT t.hold"),
    "it is not due": (TARGET + "due_at = now() + interval '1 h'", "t.due_at <= now()"),
    "it has no due time": (TARGET + "due_at = NULL", "t.due_at <= now()"),
    "the network asked for a pause": (
        TARGET + "next_at = now() + interval '1 h'",
        "(t.next_at IS NULL OR t.next_at <= now())",
    ),
    "what it answers is not out": (
        TARGET + "position = 1",
        "(t.position = 0 OR {s}.is_out(t.post_id, t.account_id, t.position - 1))",
    ),
    "the tenant is suspended": (
        "UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'",
        "%(tenant_status)s = 'active'",
    ),
    "everything is switched off": (
        SWITCH + "('', 'all', 'test')",
        "NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant = '' AND w.scope = 'all')",
    ),
    "the tenant is switched off": (
        SWITCH + "('acme', 'tenant', 'test')",
        "NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant = %(tenant)s AND w.scope IN ('all', 'tenant'))",
    ),
    "all of the tenant is switched off": (
        SWITCH + "('acme', 'all', 'test')",
        "NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant = %(tenant)s AND w.scope IN ('all', 'tenant'))",
    ),
    "the network is switched off for everybody": (
        SWITCH + "('', 'mastodon', 'test')",
        "NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant IN ('', %(tenant)s) AND w.scope = t.network)",
    ),
    "the network is switched off for the tenant": (
        SWITCH + "('acme', 'mastodon', 'test')",
        "NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant IN ('', %(tenant)s) AND w.scope = t.network)",
    ),
    **{
        f"it is {state}": (
            TARGET + f"state = '{state}', remote_id = '1', lease = now() + interval '1 h'",
            "t.state = 'prepared'",
        )
        for state in ("scheduled", "preparing", "attempting", "published", "failed", "unconfirmed", "cancelled")
    },
}


@dataclass(frozen=True)
class Prepared:
    """A target at the point of being published, and the claim to it."""

    desk: Desk
    target_id: UUID
    run: int
    remote_account: str

    def claim(self) -> int | None:
        """Make the claim as a function would, with the tenant as the registry has it now."""
        with transaction(registry.named("acme")) as tx:
            place = Destination(new_id(), "mastodon", "", self.remote_account)
            return ledger_repository.claim(tx, self.target_id, place, run=self.run, lease=LEASE)

    def claim_without(self, condition: str) -> int | None:
        """Make the claim without one of its conditions."""
        rest = ledger_repository._CLAIM.replace(f"AND {condition}", "")
        assert rest != ledger_repository._CLAIM, f"The claim has no condition {condition}"
        tenant = registry.named("acme")
        values = {
            "id": self.target_id,
            "run": self.run,
            "remote_account": self.remote_account,
            "route": "direct",
            "lease": LEASE,
            "tenant": tenant.slug,
            "tenant_status": tenant.status,
        }
        with transaction(tenant) as tx:
            found: int | None = tx.value(rest, values)
            return found


@pytest.fixture
def prepared(desk: Desk) -> Iterator[Prepared]:
    """A target that is due and prepared."""
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    yield Prepared(desk, UUID(desk.target(post["id"])["id"]), run, desk.mastodon.account()["id"])
    desk.owner.execute("DELETE FROM cell.switches")


def test_a_prepared_due_target_is_claimed(prepared: Prepared) -> None:
    assert prepared.claim() == 1
    assert prepared.desk.value("SELECT state FROM t_acme.targets") == "attempting"
    assert prepared.desk.value("SELECT lease > now() + interval '100 s' FROM t_acme.targets")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_claim_is_refused_when(prepared: Prepared, name: str) -> None:
    statement, condition = SCENARIOS[name]
    prepared.desk.owner.execute(statement)
    before = prepared.desk.owner.execute("SELECT * FROM t_acme.targets").fetchall()
    assert prepared.claim() is None
    assert prepared.desk.owner.execute("SELECT * FROM t_acme.targets").fetchall() == before
    assert prepared.claim_without(condition) == 1, "Another condition refuses it too: the scenario shows nothing"


def test_every_condition_of_the_claim_has_its_scenario() -> None:
    body = ledger_repository._CLAIM.partition("WHERE")[2].partition("RETURNING")[0]
    conditions = {" ".join(one.split()) for one in re.split(r"\n\s+AND ", body.strip())}
    assert conditions - {condition for _, condition in SCENARIOS.values()} == {"t.id = %(id)s"}


def test_a_switch_of_another_tenant_or_network_stops_nothing(prepared: Prepared) -> None:
    prepared.desk.owner.execute(SWITCH + "('contoso', 'all', 'x'), ('contoso', 'mastodon', 'x'), ('', 'bluesky', 'x')")
    assert prepared.claim() == 1


def test_only_the_named_target_is_claimed(desk: Desk) -> None:
    account = desk.account()
    first, second = desk.post("One", accounts=[account]), desk.post("Two", accounts=[account])
    assert desk.ready(first["id"]) == desk.ready(second["id"])
    named = Prepared(desk, UUID(desk.target(first["id"])["id"]), 1, desk.mastodon.account()["id"])
    assert named.claim() == 1
    assert [desk.target(post["id"])["state"] for post in (first, second)] == ["attempting", "prepared"]


def test_of_sixteen_workers_one_wins(prepared: Prepared) -> None:
    start = threading.Barrier(16)

    def work(_: int) -> int | None:
        try:
            start.wait()
            return prepared.claim()
        finally:
            database.forget()

    with ThreadPoolExecutor(16) as pool:
        won = [number for number in pool.map(work, range(16)) if number is not None]
    assert won == [1]


def test_of_sixteen_publishers_one_calls_the_network(prepared: Prepared) -> None:
    desk, start = prepared.desk, threading.Barrier(16)
    post_id = str(desk.value("SELECT post_id FROM t_acme.targets"))
    given = desk.given(post_id, prepared.run, target_id=str(prepared.target_id))

    def work(_: int) -> str:
        try:
            start.wait()
            return str(task_publish_target(dict(given), None)["outcome"])
        finally:
            database.forget()

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(work, range(16)))
    assert desk.mastodon.wire.asked("POST", "/api/v1/statuses") == 1
    assert set(outcomes) <= {"done", "unconfirmed"}
    assert len(desk.mastodon.statuses()) == 1
    assert desk.value("SELECT count(*) FROM t_acme.attempts") == 1
