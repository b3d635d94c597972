"""Tenants of a test's own, and a deployment that wants more of their schemas."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from infra_cdk.local.postgres import OWNER, Cluster
from socialflow.platform import database, migrator, settings
from socialflow.platform.migrator import Migration
from socialflow.tenants import schema, service
from tests.conftest import Cloud

Made = Callable[[int], list[str]]
Deploy = Callable[[str], str]
Connect = Callable[[], psycopg.Connection]
ADD_TABLE = "CREATE TABLE {s}.more (x int)"


def migrated(owner: psycopg.Connection) -> set[str]:
    """Who has what ADD_TABLE adds, and whose registry says so."""
    rows = owner.execute(
        "SELECT t.slug FROM control.tenants t JOIN pg_tables p ON p.schemaname = 't_' || t.slug"
        " WHERE p.tablename = 'more' AND t.schema_version = %s",
        (schema.version(),),
    ).fetchall()
    return {slug for (slug,) in rows}


def states(owner: psycopg.Connection) -> dict[str, tuple[str, str | None]]:
    rows = owner.execute(
        "SELECT t.slug, m.state, m.error FROM control.migration_state m JOIN control.tenants t ON t.id = m.tenant_id"
        " WHERE t.slug LIKE 'new%'"
    ).fetchall()
    return {slug: (state, error) for slug, state, error in rows}


@pytest.fixture
def as_owner(clean: None, cloud: Cloud) -> Iterator[None]:
    """The environment of functions that own the schemas."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_DATABASE_SECRET", cloud.owner_secret)
        patch.setenv("SOCIALFLOW_DATABASE_OWNER_SECRET", cloud.owner_secret)
        settings.forget()
        database.forget()
        yield
    settings.forget()
    database.forget()


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[Callable[[], psycopg.Connection]]:
    """Connections of the owner's, as many as a test asks for."""
    opened: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        opened.append(psycopg.connect(cluster.dsn(OWNER), autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def tenants(as_owner: None, owner: psycopg.Connection) -> Made:
    """Make tenants `new_00`, `new_01`, …; acme and contoso stand aside meanwhile."""
    owner.execute("UPDATE control.tenants SET schema_version = ''")

    def make(number: int) -> list[str]:
        slugs = [f"new_{each:02}" for each in range(number)]
        for slug in slugs:
            service.provision(owner, slug, slug, settings={}, members=[])
        return slugs

    return make


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Have a deployment with one more migration of tenants' schemas: its SQL."""
    real = migrator.migrations("tenant")

    def change(text: str, name: str = "9000_add_more.sql") -> str:
        more = Migration(name, text, text)
        monkeypatch.setattr(migrator, "migrations", lambda scope: (*real, more) if scope == "tenant" else ())
        return name

    return change


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for just long enough to have been asked for."""
    monkeypatch.setattr(migrator, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(schema, "PATIENCE", "50ms")
