"""Who somebody is, and that they are no more: Clerk's word ends alike in whichever order it comes."""

import itertools
from typing import Any

import psycopg
import pytest

from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer
from tests.integration.identity.conftest import Look
from tests.svix import Clerk, taken

CLERK = Clerk()


def me(issuer: Issuer, subject: str, **claims: Any) -> Any:
    return Client({"authorization": f"Bearer {issuer.token(subject, **claims)}"}).get("/v1/me")


# People


def test_a_person_is_known_by_the_verified_primary_address(clean: None, person: Look) -> None:
    taken(CLERK.user("user_1", 1, kind="created", last_name="Lovelace"))
    assert person("user_1") == ("user_1@clerk.test", "Ada Lovelace", False)
    taken(CLERK.user("user_2", 1, email_addresses=[{"id": "idn_1", "email_address": "a@b.test", "verification": None}]))
    taken(CLERK.user("user_3", 1, primary_email_address_id="idn_2"))
    taken(CLERK.user("user_4", 1, email_addresses=[7, {"id": []}], first_name={"a": 1}))
    assert [person(f"user_{number}")[0] for number in (2, 3, 4)] == ["", "", ""]


def test_the_first_sign_in_finds_whom_clerk_has_announced(clean: None, issuer: Issuer, person: Look) -> None:
    taken(CLERK.user("user_1", 1))
    reply = me(issuer, "user_1")
    assert (reply.status, reply.json["email"], reply.json["name"]) == (200, "user_1@clerk.test", "Ada")


def test_a_person_of_another_issuer_is_another(clean: None, owner: psycopg.Connection) -> None:
    values = ("01890a5d-ac96-774b-bcce-b302099a8057", "https://other.test", "user_1")
    owner.execute("INSERT INTO control.users (id, issuer, subject) VALUES (%s, %s, %s)", values)
    taken(CLERK.user("user_1", 1), CLERK.user_deleted("user_1", 2))
    found = owner.execute("SELECT deleted_at FROM control.users WHERE id = %s", values[:1]).fetchone()
    assert found == (None,)


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(3))))
def test_who_somebody_is_does_not_depend_on_the_order(clean: None, person: Look, arrival: tuple[int, ...]) -> None:
    history = [
        CLERK.user("user_1", 1, kind="created"),
        CLERK.user("user_1", 2, first_name="Augusta"),
        CLERK.user("user_1", 3, first_name="Augusta Ada", email_addresses=[]),
    ]
    taken(*(history[number] for number in arrival))
    assert person("user_1") == ("user_1@clerk.test", "Augusta Ada", False)


def test_a_name_that_the_person_chose_is_not_clerks_to_change(stranger: Client, person: Look) -> None:
    stranger.patch("/v1/me", {"name": "Chosen"})
    taken(CLERK.user("a-stranger", 86_400_000))
    assert person("a-stranger") == ("a-stranger@clerk.test", "Chosen", False)


# The end of a person


def test_who_is_deleted_is_forgotten_belongs_nowhere_and_does_not_come_in(
    linked: Tenant, issuer: Issuer, person: Look, role: Look
) -> None:
    taken(CLERK.user("user_1", 1), CLERK.member("user_1", 2))
    assert (me(issuer, "user_1").status, role("user_1")) == (200, "editor")
    taken(CLERK.user_deleted("user_1", 3))
    assert (person("user_1"), role("user_1")) == (("", "", True), None)
    reply = me(issuer, "user_1", email="user_1@clerk.test")
    assert (reply.status, reply.code) == (401, "account-deleted")
    assert person("user_1") == ("", "", True)


def test_who_was_never_here_is_kept_out_too(clean: None, issuer: Issuer, person: Look) -> None:
    taken(CLERK.user_deleted("user_9", 1))
    assert me(issuer, "user_9").code == "account-deleted"
    assert person("user_9") == ("", "", True)


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(4))))
def test_nothing_brings_a_deleted_person_back(
    linked: Tenant, person: Look, role: Look, arrival: tuple[int, ...]
) -> None:
    history = [
        CLERK.user("user_1", 1, kind="created"),
        CLERK.member("user_1", 2, kind="created"),
        CLERK.user_deleted("user_1", 3),
        CLERK.user("user_1", 4),
    ]
    taken(*(history[number] for number in arrival))
    assert (person("user_1"), role("user_1")) == (("", "", True), None)


def test_a_deleted_person_leaves_every_tenant_but_the_one_that_nobody_else_owns(
    linked: Tenant, contoso: Tenant, role: Look, owner: psycopg.Connection
) -> None:
    add = "INSERT INTO control.members SELECT t.id, u.id, 'admin' FROM control.tenants t, control.users u"
    owner.execute(f"{add} WHERE t.slug = 'contoso' AND u.subject = 'acme-owner'")
    taken(CLERK.user_deleted("acme-owner", 1))
    assert (role("acme-owner"), role("acme-owner", "contoso")) == ("owner", None)
