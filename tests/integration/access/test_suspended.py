"""A suspended tenant takes rights away, and gives none: a key that has leaked does not wait for an invoice."""

from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest

from socialflow.identity import door
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import control, transaction
from socialflow.platform.tenancy import Tenant
from socialflow.team import service as team
from socialflow.team.model import NoLongerAllowed
from socialflow.tenants import profile
from tests.api import Client
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.access.routes import ROUTES
from tests.integration.audit.ledger import lines
from tests.integration.conftest import Member

TAKES_AWAY = {
    "DELETE /v1/accounts/{account_id}",
    "DELETE /v1/ai/keys/{provider}",
    "DELETE /v1/api-keys/{key_id}",
    "DELETE /v1/invitations/{invitation_id}",
    "DELETE /v1/members/{user_id}",
    "DELETE /v1/networks/late",
    "DELETE /v1/support-access/{grant_id}",
    "POST /v1/posts/{post_id}/targets/{target_id}/delete",
}
INVITED = {"email": "nina@new.test", "role": "editor"}


@pytest.fixture
def suspend(acme: Tenant) -> partial[bool]:
    """What suspends acme."""

    def suspended() -> bool:
        with control() as connection:
            return profile.suspend(connection, acme, reason="The last invoice is open.")

    return partial(suspended)


def me(client: Client) -> str:
    return str(client.get("/v1/me").json["id"])


def test_what_takes_away_is_listed() -> None:
    found = {str(route) for route in ROUTES if route.operation.get("x-while-suspended") and route.method != "GET"}
    changing = {name for name in found if not _reads(name)}
    assert changing == TAKES_AWAY


def _reads(name: str) -> bool:
    return next(bool(route.operation["x-reads-only"]) for route in ROUTES if str(route) == name)


def test_a_key_is_revoked_and_none_is_made(
    acme: Tenant, member: Member, made_key: MadeKey, suspend: partial[bool], owner: psycopg.Connection
) -> None:
    made = made_key("media:read")
    machine, admin = holder(made["key"]), member("admin")
    assert suspend()
    assert machine.get("/v1/media").status == 200
    assert admin.delete(f"/v1/api-keys/{made['id']}").status == 204
    assert machine.get("/v1/media").code == "api-key-revoked"
    assert admin.post("/v1/api-keys", {"name": "x", "scopes": ["media:read"]}).code == "tenant-suspended"
    assert lines(owner, "control", chain=str(acme.id))[-1].actor_name == "Admin of acme"


def test_a_member_is_removed_and_nobody_gets_a_role(member: Member, suspend: partial[bool]) -> None:
    boss, editor, viewer = member("owner"), member("editor"), member("viewer")
    editor_id, viewer_id = me(editor), me(viewer)
    assert suspend()
    assert boss.delete(f"/v1/members/{editor_id}").status == 204
    assert editor.get("/v1/media").code == "not-a-member"
    assert boss.delete(f"/v1/members/{me(boss)}").code == "last-owner"
    assert boss.patch(f"/v1/members/{viewer_id}", {"role": "admin"}).code == "tenant-suspended"
    assert boss.post(f"/v1/members/{viewer_id}/make-owner").code == "tenant-suspended"
    assert member("admin").delete(f"/v1/members/{viewer_id}").code == "permission-denied"


def test_an_invitation_is_taken_back_and_none_is_sent(member: Member, suspend: partial[bool]) -> None:
    admin = member("admin")
    invited = admin.post("/v1/invitations", INVITED)
    assert invited.status == 201, invited
    assert suspend()
    path = f"/v1/invitations/{invited.json['id']}"
    assert admin.post(f"{path}/resend").code == "tenant-suspended"
    assert admin.delete(path).status == 204
    assert admin.get("/v1/invitations").json["items"] == []
    assert admin.post("/v1/invitations", INVITED).code == "tenant-suspended"


def test_an_account_is_disconnected(acme: Tenant, member: Member, suspend: partial[bool]) -> None:
    account = uuid4()
    with transaction(acme) as tx:
        tx.execute(
            "INSERT INTO {s}.social_accounts (id, network, base_url, remote_account, remote_name, state, secret,"
            " connected_by) VALUES (%s, 'mastodon', 'https://m.test', '1', '@a', 'connected', 'x', %s)",
            (account, uuid4()),
        )
        tx.execute("INSERT INTO cell.usage VALUES ('acme', 'accounts', 'standing', 1)")
    assert suspend()
    assert member("admin").delete(f"/v1/accounts/{account}").status == 204
    assert member("admin").get("/v1/accounts").json["items"] == []


def test_a_suspension_between_the_guard_and_the_change_is_seen(
    acme: Tenant, member: Member, suspend: partial[bool]
) -> None:
    """Whoever was let in as of an active tenant repeats it, and is let in as of a suspended one."""
    boss, editor_id = member("owner"), me(member("editor"))
    before = door.admit(boss.headers["authorization"], "acme")
    assert suspend()
    with pytest.raises(NoLongerAllowed), control() as connection:
        team.remove(connection, before, UUID(editor_id), at=now())
    after = door.admit(boss.headers["authorization"], "acme")
    with control() as connection:
        team.remove(connection, after, UUID(editor_id), at=now())
    assert not registry.named("acme").active


def test_a_deleted_tenant_takes_nothing_away_either(member: Member, made_key: MadeKey) -> None:
    made = made_key("media:read")
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    assert member("owner").delete(f"/v1/api-keys/{made['id']}").code == "not-a-member"
