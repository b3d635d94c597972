"""API keys in use: what they open, what they never do, and what ends them."""

from datetime import datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from socialflow.identity.api_keys import SCOPES
from socialflow.identity.model import PERMISSIONS
from socialflow.platform.acting import acting
from socialflow.platform.database import control
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.conftest import Member

UPLOAD = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 10}
ZEROS = "0" * 64


def test_a_key_acts_as_its_scopes_allow_in_its_tenant_alone(made_key: MadeKey, acme: Tenant) -> None:
    machine = holder(made_key("media:read")["key"])
    assert machine.get("/v1/media").status == 200
    for tenant in ("acme", str(acme.id), str(acme.id).upper()):
        assert machine.get("/v1/media", x_tenant_id=tenant).status == 200
    refused = machine.post("/v1/media/uploads", UPLOAD)
    assert (refused.code, refused.json["permission"]) == ("permission-denied", "media:write")


def test_a_key_of_another_tenant_is_refused_as_a_stranger_is(
    made_key: MadeKey, stranger: Client, contoso: Tenant
) -> None:
    machine, told = holder(made_key("media:read")["key"]), ("status", "code", "title", "detail")
    for tenant in ("contoso", str(contoso.id), "nowhere", str(uuid4()), "t_contoso", "acme'--", "*"):
        key, person = (who.get("/v1/media", x_tenant_id=tenant) for who in (machine, stranger))
        assert (key.status, key.code) == (403, "not-a-member"), tenant
        assert [key.json[name] for name in told] == [person.json[name] for name in told]


@pytest.mark.parametrize(
    "text",
    [
        "sf_",
        "sf__",
        "sf_x",
        "sf_x_y",
        f"sf_{'0' * 16}",
        f"sf_{'0' * 16}_",
        f"sf_{'0' * 16}_{ZEROS}",
        f"sf_{'0' * 16}_{ZEROS}0",
        f"sf_{'0' * 15}_{ZEROS}",
        f"sf_{'0' * 16}_{ZEROS}_",
        f"sf_{'0' * 16}_{ZEROS} sf_{'0' * 16}_{ZEROS}",
        f"sf_{'0' * 16}-{ZEROS}",
        f"sf_{'g' * 16}_{ZEROS}",
        f"sf_{'٣' * 16}_{ZEROS}",
        f"sf_{'0' * 16}_{'é' * 64}",
        f"sf_{'0' * 16}_{ZEROS}\x00",
        f"sf_{'0' * 16}\x00_{ZEROS}",
        f"sf_{'0' * 16}_\ud800",
        f"sf_{'%' * 16}_{ZEROS}",
        "sf_' OR 1=1 --_" + ZEROS,
        "sf_" + "0" * 100_000,
        "sf_eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
    ],
)
def test_what_cannot_be_a_key_is_refused_in_words(text: str, clean: None) -> None:
    for path in ("/v1/media", "/v1/me"):
        reply = holder(text).get(path, x_tenant_id="acme")
        assert (reply.status, reply.code) == (401, "api-key-invalid")
        assert reply.headers["www-authenticate"] == 'Bearer realm="socialflow"'


def test_a_key_that_is_nearly_right_is_refused(made_key: MadeKey) -> None:
    one, other = made_key("media:read"), made_key("media:read")
    prefix, secret = one["key"].split("_")[1:]
    wrong = next(digit for digit in "0123" if digit not in (secret[0], secret[-1]))
    for text in (
        f"sf_{prefix}_{secret[:-1]}{wrong}",
        f"sf_{prefix}_{wrong}{secret[1:]}",
        f"sf_{prefix}_{secret[:-1]}",
        f"sf_{prefix}_{secret.upper()}_",
        f"sf_{other['prefix']}_{secret}",
        f"sf_{prefix}_{ZEROS}",
    ):
        assert holder(text).get("/v1/media").code == "api-key-invalid"
    for scheme in ("Basic", "sf", "Token", ""):
        reply = Client({"authorization": f"{scheme} {one['key']}".strip()}).get("/v1/media", x_tenant_id="acme")
        assert (reply.status, reply.code) == (401, "token-invalid")


