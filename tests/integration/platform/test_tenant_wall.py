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


DEEDS = (
    "INSERT INTO t_contoso.posts SELECT * FROM t_contoso.posts",
    "UPDATE t_contoso.posts SET text = 'mine'",
    "DELETE FROM t_contoso.posts",
    "TRUNCATE t_contoso.posts",
    "COPY t_contoso.posts TO STDOUT",
    "LOCK TABLE t_contoso.posts",
    "SELECT * FROM t_contoso.posts FOR UPDATE",
    "MERGE INTO t_acme.posts p USING t_contoso.posts o ON p.id = o.id WHEN MATCHED THEN DELETE",
    "CREATE TABLE t_contoso.mine ()",
    "CREATE VIEW t_contoso.mine AS SELECT 1",
    "CREATE FUNCTION t_contoso.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE t_contoso.posts ADD COLUMN mine int",
    "ALTER SCHEMA t_contoso RENAME TO t_mine",
    "DROP TABLE t_contoso.posts",
    "DROP SCHEMA t_contoso CASCADE",
    "COMMENT ON TABLE t_contoso.posts IS 'mine'",
    "GRANT SELECT ON t_contoso.posts TO t_acme_rw",
    "GRANT t_contoso_rw TO t_acme_rw",
    "ALTER ROLE t_contoso_rw LOGIN",
    "DROP ROLE t_contoso_rw",
)
"""What a statement with the wrong schema's name might do, by every kind of statement there is."""


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_a_statement_does_the_other_tenants_name_stops_it(acme: Tenant, contoso: Tenant, deed: str) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.connection.execute(deed.encode())


@pytest.mark.parametrize(
    "deed",
    [
        "CREATE TABLE t_acme.mine ()",
        "CREATE SCHEMA mine",
        "ALTER TABLE t_acme.posts DISABLE TRIGGER audit",
        "ALTER TABLE cell.work DISABLE ROW LEVEL SECURITY",
        "SET session_replication_role = replica",
        "DROP TABLE t_acme.audit_log",
        "DELETE FROM t_acme.audit_log",
        "UPDATE t_acme.audit_head SET seq = 0",
        "SELECT * FROM t_acme.schema_migrations",
        "CREATE TABLE public.mine ()",
        "DROP EXTENSION vector",
        "COPY t_acme.posts TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_in_its_own_schema_a_tenant_has_rows_and_nothing_else(acme: Tenant, deed: str) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.connection.execute(deed.encode())


def functions_of_ours(owner: psycopg.Connection) -> list[str]:
    """Every function that the migrations have made and that a tenant's role may not call."""
    rows = owner.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname IN ('control', 'cell') AND NOT has_function_privilege('t_acme_rw', p.oid, 'EXECUTE')"
    )
    return [name for (name,) in rows.fetchall()]


def test_what_acts_with_the_owners_rights_is_not_a_tenants_to_call(acme: Tenant, owner: psycopg.Connection) -> None:
    """All that runs with its maker's rights is among them; what is called with nulls would otherwise answer."""
    forbidden = functions_of_ours(owner)
    powerful = owner.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert {name for (name,) in powerful} <= set(forbidden)
    assert len(forbidden) > 5
    for name in forbidden:
        call, _, types = name.rstrip(")").partition("(")
        nulls = ", ".join(f"NULL::{kind}" for kind in types.split(",") if kind)
        with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
            tx.connection.execute(f"SELECT {call}({nulls})".encode())


@pytest.mark.parametrize("role", ["sf_owner", "postgres", "pg_read_all_data", "pg_execute_server_program"])
def test_nobody_of_more_rights_can_be_become(acme: Tenant, role: str) -> None:
    for become in (f"SET ROLE {role}", f"SET LOCAL ROLE {role}", f"SET SESSION AUTHORIZATION {role}"):
        with pytest.raises((InsufficientPrivilege, psycopg.errors.InvalidParameterValue)), transaction(acme) as tx:
            tx.connection.execute(become.encode())


def test_a_value_cannot_become_a_statement_that_leaves_the_role(acme: Tenant, contoso: Tenant) -> None:
    """The login may become each tenant's role, so it all hangs on this: what people send is only ever a value."""
    for value in ("'; SET ROLE t_contoso_rw; --", "$1; RESET ROLE", "x' UNION SELECT text FROM t_contoso.posts --"):
        with transaction(acme) as tx:
            assert tx.value("SELECT %s::text", (value,)) == value
            assert tx.value("SELECT current_user") == "t_acme_rw"
        with pytest.raises(psycopg.errors.SyntaxError), transaction(acme) as tx:  # nor are two statements one
            tx.value("SELECT 1; SET ROLE t_contoso_rw; SELECT %s::text", (value,))


def test_a_role_that_was_left_is_not_left_for_the_next_transaction(acme: Tenant, contoso: Tenant) -> None:
    """Who writes whole statements could become another tenant; the next transaction begins as its own all the same."""
    with transaction(acme) as tx:
        tx.execute("SET LOCAL ROLE t_contoso_rw")
        assert tx.value("SELECT current_user") == "t_contoso_rw"
    for tenant in (acme, contoso):
        with transaction(tenant) as tx:
            assert tx.value("SELECT current_user") == f"{tenant.schema}_rw"


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
