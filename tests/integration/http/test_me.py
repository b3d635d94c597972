"""One's own account: the first sign-in makes the user, once; tenants only by membership."""

import psycopg

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