def test_a_secret_that_is_all_zeros_opens_no_row_that_is_not_there(clean: None) -> None:
    """What an unknown prefix is compared with must not be something that can be sent."""
    assert holder(f"sf_{'a' * 16}_{ZEROS}").get("/v1/media").code == "api-key-invalid"


def test_what_is_a_persons_own_takes_no_key(made_key: MadeKey) -> None:
    machine = holder(made_key(*SCOPES)["key"])
    for reply in (machine.get("/v1/me"), machine.patch("/v1/me", {"name": "Mine"})):
        assert (reply.status, reply.code) == (403, "people-only")


@pytest.mark.parametrize("scope", sorted(PERMISSIONS - SCOPES))
def test_a_scope_that_was_put_there_by_force_does_nothing(
    scope: str, made_key: MadeKey, owner: psycopg.Connection
) -> None:
    made = made_key("media:read")
    owner.execute("UPDATE control.api_keys SET scopes = %s", ([scope, "media:read"],))
    machine = holder(made["key"])
    assert machine.get("/v1/media").status == 200
    body = {"name": "Child", "scopes": ["media:read"]}
    assert machine.post("/v1/api-keys", body).code == "permission-denied"
    assert machine.delete(f"/v1/api-keys/{made['id']}").code == "permission-denied"


def test_an_expired_key_says_so(made_key: MadeKey, owner: psycopg.Connection, member: Member) -> None:
    made = made_key("media:read")
    owner.execute("UPDATE control.api_keys SET created_at = created_at - interval '91 d', expires_at = now()")
    assert holder(made["key"]).get("/v1/media").code == "api-key-expired"
    assert member("owner").get(f"/v1/api-keys/{made['id']}").json["state"] == "expired"
    assert holder(made["key"][:-2] + "zz").get("/v1/media").code == "api-key-invalid", "only its holder is told"


def test_a_revoked_key_is_refused_from_the_next_request_on(made_key: MadeKey, member: Member) -> None:
    made = made_key("media:read")
    assert holder(made["key"]).get("/v1/media").status == 200
    assert member("admin").delete(f"/v1/api-keys/{made['id']}").status == 204
    assert holder(made["key"]).get("/v1/media").code == "api-key-revoked"
    revoked = member("admin").get(f"/v1/api-keys/{made['id']}").json
    assert revoked["state"] == "revoked"
    assert member("admin").delete(f"/v1/api-keys/{made['id']}").status == 204
    assert member("admin").get(f"/v1/api-keys/{made['id']}").json == revoked, "the first time stands"


def test_a_key_of_another_tenant_is_not_there(made_key: MadeKey, member: Member) -> None:
    made, theirs = made_key("media:read"), member("owner", "contoso")
    for reply in (theirs.get(f"/v1/api-keys/{made['id']}"), theirs.delete(f"/v1/api-keys/{made['id']}")):
        assert (reply.status, reply.code) == (404, "not-found")
    assert theirs.get("/v1/api-keys").json["items"] == []
    assert holder(made["key"]).get("/v1/media").status == 200


def test_a_key_loses_what_its_maker_loses(
    made_key: MadeKey, owner: psycopg.Connection, member: Member, acme: Tenant
) -> None:
    made = made_key("media:read", "settings:read", by="admin")
    machine = holder(made["key"])
    assert machine.get("/v1/api-keys").status == 200
    role = "UPDATE control.members SET role = %s WHERE tenant_id = %s AND user_id = %s"
    owner.execute(role, ("viewer", acme.id, made["created_by"]))
    try:
        assert machine.get("/v1/api-keys").code == "permission-denied"
        assert machine.get("/v1/media").status == 200
        shown = member("owner").get(f"/v1/api-keys/{made['id']}").json
        assert (shown["scopes"], shown["permissions"]) == (["media:read", "settings:read"], ["media:read"])
    finally:
        owner.execute(role, ("admin", acme.id, made["created_by"]))
    assert machine.get("/v1/api-keys").status == 200


