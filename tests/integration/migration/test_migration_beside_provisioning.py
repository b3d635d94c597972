"""Tenants are made while others, or the same, are migrated: neither is in the other's way, and nobody stays behind."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from functions.ops_provision.handler import handler as ops_provision
from functions.task_list_tenants.handler import handler as task_list_tenants
from functions.task_migrate_registry.handler import handler as task_migrate_registry
from socialflow.platform.migrator import SchemaBusy, hold
from socialflow.tenants import migration, schema, service
from socialflow.tenants.model import OutdatedDeployment, TenantBusy
from tests.integration.migration.conftest import ADD_TABLE, Connect, Deploy, Made, migrated, states


def test_a_tenant_that_is_made_during_a_migration_has_the_newest_schema(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection
) -> None:
    tenants(2)
    deploy(ADD_TABLE)
    given = {"v": 1, "since": task_migrate_registry({"v": 1}, None)["since"]}
    assert ops_provision({"slug": "new_50", "name": "Fifty"}, None)["outcome"] == "provisioned"
    assert migrated(owner) == {"new_50"}
    assert task_list_tenants({**given, "passes": 0}, None)["canaries"] == ["new_00", "new_01"]


def test_an_older_deployment_makes_no_tenant_once_a_migration_has_begun(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants(0)
    deploy(ADD_TABLE)
    migration.begin(owner)
    monkeypatch.undo()
    with pytest.raises(OutdatedDeployment):
        service.provision(owner, "new_00", "Zero", settings={}, members=[])
    assert owner.execute("SELECT FROM control.tenants WHERE slug = 'new_00'").fetchone() is None
    assert owner.execute("SELECT to_regnamespace('t_new_00') IS NULL").fetchone() == (True,)


def test_a_migration_begins_only_after_who_makes_a_tenant_by_older_rules(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    tenants(0)
    slow = worker()
    with slow.transaction():
        service.provision(slow, "new_00", "Zero", settings={}, members=[])
        deploy(ADD_TABLE)
        with pytest.raises(SchemaBusy):
            migration.begin(owner)
    _, since = migration.begin(owner)
    assert migration.listing(owner, since, has_canaries=True).canaries == ["new_00"]


def test_who_provisions_waits_for_who_migrates_the_same_tenant(
    tenants: Made, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    tenants(1)
    migrating = worker()
    with migrating.transaction():
        hold(migrating, "t_new_00")
        with pytest.raises(TenantBusy):
            service.provision(owner, "new_00", "Zero", settings={}, members=[])
    service.provision(owner, "new_00", "Zero", settings={}, members=[])


def test_who_migrates_waits_for_who_provisions_the_same_tenant(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    tenants(1)
    deploy(ADD_TABLE)
    _, since = migration.begin(owner)
    provisioning = worker()
    with provisioning.transaction():
        service.provision(provisioning, "new_00", "Zero", settings={}, members=[])
        assert migration.migrate_these(owner, ["new_00"], since).failed.keys() == {"t_new_00"}
    assert migrated(owner) == {"new_00"}
    assert migration.report(owner, since, passes=1).outcome == "migrated"


def test_eight_who_provision_and_migrate_the_same_tenants_are_never_in_each_others_way(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect
) -> None:
    slugs = tenants(4)
    deploy(ADD_TABLE)
    _, since = migration.begin(owner)
    connections = [worker() for _ in range(8)]

    def go(number: int) -> object:
        connection = connections[number]
        if number % 2:
            return [service.provision(connection, slug, slug, settings={}, members=[]) for slug in reversed(slugs)]
        return migration.migrate_chunk(connection, "new_00", "new_03", since).applied

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(go, range(8)))
    assert len({str(ids) for ids in results[1::2]}) == 1
    assert migrated(owner) == set(slugs)
    assert {state for state, _ in states(owner).values()} <= {"done"}


def test_workers_of_one_chunk_migrate_each_tenant_once(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect
) -> None:
    slugs = tenants(6)
    deploy(ADD_TABLE)
    _, since = migration.begin(owner)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda one: migration.migrate_chunk(one, "", "~", since), [worker() for _ in range(4)]))
    applied = [name for one in done for name in one.applied]
    assert sorted(applied) == [f"t_{slug}" for slug in slugs]
    assert [one.failed for one in done] == [{}] * 4


def test_one_tenants_migration_does_not_keep_anothers_waiting(
    tenants: Made, deploy: Deploy, owner: psycopg.Connection, worker: Connect, impatient: None
) -> None:
    """What is granted already is not granted again: that would lock the role that all tenants share."""
    tenants(2)
    deploy(ADD_TABLE)
    slow = worker()
    with slow.transaction():
        schema.build(slow, "new_00")
        schema.build(owner, "new_01")
