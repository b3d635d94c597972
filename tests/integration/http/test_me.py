"""One's own account: the first sign-in makes the user, once; tenants only by membership."""

import time
from typing import Any

import psycopg
import pytest

from socialflow.identity.model import permissions_of
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer
from tests.integration.conftest import Member


def test_me_lists_the_tenants_with_role_and_permissions(editor: Client, acme: Tenant) -> None:
    reply = editor.get("/v1/me")
    assert reply.status == 200
    assert reply.json["email"] == "editor@acme.test"
    assert reply.json["memberships"] == [
        {
            "tenant": str(acme.id),
            "slug": "acme",
            "name": "Acme",
            "status": "active",
            "role": "editor",
            "permissions": sorted(permissions_of("editor")),
        }
    ]


def test_me_needs_no_tenant(member: Member) -> None:
    client = member("owner", "contoso")
    alone = Client({"authorization": client.headers["authorization"]})
    assert alone.get("/v1/me").json["memberships"][0]["slug"] == "contoso"


def test_the_first_sign_in_makes_the_user_and_the_next_finds_it(stranger: Client, owner: psycopg.Connection) -> None:
    first = stranger.get("/v1/me").json
    assert first == stranger.get("/v1/me").json
    assert (first["email"], first["name"], first["memberships"]) == ("stranger@nowhere.test", "A Stranger", [])
    counted = owner.execute("SELECT count(*) FROM control.users WHERE subject = 'a-stranger'").fetchone()
    assert counted == (1,)


def test_a_user_changes_the_name_and_nothing_else(stranger: Client) -> None:
    reply = stranger.patch("/v1/me", {"name": "  Zoë 🌱 "})
    assert (reply.status, reply.json["name"]) == (200, "Zoë 🌱")
    assert stranger.get("/v1/me").json["name"] == "Zoë 🌱"
    refused = stranger.patch("/v1/me", {"email": "other@acme.test", "name": "x"})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/email")


def test_a_name_of_nothing_or_of_control_characters_is_refused(stranger: Client) -> None:
    for name in ("   ", "a\nb", "\u202egpj.exe", "x" * 201, ""):
        refused = stranger.patch("/v1/me", {"name": name})
        assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/name"), name


def test_a_name_given_here_survives_the_issuers_own(stranger: Client, issuer: Issuer) -> None:
    stranger.patch("/v1/me", {"name": "Chosen"})
    token = issuer.token("a-stranger", name="Of the issuer")
    assert Client({"authorization": f"Bearer {token}"}).get("/v1/me").json["name"] == "Chosen"


def test_the_address_follows_the_issuer_and_is_written_only_when_it_changes(
    issuer: Issuer, stranger: Client, owner: psycopg.Connection
) -> None:
    def row() -> tuple[object, ...] | None:
        return owner.execute("SELECT xmin::text, email FROM control.users WHERE subject = 'a-stranger'").fetchone()

    def with_email(email: str, at: int) -> str:
        token = issuer.token("a-stranger", email=email, iat=at)
        return str(Client({"authorization": f"Bearer {token}"}).get("/v1/me").json["email"])

    now = int(time.time())
    stranger.get("/v1/me")
    before = row()
    stranger.get("/v1/me")
    assert row() == before
    assert with_email("new@nowhere.test", now + 5) == "new@nowhere.test"
    assert with_email("stranger@nowhere.test", now - 30) == "new@nowhere.test"  # a token of before
    after = row()
    assert after is not None
    assert after[1] == "new@nowhere.test"


def test_language_and_zone_are_kept_and_what_is_left_out_stays(stranger: Client) -> None:
    reply = stranger.patch("/v1/me", {"locale": "pt-BR", "time_zone": "America/Sao_Paulo"})
    assert (reply.status, reply.json["name"]) == (200, "A Stranger")
    assert stranger.patch("/v1/me", {"name": "Ana"}).status == 200
    found = stranger.get("/v1/me").json
    assert (found["name"], found["locale"], found["time_zone"]) == ("Ana", "pt-BR", "America/Sao_Paulo")
    assert stranger.patch("/v1/me", {"locale": ""}).json["locale"] == ""


def test_a_language_alone_leaves_the_name_to_the_issuer(stranger: Client, issuer: Issuer) -> None:
    stranger.patch("/v1/me", {"locale": "de"})
    token = issuer.token("a-stranger", name="Of the issuer", iat=int(time.time()) + 5)
    assert Client({"authorization": f"Bearer {token}"}).get("/v1/me").json["name"] == "Of the issuer"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"locale": "german"}, "/locale"), ({"time_zone": "Berlin"}, "/time_zone"), ({"time_zone": 2}, "/time_zone"),
     ({}, "/name")],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_with_its_place(
    stranger: Client, body: dict[str, object], pointer: str
) -> None:
    refused = stranger.patch("/v1/me", body)
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_who_was_deleted_is_refused_everywhere_while_the_last_token_lives(
    member: Member, owner: psycopg.Connection
) -> None:
    editor = member("editor")
    assert editor.get("/v1/media").status == 200
    owner.execute("UPDATE control.users SET deleted_at = now() WHERE subject = 'acme-editor'")
    for reply in (editor.get("/v1/me"), editor.get("/v1/media"), editor.patch("/v1/me", {"name": "Back"})):
        assert (reply.status, reply.code) == (401, "account-deleted")


@pytest.mark.parametrize("claims", [{"v": 2, "o": {"id": "org_1"}}, {"org_id": "org_1"}])
def test_the_tenant_of_the_tokens_organization_is_told_to_its_members_alone(
    issuer: Issuer, acme: Tenant, owner: psycopg.Connection, claims: dict[str, Any]
) -> None:
    def active(subject: str) -> object:
        token = issuer.token(subject, **claims)
        return Client({"authorization": f"Bearer {token}"}).get("/v1/me").json["active_tenant"]

    assert active("acme-editor") is None
    owner.execute("INSERT INTO control.clerk_organizations (id, tenant_id) VALUES ('org_1', %s)", (acme.id,))
    assert active("acme-editor") == "acme"
    assert active("contoso-owner") is None
