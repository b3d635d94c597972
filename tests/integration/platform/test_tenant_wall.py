"""The second wall: a statement that names another tenant's schema is refused by the database itself."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName

from socialflow.platform.database import control, engine_room, transaction
from socialflow.platform.tenancy import Tenant

TABLES = ("media_items", "captions", "reviews", "posts", "targets", "attempts", "social_accounts")


@pytest.mark.parametrize("table", TABLES)
def test_one_tenants_transaction_cannot_read_another_tenants_rows(acme: Tenant, contoso: Tenant, table: str) -> None:
    with transaction(acme) as tx:
        assert tx.value(f"SELECT count(*) FROM {{s}}.{table}") == 0, "its own rows it may read"
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.value(f"SELECT count(*) FROM t_contoso.{table}")


@pytest.mark.parametrize("table", TABLES)
def test_the_application_itself_reads_no_tenants_rows(acme: Tenant, table: str) -> None:
    with pytest.raises(InsufficientPrivilege), engine_room() as connection:
        connection.execute(f"SELECT count(*) FROM t_acme.{table}")


def test_a_tenant_sees_only_its_own_work(acme: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    for slug in ("acme", "contoso"):
        owner.execute(
            "INSERT INTO cell.work (tenant, kind, id, wake_at) VALUES (%s, 'ingest', gen_random_uuid(), now())", (slug,)
        )
    with transaction(acme) as tx:
        assert tx.value("SELECT array_agg(tenant) FROM cell.work") == ["acme"]


def test_a_tenant_cannot_write_work_for_another(acme: Tenant) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.execute(
            "INSERT INTO cell.work (tenant, kind, id, wake_at) VALUES ('contoso', 'ingest', gen_random_uuid(), now())"
        )


def test_a_tenants_role_cannot_read_the_registry(acme: Tenant) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.value("SELECT count(*) FROM control.members")


@pytest.mark.parametrize("name", ["t_nobody", "public", "t_acme_rw", "t_acme; DROP TABLE x", "T_ACME", "cell"])
def test_only_a_tenants_schema_can_be_entered(acme: Tenant, name: str) -> None:
    with pytest.raises(InvalidSchemaName), engine_room() as connection:
        connection.execute("SELECT cell.enter_tenant_role(%s)", (name,))


def test_the_role_is_left_with_the_transaction(acme: Tenant) -> None:
    with transaction(acme) as tx:
        assert tx.value("SELECT current_user") == "t_acme_rw"
    with engine_room(acme.cell) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("sf_app",)


def test_the_application_cannot_change_the_registry(acme: Tenant) -> None:
    with pytest.raises(InsufficientPrivilege), control() as connection:
        connection.execute("UPDATE control.tenants SET name = 'mine'")
