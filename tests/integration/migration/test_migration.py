"""All tenants' schemas brought up to date: a few first, each alone, only those behind, and beside new tenants."""

from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from functions.ops_migrate.handler import handler as ops_migrate
from functions.task_list_tenants.handler import handler as task_list_tenants
from functions.task_migrate_registry.handler import handler as task_migrate_registry
from functions.task_migrate_tenants.handler import handler as task_migrate_tenants
from functions.task_report_migration.handler import handler as task_report_migration
from socialflow.tenants import migration, repository, schema, service
from tests.integration.migration.conftest import ADD_TABLE, Connect, Deploy, Made, migrated, states


def plant(owner: psycopg.Connection, slugs: Sequence[str]) -> None:
    """Let ADD_TABLE fail in these schemas."""
    for slug in slugs:
        owner.execute(f"CREATE TABLE t_{slug}.more (it_is_here int)")


def repair(owner: psycopg.Connection, slugs: Sequence[str]) -> None:
    for slug in slugs:
        owner.execute(f"DROP TABLE t_{slug}.more")


def run_the_workflow() -> dict[str, Any]:
    """Call the tasks as the state machine does."""
    listed: dict[str, Any] = {"since": task_migrate_registry({"v": 1}, None)["since"], "passes": 0}
    while True:
        listed = task_list_tenants({"v": 1, "since": listed["since"], "passes": listed["passes"]}, None)
        given = {"v": 1, "since": listed["since"]}
        if listed["outcome"] == "some":
            canaries = task_migrate_tenants({**given, "tenants": listed["canaries"]}, None)
            if canaries["outcome"] == "failed":
                return {"canaries": "failed", **task_report_migration({**given, "passes": listed["passes"]}, None)}
            for chunk in listed["chunks"]:
                while task_migrate_tenants({**given, "chunk": chunk}, None)["outcome"] == "again":
                    pass
        report: dict[str, Any] = task_report_migration({**given, "passes": listed["passes"]}, None)
        if report["outcome"] != "again":
            return report


@pytest.fixture(params=["one process", "the workflow"])
def migrate(request: pytest.FixtureRequest) -> Callable[[], dict[str, Any]]:
    """Both ways to do it."""
    if request.param == "the workflow":
        return run_the_workflow
    return lambda: ops_migrate({}, None)


def test_three_that_fail_stop_nobody_and_a_repetition_migrates_only_them(
    tenants: Made,
    deploy: Deploy,
    owner: psycopg.Connection,
    migrate: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migration, "CHUNK", 6)
    slugs = tenants(20)
    bad = ["new_03", "new_08", "new_13"]
    plant(owner, bad)
    deploy(ADD_TABLE)
    done = migrate()
    assert done["outcome"] == "failed"
    assert migrated(owner) == set(slugs) - set(bad)
    for slug in bad:
        state, error = states(owner)[slug]
        assert (state, error) == ("failed", '9000_add_more.sql: DuplicateTable: relation "more" already exists')
    before = _attempts(owner)
    repair(owner, bad)
    assert migrate()["outcome"] == "migrated"
    assert migrated(owner) == set(slugs)
    after = _attempts(owner)
    assert {slug for slug in slugs if after[slug] != before[slug]} == set(bad)
    assert {state for state, _ in states(owner).values()} == {"done"}


def test_a_canary_that_fails_keeps_everybody_else_untouched_and_is_reported(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, migrate: Callable[[], dict[str, Any]]
) -> None:
    tenants(8)
    plant(owner, ["new_07"])  # the newest is one of the first
    deploy(ADD_TABLE)
    done = migrate()
    assert done["outcome"] in ("failed", "again")
    assert migrated(owner) == {"new_00", "new_03"}
    assert "DuplicateTable" in str(done["schemas"]["t_new_07"] if "schemas" in done else done["tenants"]["new_07"])
    assert set(states(owner)) == {"new_00", "new_03", "new_07"}


