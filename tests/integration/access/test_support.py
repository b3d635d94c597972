"""Support access: an operator looks into one tenant as a viewer does, for some hours, and leaves a trace."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from functions.ops_support.handler import handler as ops_support
from functions.ops_suspend.handler import handler as ops_suspend
from functions.ops_verify_audit.handler import handler as ops_verify_audit
from socialflow.identity import support_service
from socialflow.identity.model import permissions_of
from socialflow.identity.support import PERMISSIONS, SupportEnded
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.access.conftest import holder
from tests.integration.audit.ledger import Line, lines, text_of
from tests.integration.conftest import Member

WHY = "Ticket 4711: captions are missing."
Given = dict[str, Any]


def give(**changed: Any) -> Given:
    told: Given = ops_support({"action": "grant", "tenant": "acme", "reason": WHY, "by": "nina", **changed}, None)
    return told


def bearer(told: Given) -> str:
    return str(told["header"].removeprefix("Authorization: Bearer "))


def looker(told: Given) -> Client:
    return holder(bearer(told))


def requests(owner: psycopg.Connection, acme: Tenant) -> list[Line]:
    found = lines(owner, "control", chain=str(acme.id))
    return [line for line in found if "last_request" in line.changes]


def test_an_operator_sees_what_a_viewer_sees_and_every_request_is_in_the_audit(
    acme: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    told = give()
    nina = looker(told)
    for path in ("/v1/media", "/v1/posts", "/v1/members", "/v1/media"):
        assert nina.get(path, x_request_id=f"looked-at{path}").json == member("viewer").get(path).json
    found = requests(owner, acme)
    assert [line.changes["last_request"][1] for line in found] == [
        "1: GET /v1/media",
        "2: GET /v1/posts",
        "3: GET /v1/members",
        "4: GET /v1/media",
    ]
    assert {(line.actor_kind, line.actor_name, line.address) for line in found} == {("operator", "nina", "192.0.2.1")}
    assert {str(line.actor_id) for line in found} == {line.subject_id for line in found} == {told["id"]}
    assert [line.request_id for line in found][2] == "looked-at/v1/members"
    shown = member("owner").get(f"/v1/audit?actor_kind=operator&subject_id={told['id']}").json["items"]
    assert len(shown) == 5
    assert ops_verify_audit({"tenant": "acme"}, None)["outcome"] == "intact"


def test_its_people_see_who_looks_why_and_how_often_and_end_it(
    acme: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    told, admin = give(hours=8), member("admin")
    nina = looker(told)
    assert nina.get("/v1/media").status == 200
    (shown,) = admin.get("/v1/support-access").json["items"]
    assert (shown["operator"], shown["reason"], shown["state"], shown["requests"]) == ("nina", WHY, "active", 1)
    path = f"/v1/support-access/{told['id']}"
    for role in ("viewer", "editor"):
        assert member(role).get("/v1/support-access").code == "permission-denied"
        assert member(role).delete(path).code == "permission-denied"
    assert member("owner", "contoso").delete(path).code == "not-found"
    assert nina.delete(path).code == "permission-denied"
    assert [admin.delete(path).status for _ in range(2)] == [204, 204]
    assert nina.get("/v1/media").code == "support-ended"
    assert nina.get("/v1/me").code == "support-ended"
    (shown,) = admin.get("/v1/support-access").json["items"]
    assert (shown["state"], shown["ended_by"]) == ("ended", "Admin of acme")
    last = lines(owner, "control", chain=str(acme.id))[-1]
    assert (last.actor_name, set(last.changes)) == ("Admin of acme", {"ended_at", "ended_by"})
    facts = owner.execute("SELECT type, aggregate_id FROM control.outbox ORDER BY position").fetchall()
    assert facts == [("tenant.support.granted", acme.id), ("tenant.support.ended", acme.id)]


def test_an_operator_ends_it_and_lists_what_works(acme: Tenant, contoso: Tenant) -> None:
    mine, theirs = give(), give(tenant="contoso", by="boris")
    listed = ops_support({"action": "list", "by": "nina"}, None)["grants"]
    assert [(each["tenant"], each["operator"]) for each in listed] == [("contoso", "boris"), ("acme", "nina")]
    assert "header" not in str(listed)
    (one,) = ops_support({"action": "list", "tenant": "acme", "by": "nina"}, None)["grants"]
    assert one["id"] == mine["id"]
    end = {"action": "end", "tenant": "acme", "id": mine["id"], "by": "nina"}
    assert ops_support(end, None) == {"outcome": "ended", "changed": True}
    assert ops_support(end, None) == {"outcome": "ended", "changed": False}
    assert looker(mine).get("/v1/media").code == "support-ended"
    assert looker(theirs).get("/v1/media").status == 200
    for ident in (theirs["id"], str(uuid4())):
        assert ops_support({**end, "id": ident}, None)["code"] == "not-found"
    for nonsense in ("x", None, 7):
        assert ops_support({**end, "id": nonsense}, None)["code"] == "invalid"


def test_when_the_hours_are_over_it_opens_nothing(acme: Tenant, member: Member, owner: psycopg.Connection) -> None:
    told = give()
    owner.execute("UPDATE control.support_grants SET created_at = created_at - interval '1 hour', expires_at = now()")
    nina = looker(told)
    assert (nina.get("/v1/media").status, nina.get("/v1/media").code) == (401, "support-expired")
    assert ops_support({"action": "end", "tenant": "acme", "id": told["id"], "by": "nina"}, None)["changed"] is False
    assert member("owner").get("/v1/support-access").json["items"][0]["state"] == "expired"
    assert requests(owner, acme) == []


def test_it_opens_one_tenant(acme: Tenant, contoso: Tenant) -> None:
    nina = looker(give())
    for own in ("acme", str(acme.id), str(acme.id).upper()):
        assert nina.get("/v1/tenant", x_tenant_id=own).json["slug"] == "acme"
    for other in ("contoso", str(contoso.id), "nobody", "' OR 1=1"):
        assert nina.get("/v1/tenant", x_tenant_id=other).code == "not-a-member"


def test_a_suspended_tenant_is_looked_into_and_ends_it_and_a_deleted_one_is_not(acme: Tenant, member: Member) -> None:
    told, other = give(), give(by="boris")
    ops_suspend({"action": "suspend", "slug": "acme", "reason": "An open invoice.", "by": "nina"}, None)
    assert looker(told).get("/v1/media").status == 200
    assert member("admin").delete(f"/v1/support-access/{told['id']}").status == 204
    assert looker(told).get("/v1/media").code == "support-ended"
    ops_suspend({"action": "resume", "slug": "acme", "by": "nina"}, None)
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    assert looker(other).get("/v1/media").code == "not-a-member"
    assert looker(other).get("/v1/media", x_tenant_id="acme").code == "not-a-member"
    assert give()["code"] == "unknown-tenant"


def test_people_who_refuse_it_are_left_alone(acme: Tenant, member: Member) -> None:
    nina, admin = looker(give()), member("admin")
    assert admin.get("/v1/tenant").json["settings"]["support_access"] == "allowed"
    assert admin.patch("/v1/tenant", {"settings": {"support_access": "refused"}}, if_match="*").status == 200
    assert (nina.get("/v1/media").status, nina.get("/v1/media").code) == (403, "support-refused")
    assert give()["code"] == "support-refused"
    assert looker(give(tenant="contoso")).get("/v1/media").status == 200
    assert admin.patch("/v1/tenant", {"settings": {"support_access": "allowed"}}, if_match="*").status == 200
    assert nina.get("/v1/media").status == 200
    wrong = admin.patch("/v1/tenant", {"settings": {"support_access": "maybe"}}, if_match="*")
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/settings/support_access")


def test_it_is_about_a_tenant_and_no_person(acme: Tenant) -> None:
    nina = looker(give())
    for path in ("/v1/me", "/v1/me/queue", "/v1/tenants"):
        assert (nina.get(path).status, nina.get(path).code) == (403, "people-only")
    assert nina.post("/v1/tenants/acme/leave").code == "people-only"


def test_what_was_uploaded_is_shown_and_not_taken_along(acme: Tenant) -> None:
    nina = looker(give())
    where = f"/v1/media/{uuid4()}/download"
    for original in (where, f"{where}?variant=original"):
        assert (nina.get(original).status, nina.get(original).code) == (403, "support-only-looks")
    assert nina.get(f"{where}?variant=thumb").status == 404


def test_it_has_a_viewers_permissions() -> None:
    assert permissions_of("viewer") == PERMISSIONS


@pytest.mark.parametrize(
    "wrong",
    [
        *({"hours": hours} for hours in (0, 9, -1, 1.5, "2", True, None, [1], 10**30)),
        *({"reason": reason} for reason in ("", "  ", None, 7, ["x"], "x" * 501, "a\x00b", "a\x1bb")),
    ],
    ids=repr,
)
def test_what_cannot_be_given_is_refused_in_words(acme: Tenant, owner: psycopg.Connection, wrong: Given) -> None:
    assert give(**wrong)["code"] == "unusable-grant"
    assert owner.execute("SELECT count(*) FROM control.support_grants").fetchone() == (0,)


def test_the_credential_is_kept_nowhere(acme: Tenant, owner: psycopg.Connection) -> None:
    told = give()
    secret = bearer(told).rpartition("_")[2]
    looker(told).get("/v1/media")
    kept = owner.execute("SELECT g::text FROM control.support_grants g").fetchall()
    facts = owner.execute("SELECT o::text FROM control.outbox o").fetchall()
    assert re.fullmatch(r"sfs_[0-9a-f]{16}_[0-9a-f]{64}", bearer(told))
    assert secret not in str(kept) + str(facts) + text_of(owner, "control")
    assert lines(owner, "control", chain=str(acme.id))[0].changes["secret_sha256"] == [None, "(hidden)"]


@pytest.mark.parametrize("change", ["other secret", "other prefix", "as an API key", "cut", "longer", "upper case"])
def test_what_only_looks_like_one_is_refused(acme: Tenant, change: str) -> None:
    _, prefix, secret = bearer(give()).split("_")
    text, code = {
        "other secret": (f"sfs_{prefix}_{'0' * 64}", "support-invalid"),
        "other prefix": (f"sfs_{'0' * 16}_{secret}", "support-invalid"),
        "as an API key": (f"sf_{prefix}_{secret}", "api-key-invalid"),
        "cut": (f"sfs_{prefix}_{secret[:-1]}", "support-invalid"),
        "longer": (f"sfs_{prefix}_{secret}0", "support-invalid"),
        "upper case": (f"sfs_{prefix}_{secret.upper()}", "support-invalid"),
    }[change]
    for path in ("/v1/media", "/v1/me"):
        reply = holder(text).get(path)
        assert (reply.status, reply.code) == (401, code)


def test_no_function_that_answers_requests_can_give_it(acme: Tenant) -> None:
    give()
    for statement in (
        "INSERT INTO control.support_grants SELECT * FROM control.support_grants",
        "UPDATE control.support_grants SET expires_at = now() + interval '1 year'",
        "UPDATE control.support_grants SET reason = 'another'",
        "UPDATE control.support_grants SET secret_sha256 = ''",
        "DELETE FROM control.support_grants",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), control() as connection:
            connection.execute(statement)


def test_of_many_requests_at_once_each_is_noted(acme: Tenant, owner: psycopg.Connection) -> None:
    grant_id = UUID(give()["id"])

    def ask(_: int) -> None:
        try:
            with control() as connection:
                support_service.note(connection, grant_id, "GET /v1/media", at=now())
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(32)))
    numbers = [int(line.changes["last_request"][1].partition(":")[0]) for line in requests(owner, acme)]
    assert sorted(numbers) == list(range(1, 33))


def test_a_grant_that_is_ended_between_the_two_looks_at_it_opens_nothing(acme: Tenant) -> None:
    grant_id = UUID(give()["id"])
    with control() as connection:
        assert support_service.end(connection, acme, grant_id, by="Owner", at=now())
    with pytest.raises(SupportEnded), control() as connection:
        support_service.note(connection, grant_id, "GET /v1/media", at=now())


def test_a_path_that_nobody_can_keep_is_kept_as_far_as_it_goes(acme: Tenant, owner: psycopg.Connection) -> None:
    grant_id = UUID(give()["id"])
    with control() as connection:
        support_service.note(connection, grant_id, "GET /a\x00b\ud800" + "x" * 600, at=now())
    (line,) = requests(owner, acme)
    assert line.changes["last_request"][1].startswith("1: GET /ab?xxx")
    assert len(line.changes["last_request"][1]) == 503


def test_a_request_that_is_refused_is_noted_too(acme: Tenant, owner: psycopg.Connection) -> None:
    nina = looker(give())
    assert nina.post("/v1/api-keys", {"name": "x", "scopes": ["media:read"]}).code == "permission-denied"
    assert nina.get("/v1/audit").code == "permission-denied"
    assert [line.changes["last_request"][1] for line in requests(owner, acme)] == [
        "1: POST /v1/api-keys",
        "2: GET /v1/audit",
    ]


def test_a_list_goes_from_page_to_page(acme: Tenant, contoso: Tenant, member: Member) -> None:
    ids = [give()["id"] for _ in range(3)]
    give(tenant="contoso")
    admin = member("admin")
    first = admin.get("/v1/support-access?limit=2").json
    second = admin.get(f"/v1/support-access?limit=2&cursor={first['next_cursor']}").json
    assert [one["id"] for one in (*first["items"], *second["items"])] == ids[::-1]
    assert second["next_cursor"] is None
