"""What tenants share and people decide is audited: exports, and what operators stop."""

from typing import Any

import psycopg
import pytest

from functions.ops_look.handler import handler as ops_look
from functions.ops_suspend.handler import handler as ops_suspend
from functions.ops_switch.handler import handler as ops_switch
from functions.ops_verify_audit.handler import handler as ops_verify_audit
from socialflow.audit.model import of_line
from socialflow.platform import registry
from socialflow.platform.acting import SYSTEM, act_as
from socialflow.platform.database import engine_room, transaction
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import ledger_repository as ledger
from tests.integration.audit.ledger import lines
from tests.integration.audit.test_reading import pieces
from tests.integration.conftest import Member

WHY = "Their account was taken over."


def switch(action: str, **what: Any) -> dict[str, Any]:
    told: dict[str, Any] = ops_switch({"action": action, "by": "nina", "reason": WHY, **what}, None)
    return told


def stopped(tenant: Tenant) -> bool:
    with transaction(tenant) as tx:
        return ledger.switched_off(tx, "mastodon") is not None


def test_a_tenant_that_is_stopped_reads_who_did_it_and_why(
    acme: Tenant, contoso: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    assert switch("stop", tenant="acme") == {"outcome": "stopped", "changed": True}
    assert switch("stop", tenant="acme") == {"outcome": "stopped", "changed": False}
    assert (stopped(acme), stopped(contoso)) == (True, False)
    assert switch("go", tenant="acme") == {"outcome": "going", "changed": True}
    assert not stopped(acme)
    told = member("admin").get("/v1/audit").json["items"]
    assert [(row["action"], row["actor"]["kind"], row["actor"]["name"]) for row in told] == [
        ("switch.delete", "operator", "nina"),
        ("switch.create", "operator", "nina"),
    ]
    assert lines(owner, "cell", chain="acme")[0].changes["reason"] == [None, WHY]
    assert lines(owner, "cell", chain="") == []
    assert member("owner", "contoso").get("/v1/audit").json["items"] == []
    assert ops_verify_audit({"tenant": "acme"}, None)["outcome"] == "intact"


@pytest.mark.parametrize("what", [{"all": True}, {"network": "mastodon"}])
def test_what_stops_everybody_is_in_the_cells_own_chain(
    acme: Tenant, contoso: Tenant, owner: psycopg.Connection, what: dict[str, Any]
) -> None:
    assert switch("stop", **what)["changed"]
    assert (stopped(acme), stopped(contoso)) == (True, True)
    (row,) = ops_look({"action": "stopped"}, None)["switches"]
    assert (row["tenant"], row["reason"]) == ("", WHY)
    assert switch("go", **what)["changed"]
    assert ops_look({"action": "stopped"}, None)["switches"] == []
    found = lines(owner, "cell", chain="")
    assert [(line.told, line.actor_name) for line in found] == [
        ("switch.create by operator", "nina"),
        ("switch.delete by operator", "nina"),
    ]
    assert ops_verify_audit({}, None)["heads"]["cell-1/"]["seq"] == 2


def test_an_operators_switch_and_a_suspension_end_each_by_itself(acme: Tenant, owner: psycopg.Connection) -> None:
    ops_suspend({"action": "suspend", "slug": "acme", "reason": WHY, "by": "nina"}, None)
    assert switch("stop", tenant="acme")["changed"]
    assert switch("go", tenant="acme")["changed"]
    suspended = registry.named("acme")
    assert stopped(suspended)
    ops_suspend({"action": "resume", "slug": "acme", "by": "boris"}, None)
    assert not stopped(registry.named("acme"))
    assert [line.actor_name for line in lines(owner, "cell", chain="acme")] == ["nina", "nina", "nina", "boris"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b", None, ["x"] * 300])
def test_nothing_is_stopped_without_a_reason_that_can_be_read(acme: Tenant, reason: object) -> None:
    assert switch("stop", all=True, reason=reason)["code"] == "unusable-reason"
    assert not stopped(acme)


@pytest.mark.parametrize("what", [{}, {"all": False}, {"all": "yes"}, {"all": True, "tenant": "acme"}, {"network": 1}])
def test_a_forgotten_name_stops_nobody(acme: Tenant, what: dict[str, Any]) -> None:
    assert switch("stop", **what)["code"] == "invalid"
    assert switch("go", **what)["code"] == "invalid"
    assert not stopped(acme)


def test_the_cells_chain_is_verified_as_others_are(acme: Tenant, superuser: psycopg.Connection) -> None:
    switch("stop", all=True)
    switch("go", all=True)
    superuser.execute("UPDATE cell.audit_log SET actor_name = 'Eve' WHERE seq = 2")
    assert ops_verify_audit({}, None)["first_bad"] == {"chain": "cell-1/", "seq": 2, "reason": "changed"}


def test_the_application_may_only_read_the_cells_chain(acme: Tenant) -> None:
    switch("stop", all=True)
    for statement in ("UPDATE cell.audit_log SET actor_name = 'Eve'", "DELETE FROM cell.audit_log"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), engine_room() as connection:
            connection.execute(statement)


def test_an_export_is_audited_by_who_asked_for_it_and_its_progress_is_not(
    acme: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    asked = member("admin").post("/v1/exports", {})
    assert asked.status == 202, asked
    act_as(SYSTEM)
    with transaction(acme) as tx:
        tx.execute("UPDATE cell.exports SET percent = 50, tries = 1, stage = 'rows'")
        tx.execute("UPDATE cell.exports SET state = 'failed', error_code = 'given-up'")
    found = lines(owner, "cell", chain="acme")
    assert [(line.told, line.actor_name) for line in found] == [
        ("export.create by person: queued", "Admin of acme"),
        ("export.update by system: failed", "SocialFlow"),
    ]
    assert {line.subject_id for line in found} == {asked.json["id"]}


def test_a_tenants_role_reads_its_own_chain_of_the_cell_and_no_other(acme: Tenant, contoso: Tenant) -> None:
    for what in ({"tenant": "acme"}, {"tenant": "contoso"}, {"all": True}):
        switch("stop", **what)
    for tenant in (acme, contoso):
        with transaction(tenant) as tx:
            assert tx.value("SELECT array_agg(chain) FROM cell.audit_log") == [tenant.slug]
        for statement in ("SELECT count(*) FROM cell.audit_head", "DELETE FROM cell.audit_log"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(tenant) as tx:
                tx.execute(statement)


def test_a_file_of_the_audit_has_the_cells_chain_between_the_two_others(acme: Tenant, member: Member) -> None:
    admin = member("admin")
    switch("stop", tenant="acme")
    switch("go", tenant="acme")
    ops_suspend({"action": "suspend", "slug": "acme", "reason": WHY, "by": "nina"}, None)
    ops_suspend({"action": "resume", "slug": "acme", "by": "nina"}, None)
    body = {"file_name": "one.jpg", "content_type": "image/jpeg", "size": 1_000, "caption": {"skip": True}}
    assert member("editor").post("/v1/media/uploads", body).status == 201
    whole = admin.get("/v1/audit/export").text
    rows = [of_line(line) for line in whole.splitlines()]
    assert [row.chain for row in rows] == [str(acme.id)] * 2 + ["acme"] * 4 + ["workspace"]
    assert all(row.digest() == row.hash for row in rows)
    for limit in (1, 2, 3, 4, 6):
        assert "".join(piece.text for piece in pieces(admin, f"limit={limit}")) == whole
    listed = admin.get("/v1/audit").json["items"]
    assert len(listed) == len(rows)
    assert {row["chain"] for row in listed} == {"registry", "cell", "workspace"}