def test_a_migration_of_what_is_up_to_date_touches_no_tenant(
    tenants: Made, owner: psycopg.Connection, migrate: Callable[[], dict[str, Any]]
) -> None:
    tenants(2)
    assert migrate()["outcome"] == "migrated"
    assert states(owner) == {}
    assert ops_migrate({}, None)["schemas"].keys() == {"control", "cell"}


def test_the_workflow_is_given_chunks_by_their_ends(
    tenants: Made, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "CHUNK", 3)
    tenants(7)
    deploy(ADD_TABLE)
    since = task_migrate_registry({"v": 1}, None)["since"]
    listed = task_list_tenants({"v": 1, "since": since, "passes": 0}, None)
    assert listed["canaries"] == ["new_00", "new_03", "new_06"]
    assert listed["chunks"] == [
        {"first": "new_00", "last": "new_02"},
        {"first": "new_03", "last": "new_05"},
        {"first": "new_06", "last": "new_06"},
    ]
    again = task_list_tenants({"v": 1, "since": since, "passes": 1}, None)
    assert (again["canaries"], again["passes"]) == ([], 2)


def test_chunks_hold_every_slug_whatever_its_letters(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "CHUNK", 2)
    tenants(0)
    odd = ["newt", "new_", "new_a", "newa", "new0", "new_0", "newz_9"]
    for slug in odd:
        service.provision(owner, slug, slug, settings={}, members=[])
    deploy(ADD_TABLE)
    assert run_the_workflow()["outcome"] == "migrated"
    assert migrated(owner) == set(odd)