def test_a_key_whose_maker_has_left_is_refused_with_the_reason(
    made_key: MadeKey, owner: psycopg.Connection, member: Member, acme: Tenant
) -> None:
    made = made_key("media:read", by="admin")
    who = (acme.id, made["created_by"])
    owner.execute("DELETE FROM control.members WHERE tenant_id = %s AND user_id = %s", who)
    try:
        assert holder(made["key"]).get("/v1/media").code == "api-key-orphaned"
        assert member("owner").get(f"/v1/api-keys/{made['id']}").json["state"] == "orphaned"
    finally:
        owner.execute("INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, 'admin')", who)


def test_a_key_whose_makers_account_was_deleted_is_refused(made_key: MadeKey, owner: psycopg.Connection) -> None:
    made = made_key("media:read", by="admin")
    owner.execute("UPDATE control.users SET deleted_at = now(), name = '' WHERE id = %s", (made["created_by"],))
    assert holder(made["key"]).get("/v1/media").code == "api-key-orphaned"


def test_a_suspended_tenants_key_reads(made_key: MadeKey, owner: psycopg.Connection) -> None:
    machine = holder(made_key("media:read", "media:write")["key"])
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert machine.get("/v1/media").status == 200
    assert machine.post("/v1/media/uploads", UPLOAD).code == "tenant-suspended"


def test_a_deleted_tenants_key_opens_nothing(made_key: MadeKey, owner: psycopg.Connection) -> None:
    machine = holder(made_key("media:read")["key"])
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'acme'")
    assert machine.get("/v1/media").code == "not-a-member"
    assert machine.get("/v1/media", x_tenant_id="acme").code == "not-a-member"


def test_the_last_use_is_noted_once_a_minute(made_key: MadeKey, owner: psycopg.Connection, member: Member) -> None:
    made = made_key("media:read")
    assert made["last_used_at"] is None

    def used() -> datetime:
        holder(made["key"]).get("/v1/media")
        return datetime.fromisoformat(member("owner").get(f"/v1/api-keys/{made['id']}").json["last_used_at"])

    first = used()
    assert used() == first
    owner.execute("UPDATE control.api_keys SET last_used_at = now() - interval '61 s'")
    assert used() > first


def test_who_is_refused_leaves_no_use(made_key: MadeKey, member: Member) -> None:
    made = made_key("media:read")
    holder(made["key"]).get("/v1/media", x_tenant_id="contoso")
    holder(f"sf_{made['prefix']}_{ZEROS}").get("/v1/media")
    assert member("owner").get(f"/v1/api-keys/{made['id']}").json["last_used_at"] is None


def test_a_key_is_the_author_of_what_it_makes(made_key: MadeKey, owner: psycopg.Connection) -> None:
    made = made_key("media:read", "media:write", name="Importer")
    reply = holder(made["key"]).post("/v1/media/uploads", UPLOAD)
    assert reply.status == 201
    row = owner.execute("SELECT created_by::text FROM t_acme.media_items").fetchone()
    assert row == (made["id"],)
    actor = acting()
    assert (actor.kind, str(actor.id), actor.name) == ("key", made["id"], "Importer")


def test_the_application_cannot_change_what_a_key_may(made_key: MadeKey) -> None:
    made_key("media:read")
    for change in ("scopes = '{settings:manage}'", "secret_sha256 = '\\x00'", "expires_at = now()"):
        with pytest.raises(InsufficientPrivilege), control() as connection:
            connection.execute(f"UPDATE control.api_keys SET {change}")
