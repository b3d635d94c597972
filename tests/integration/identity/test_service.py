"""Signing in under concurrency, and who belongs where."""

import threading
from uuid import uuid4

import psycopg
import pytest

from infra_cdk.local.postgres import APP, Cluster
from socialflow.identity import door, service
from socialflow.identity.model import Claims, NotAMember
from socialflow.platform import database
from socialflow.platform.caller import User
from socialflow.platform.database import control
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer
from tests.conftest import ISSUER


def claims(subject: str) -> Claims:
    return Claims(ISSUER, subject, f"{subject}@acme.test", "")


def user(subject: str) -> User:
    with control() as connection:
        return service.sign_in(connection, claims(subject))


def test_a_first_sign_in_beside_another_waits_and_finds_the_same_user(clean: None, cluster: Cluster) -> None:
    found: list[User] = []
    with psycopg.connect(cluster.dsn(APP)) as first, psycopg.connect(cluster.dsn(APP)) as second:
        made = service.sign_in(first, claims("racing"))  # not committed yet
        pid = second.info.backend_pid
        thread = threading.Thread(target=lambda: found.append(service.sign_in(second, claims("racing"))))
        thread.start()
        wait_for_lock(cluster, pid)
        assert found == []
        first.commit()
        thread.join(timeout=10)
    assert found == [made]


def wait_for_lock(cluster: Cluster, pid: int) -> None:
    """Return when a backend waits for another's transaction."""
    waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(cluster.dsn(APP), autocommit=True) as watcher:
        for _ in range(2_000):
            if watcher.execute(waiting, (pid,)).fetchone() == (True,):
                return
            watcher.execute("SELECT pg_sleep(0.005)")
    pytest.fail("the second sign-in never waited for the first")


def test_fifty_first_sign_ins_at_once_make_one_user(issuer: Issuer, clean: None, owner: psycopg.Connection) -> None:
    bearer = "Bearer " + issuer.token("a-crowd", email="crowd@nowhere.test")
    start, found = threading.Barrier(50), list[User]()

    def sign_in() -> None:
        try:
            with control():
                pass  # the connection is made before the start
            start.wait(30)
            found.append(door.sign_in(bearer))
        finally:
            database.forget()

    threads = [threading.Thread(target=sign_in) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 50
    assert len({user.id for user in found}) == 1
    rows = owner.execute("SELECT id, email FROM control.users WHERE subject = 'a-crowd'").fetchall()
    assert rows == [(found[0].id, "crowd@nowhere.test")]


def test_two_issuers_may_use_one_subject(clean: None) -> None:
    with control() as connection:
        other = service.sign_in(connection, Claims("https://other.test", "acme-owner", "owner@acme.test", ""))
    assert other.id != user("acme-owner").id
    with control() as connection, pytest.raises(NotAMember):
        service.enter(connection, other, "acme")


def test_a_tenant_is_entered_by_slug_and_by_id(acme: Tenant) -> None:
    editor = user("acme-editor")
    with control() as connection:
        by_slug = service.enter(connection, editor, "acme")
        by_id = service.enter(connection, editor, str(acme.id).upper())
    assert by_slug == by_id
    assert (by_slug.tenant, by_slug.role) == (acme, "editor")


def test_a_foreign_tenant_and_none_at_all_are_refused_alike(contoso: Tenant) -> None:
    editor = user("acme-editor")
    keys = ("contoso", str(contoso.id), "nowhere", str(uuid4()), "", "acme'--", "ACME", "t_acme", "../acme", "acme\x00")
    refused = set()
    for key in keys:
        with control() as connection, pytest.raises(NotAMember) as refusal:
            service.enter(connection, editor, key)
        refused.add((refusal.value.code, refusal.value.detail, tuple(refusal.value.facts)))
    assert len(refused) == 1


def test_a_deleted_tenant_is_nobodys(acme: Tenant, owner: psycopg.Connection) -> None:
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE id = %s", (acme.id,))
    editor = user("acme-editor")
    with control() as connection:
        assert service.memberships(connection, editor) == []
    with control() as connection, pytest.raises(NotAMember):
        service.enter(connection, editor, "acme")


def test_a_stranger_who_knocks_at_a_tenant_leaves_no_row(stranger: Client, owner: psycopg.Connection) -> None:
    counted = "SELECT count(*) FROM control.users WHERE subject = 'a-stranger'"
    assert stranger.get("/v1/media").code == "not-a-member"
    assert owner.execute(counted).fetchone() == (0,)
    assert stranger.get("/v1/me").status == 200
    assert owner.execute(counted).fetchone() == (1,)