def test_who_is_busy_is_tried_again_after_the_others(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    slugs = tenants(3)
    deploy("ALTER TABLE {s}.media_items ADD COLUMN more int")
    reader = worker()
    reader.execute("BEGIN; SELECT FROM t_new_00.media_items")
    tried: list[int] = []

    def released_at_the_fourth() -> bool:
        tried.append(1)
        if len(tried) == 4:  # three tenants, and the first of them again
            assert {state for slug, (state, _) in states(owner).items() if slug != "new_00"} == {"done"}
            reader.execute("ROLLBACK")
        return True

    _, since = migration.begin(owner)
    done = migration.migrate_these(owner, slugs, since, released_at_the_fourth)
    assert (done.outcome, len(done.applied), len(tried)) == ("migrated", 3, 4)


def test_who_stays_busy_is_reported_and_waits_for_the_next_time(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    slugs = tenants(5)
    deploy("ALTER TABLE {s}.media_items ADD COLUMN more int")
    reader = worker()
    reader.execute("BEGIN; SELECT FROM t_new_01.media_items")
    done = ops_migrate({}, None)
    assert (done["outcome"], done["failed"]) == ("failed", ["t_new_01"])
    assert "Somebody holds its tables" in done["schemas"]["t_new_01"]
    assert len(done["schemas"]) == 2 + len(slugs)
    reader.execute("ROLLBACK")
    assert ops_migrate({}, None)["schemas"]["t_new_01"] == ["9000_add_more.sql"]


def test_a_worker_with_too_little_time_says_so_and_the_next_goes_on(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    slugs = tenants(4)
    deploy(ADD_TABLE)
    given = {"v": 1, "since": task_migrate_registry({"v": 1}, None)["since"], "tenants": slugs}
    left = iter([900_000, 500_000, 399_000])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left), aws_request_id="r")
    assert task_migrate_tenants(given, context) == {"outcome": "again", "migrated": 2, "failed": 0}
    assert migrated(owner) == {"new_00", "new_01"}
    assert task_migrate_tenants(given, None) == {"outcome": "migrated", "migrated": 2, "failed": 0}
    assert migrated(owner) == set(slugs)


def test_who_has_failed_is_not_tried_twice_in_one_migration(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    tenants(2)
    plant(owner, ["new_01"])
    deploy(ADD_TABLE)
    given = {"v": 1, "since": task_migrate_registry({"v": 1}, None)["since"]}
    chunk = {"chunk": {"first": "new_00", "last": "new_01"}}
    assert task_migrate_tenants({**given, **chunk}, None) == {"outcome": "failed", "migrated": 1, "failed": 1}
    assert task_migrate_tenants({**given, **chunk}, None) == {"outcome": "migrated", "migrated": 0, "failed": 0}
    assert task_list_tenants({**given, "passes": 1}, None)["outcome"] == "none"


def test_who_killed_a_worker_is_known_and_tried_again_so_many_times(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    """The attempt is noted before it is made: nothing else is left of a worker that was ended."""
    tenants(2)
    deploy(ADD_TABLE)
    given = {"v": 1, "since": task_migrate_registry({"v": 1}, None)["since"]}
    owner.execute(
        "INSERT INTO control.migration_state (tenant_id, state) SELECT id, 'running' FROM control.tenants"
        " WHERE slug = 'new_01'"
    )
    report = task_report_migration({**given, "passes": 1}, None)
    assert (report["outcome"], report["behind"], report["tenants"]["new_01"]) == ("again", 2, "running")
    assert task_report_migration({**given, "passes": migration.PASSES}, None)["outcome"] == "failed"
    assert ops_migrate({}, None)["outcome"] == "migrated"


def test_a_deleted_tenant_is_left_alone_also_when_it_goes_at_the_last_moment(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    slugs = tenants(3)
    deploy(ADD_TABLE)
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'new_00'")
    _, since = migration.begin(owner)

    def gone() -> bool:
        owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'new_02'")
        return True

    done = migration.migrate_these(owner, slugs, since, gone)
    assert done.applied.keys() == {"t_new_01"}
    assert migrated(owner) == {"new_01"}
    assert migration.report(owner, since, passes=1).outcome == "migrated"


def test_a_schema_that_is_missing_is_reported_and_not_made_empty(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    tenants(1)
    deploy(ADD_TABLE)
    owner.execute("ALTER SCHEMA t_new_00 RENAME TO gone_new_00")
    done = ops_migrate({}, None)
    owner.execute("DROP SCHEMA gone_new_00 CASCADE")
    assert "missing" in done["schemas"]["t_new_00"]
    assert owner.execute("SELECT to_regnamespace('t_new_00') IS NULL").fetchone() == (True,)


def test_what_a_newer_deployment_has_migrated_is_left_alone_after_a_roll_back(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants(1)
    deploy(ADD_TABLE)
    assert ops_migrate({}, None)["outcome"] == "migrated"
    newer = schema.version()
    monkeypatch.undo()
    assert ops_migrate({}, None)["schemas"].keys() == {"control", "cell"}
    assert repository.schema_version(owner, "new_00") == newer
    service.provision(owner, "new_01", "One", settings={}, members=[])
    assert repository.schema_version(owner, "new_01") == schema.version()


def test_other_rights_make_a_schema_behind_as_another_table_does(
    tenants: Made, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants(1)
    monkeypatch.setattr(repository, "RIGHTS", repository.RIGHTS + "REVOKE DELETE ON {schema}.posts FROM {role};")
    assert ops_migrate({}, None)["schemas"]["t_new_00"] == []
    may = owner.execute("SELECT has_table_privilege('t_new_00_rw', 't_new_00.posts', 'DELETE')").fetchone()
    assert may == (False,)


def test_what_rows_hold_is_not_in_the_reason(tenants: Made, deploy: Deploy, owner: psycopg.Connection) -> None:
    tenants(1)
    deploy("CREATE TABLE {s}.more (x text UNIQUE); INSERT INTO {s}.more VALUES ('a secret'), ('a secret')")
    reason = ops_migrate({}, None)["schemas"]["t_new_00"]
    assert "UniqueViolation" in reason
    assert "a secret" not in reason + str(states(owner))


def _attempts(owner: psycopg.Connection) -> dict[str, datetime]:
    rows = owner.execute(
        "SELECT t.slug, m.attempted_at FROM control.migration_state m JOIN control.tenants t ON t.id = m.tenant_id"
    ).fetchall()
    return dict(rows)
