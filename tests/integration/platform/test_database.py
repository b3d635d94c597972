"""The connection survives what happens to connections, and says so in words when it cannot."""

import psycopg
import pytest

from socialflow.platform import database
from socialflow.platform.database import DatabaseDown, control, transaction
from socialflow.platform.tenancy import Tenant

END_OTHERS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'sf_app'"


@pytest.fixture
def guillotine(acme: Tenant, cluster: object) -> psycopg.Connection:
    """A connection that may end the application's sessions."""
    from infra_cdk.local.postgres import SUPERUSER, Cluster  # noqa: PLC0415 - only here

    assert isinstance(cluster, Cluster)
    return psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True)


def test_a_connection_that_died_while_nobody_used_it_is_replaced(acme: Tenant, guillotine: psycopg.Connection) -> None:
    with transaction(acme) as tx:
        tx.value("SELECT 1")
    guillotine.execute(END_OTHERS)
    with transaction(acme) as tx:
        assert tx.value("SELECT current_user") == "t_acme_rw"
    guillotine.close()


def test_a_connection_that_dies_in_the_middle_is_a_refusal_in_words_and_the_next_one_works(
    acme: Tenant, guillotine: psycopg.Connection
) -> None:
    def interrupted() -> None:
        with transaction(acme) as tx:
            guillotine.execute(END_OTHERS)
            tx.value("SELECT 1")

    with pytest.raises(DatabaseDown) as refusal:
        interrupted()
    assert "Repeat the request" in refusal.value.detail
    with transaction(acme) as tx:
        assert tx.value("SELECT 1") == 1
    guillotine.close()


def test_one_event_is_one_transaction(acme: Tenant) -> None:
    with transaction(acme), pytest.raises(RuntimeError, match="open already"), transaction(acme):
        pass


def test_every_wait_has_an_end(acme: Tenant) -> None:
    with transaction(acme) as tx:
        assert tx.value("SHOW statement_timeout") == "15s"
        assert tx.value("SHOW lock_timeout") == "5s"
    with transaction(acme) as tx:
        tx.execute("SET LOCAL statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            tx.value("SELECT pg_sleep(2)")


def test_search_path_names_no_tenant(acme: Tenant) -> None:
    with transaction(acme) as tx:
        assert tx.value("SHOW search_path") == '"$user", public'
        assert tx.value("SELECT to_regclass('media_items')") is None


def test_ping_tells_the_truth(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.ping()
    database.forget()

    def refuse(_where: object) -> None:
        raise psycopg.OperationalError("no")

    monkeypatch.setattr(database, "_dial", refuse)
    assert not database.ping()


def test_a_refused_transaction_leaves_nothing_behind(acme: Tenant) -> None:
    def fail() -> None:
        with control() as connection:
            connection.execute("INSERT INTO control.users (id, issuer, subject) VALUES (gen_random_uuid(), 'i', 's')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with control() as connection:
        assert connection.execute("SELECT count(*) FROM control.users WHERE issuer = 'i'").fetchone() == (0,)
