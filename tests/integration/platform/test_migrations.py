"""Migrations and provisioning: once each, together or not at all, safe to repeat and to run side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from functions.ops_migrate.handler import handler as ops_migrate
from functions.ops_provision.handler import handler as ops_provision
from infra_cdk.local.postgres import OWNER, Cluster
from socialflow.platform import migrator, settings
from socialflow.platform.migrator import Migration, MigrationChanged, MigrationFailed
from socialflow.tenants import service
from tests.conftest import ISSUER, Cloud


@pytest.fixture
def as_owner(deployed: Callable[[], None], cloud: Cloud, owner: psycopg.Connection) -> Iterator[None]:
    """The environment of the ops functions; what they made is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_DATABASE_SECRET", cloud.owner_secret)
        settings.forget()
        yield
    settings.forget()
    rows = owner.execute("DELETE FROM control.tenants WHERE slug LIKE 'new%' RETURNING slug").fetchall()
    for (slug,) in rows:
        owner.execute(f"DROP SCHEMA IF EXISTS t_{slug} CASCADE")
    deployed()


def test_everything_is_up_to_date_after_a_migration_and_a_second_one_does_nothing(as_owner: None) -> None:
    done = ops_migrate({}, None)
    assert done["outcome"] == "migrated"
    assert {schema: applied for schema, applied in done["schemas"].items() if applied} == {}
    assert set(done["schemas"]) == {"control", "cell"}


def provision(slug: str, **more: Any) -> dict[str, Any]:
    member = {"issuer": ISSUER, "subject": slug, "email": f"{slug}@x.test", "name": slug, "role": "owner"}
    answer: dict[str, Any] = ops_provision({"slug": slug, "name": slug, "members": [member], **more}, None)
    return answer


def test_provisioning_twice_gives_the_same_tenant(as_owner: None, owner: psycopg.Connection) -> None:
    first, second = provision("new_one"), provision("new_one")
    assert first["outcome"] == "provisioned"
    assert first == second
    row = owner.execute(
        "SELECT count(*), min(m.role) FROM control.members m JOIN control.tenants t ON t.id = m.tenant_id"
        " WHERE t.slug = 'new_one'"
    ).fetchone()
    assert row == (1, "owner")


def test_parallel_provisioning_of_one_slug_makes_one_tenant(as_owner: None, cluster: Cluster) -> None:
    def provision_alone(_worker: int) -> object:
        with psycopg.connect(cluster.dsn(OWNER), autocommit=True) as connection:
            return service.provision(connection, "new_two", "Two", settings={}, members=[])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(provision_alone, range(8)))) == 1


@pytest.mark.parametrize("slug", ["", "a", "1a", "A", "a-b", "a" * 40, "a b", "ä", 'a"; DROP SCHEMA cell', "a\n"])
def test_a_slug_that_cannot_name_a_schema_is_refused(as_owner: None, slug: str) -> None:
    answer = provision(slug)
    assert (answer["outcome"], answer["code"]) == ("refused", "unusable-slug")


def test_a_role_that_is_none_is_refused(as_owner: None) -> None:
    member = {"issuer": ISSUER, "subject": "x", "email": "", "name": "", "role": "king"}
    assert provision("new_three", members=[member])["outcome"] == "refused"


def test_a_failing_provisioning_leaves_nothing(
    as_owner: None, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration("9999_break.sql", "SELECT 1/0", "0")
    monkeypatch.setattr(migrator, "migrations", lambda _scope: (broken,))
    with pytest.raises(MigrationFailed, match="DivisionByZero"):
        provision("new_four")
    assert owner.execute("SELECT FROM control.tenants WHERE slug = 'new_four'").fetchone() is None
    assert owner.execute("SELECT FROM pg_namespace WHERE nspname = 't_new_four'").fetchone() is None


def test_a_tenant_that_cannot_be_migrated_is_reported_and_stops_nobody(
    as_owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = migrator.migrations("tenant")
    blocked = Migration("9999_block.sql", "CREATE TABLE {s}.only_here (x int); SELECT {s}.missing()", "0")
    monkeypatch.setattr(migrator, "migrations", lambda scope: (*real, blocked) if scope == "tenant" else ())
    done = ops_migrate({}, None)
    assert (done["outcome"], done["failed"]) == ("failed", ["t_acme", "t_contoso"])
    assert "missing()" in done["schemas"]["t_acme"]


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(
    as_owner: None, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = migrator.migrations("control")[0]
    changed = Migration(first.name, first.text + "-- a thought", "changed")
    monkeypatch.setattr(migrator, "migrations", lambda _scope: (changed,))
    with pytest.raises(MigrationChanged, match=first.name):
        migrator.migrate(owner, "control", "control")


def test_files_are_named_by_number_verb_and_noun() -> None:
    scopes: tuple[migrator.Scope, ...] = ("control", "cell", "tenant")
    for scope in scopes:
        numbers = [int(one.name[:4]) for one in migrator.migrations(scope)]
        assert numbers == sorted(set(numbers))
