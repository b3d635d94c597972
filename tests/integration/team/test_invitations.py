"""Invitations: mailed after the commit, used once, within the seats; the token is in the mail and nowhere else."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import pytest

from functions.on_user_invited.handler import handler as on_user_invited
from socialflow.entitlements.model import limit
from socialflow.errors import Refusal
from socialflow.identity import clerk, directory, door
from socialflow.platform.caller import Membership, User
from socialflow.platform.clock import now
from socialflow.platform.database import Connection, control
from socialflow.team import invitations, model
from tests.api import Client
from tests.conftest import ISSUER
from tests.integration.conftest import Member
from tests.integration.team.conftest import Person, Post, invited, link_of
from tests.integration.tenants.conftest import Registry, at_once
from tests.svix import Clerk


def user(client: Client) -> User:
    """Return who a client is."""
    me = client.get("/v1/me").json
    return User(UUID(me["id"]), me["email"], me["name"])


def accepted(client: Client, token: str) -> tuple[int, str]:
    """Accept, and return how it went."""
    reply = client.post("/v1/invitations/accept", {"token": token})
    return reply.status, reply.code


def test_the_link_makes_its_holder_a_member_once(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    made = invited(member("admin"))
    assert (made.json["state"], made.json["sent_at"]) == ("open", None)
    token = post.token()
    assert member("owner").get("/v1/invitations").json["items"][0]["sent_at"] is not None
    nina = person("nina")
    joined = nina.post("/v1/invitations/accept", {"token": token})
    assert (joined.status, joined.json["slug"], joined.json["role"]) == (200, "acme", "editor")
    inside = person("nina", "acme")
    assert inside.get("/v1/media").status == 200
    assert nina.post("/v1/invitations/accept", {"token": token}).json == joined.json, "a repeat is answered alike"
    assert accepted(person("boris"), token) == (409, "invitation-closed")
    assert person("boris").get("/v1/tenants").json["items"] == []
    assert member("owner").get("/v1/invitations").json["items"] == []
    assert [kind for _tenant, kind in registry.facts()] == ["user.invited", "user.joined"]


def test_who_was_removed_does_not_come_back_by_the_old_link(member: Member, person: Person, post: Post) -> None:
    invited(member("admin"))
    token, nina = post.token(), person("nina")
    assert accepted(nina, token)[0] == 200
    assert member("owner").delete(f"/v1/members/{user(nina).id}").status == 204
    assert accepted(nina, token) == (409, "invitation-closed")
    assert person("nina", "acme").get("/v1/media").code == "not-a-member"


def test_the_token_is_in_the_mail_and_nowhere_else(
    member: Member, person: Person, post: Post, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    registry = post.registry
    made = invited(member("admin"))
    token = post.token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    wrong = person("nina").post("/v1/invitations/accept", {"token": token[:-1] + "_"})
    rows = registry.owner.execute("SELECT i::text FROM control.invitations i").fetchall()
    told = member("owner").get("/v1/invitations").text
    assert accepted(person("nina"), token)[0] == 200
    captured = capfd.readouterr()
    everything = json.dumps([made.text, told, wrong.text, str(rows), registry.said(), captured.out, captured.err])
    assert token not in everything + caplog.text
    assert "nina@new.test" not in registry.said(), "a fact has no address"
    stored = registry.value("SELECT token_sha256 FROM control.invitations")
    assert bytes(stored) == model.token_sha256(token)


def test_the_mail_is_plain_and_says_who_where_and_until_when(member: Member, post: Post, registry: Registry) -> None:
    hostile = "Bank.example https://evil.test/login"
    assert member("admin").patch("/v1/tenant", {"name": hostile}, if_match="*").status == 200
    invited(member("admin"), "Nina@New.test")
    post.deliver()
    (mail,) = post.sent
    assert (mail["To"], mail["From"]) == ("Nina@new.test", "no-reply@socialflow.example")
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "https://app.test/invitations#token=" in text
    assert text.count("://") == 1
    assert "evil.test" not in text
    assert "Admin of acme invites" in text


def test_a_fact_that_comes_twice_mails_once_and_a_failed_mail_is_the_same_link(
    member: Member, person: Person, post: Post
) -> None:
    invited(member("admin"))
    post.closed = True
    (event,) = post.events()
    with pytest.raises(RuntimeError):
        on_user_invited(event, None)
    post.closed = False
    assert post.deliver() == [True]
    assert post.deliver() == [False]
    assert len(post.sent) == 1
    assert accepted(person("nina"), post.token())[0] == 200


def test_a_mail_that_left_before_its_note_was_written_agrees_with_the_one_after(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    invited(member("admin"))
    first = post.token()
    registry.owner.execute("UPDATE control.invitations SET sent_at = NULL")
    assert post.token() == first
    assert len(post.sent) == 2


def test_resending_kills_the_link_of_before(member: Member, person: Person, post: Post, registry: Registry) -> None:
    admin = member("admin")
    made = invited(admin).json["id"]
    old = post.token()
    soon = admin.post(f"/v1/invitations/{made}/resend")
    assert (soon.status, soon.code) == (429, "too-many-invitations")
    assert 0 < int(soon.headers["retry-after"]) <= 60
    registry.owner.execute("UPDATE control.invitations SET asked_at = asked_at - interval '2 minutes'")
    again = admin.post(f"/v1/invitations/{made}/resend")
    assert (again.status, again.json["sent_at"]) == (202, None)
    assert accepted(person("nina"), old) == (404, "unknown-invitation")
    assert post.deliver() == [False, True], "the fact of the first round mails nothing any more"
    new = post.token()
    assert new != old
    assert accepted(person("nina"), new)[0] == 200
    registry.owner.execute("UPDATE control.invitations SET asked_at = asked_at - interval '2 minutes'")
    assert admin.post(f"/v1/invitations/{made}/resend").code == "invitation-closed"


def test_a_revoked_or_expired_link_is_dead_and_frees_its_seat(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    admin = member("admin")
    made = invited(admin).json["id"]
    token = post.token()
    assert admin.delete(f"/v1/invitations/{made}").status == 204
    assert admin.delete(f"/v1/invitations/{made}").status == 204
    assert accepted(person("nina"), token) == (404, "unknown-invitation")
    second = invited(admin).json["id"]
    token = post.token()
    registry.owner.execute("UPDATE control.invitations SET expires_at = now(), asked_at = now() - interval '1 hour'")
    assert accepted(person("nina"), token) == (409, "invitation-closed")
    assert [one["state"] for one in admin.get("/v1/invitations").json["items"]] == ["expired"]
    assert admin.post(f"/v1/invitations/{second}/resend").status == 202
    assert accepted(person("nina"), post.token())[0] == 200
    assert admin.delete(f"/v1/invitations/{second}").code == "invitation-closed"


def test_a_revoked_invitation_that_was_not_mailed_yet_is_never_mailed(member: Member, post: Post) -> None:
    made = invited(member("admin")).json["id"]
    assert member("admin").delete(f"/v1/invitations/{made}").status == 204
    assert post.deliver() == [False]
    assert post.sent == []


def test_sixteen_at_once_use_a_link_once(member: Member, person: Person, post: Post, registry: Registry) -> None:
    invited(member("admin"))
    token = post.token()
    people = [user(person(f"person{number}")) for number in range(16)]

    def accept(one: User) -> str:
        try:
            with control() as connection:
                invitations.accept(connection, token, one, at=now())
        except Refusal as refusal:
            return refusal.code
        return "joined"

    assert Counter(at_once([partial(accept, one) for one in people])) == {"joined": 1, "invitation-closed": 15}
    assert registry.value("SELECT count(*) FROM control.members WHERE role = 'editor'") == 2


def test_seats_are_never_exceeded_by_sixteen_at_once(member: Member, post: Post, registry: Registry) -> None:
    registry.owner.execute("UPDATE control.tenants SET plan = 'pro'")
    most = limit("pro", "seats")
    assert most == 10
    admin = member("admin")
    who = _membership(admin)

    def invite(number: int) -> str:
        try:
            with control() as connection:
                invitations.invite(connection, who, invitations.Wish(f"n{number}@new.test", "viewer"), at=now())
        except Refusal as refusal:
            return refusal.code
        return "invited"

    assert Counter(at_once([partial(invite, number) for number in range(16)])) == {"invited": 6, "limit-reached": 10}
    refused = admin.post("/v1/invitations", {"email": "one@more.test", "role": "viewer"})
    assert (refused.status, refused.json["limit"], refused.json["used"]) == (402, 10, 10)
    first = admin.get("/v1/invitations").json["items"][0]["id"]
    assert admin.delete(f"/v1/invitations/{first}").status == 204
    assert admin.post("/v1/invitations", {"email": "one@more.test", "role": "viewer"}).status == 201


def _membership(client: Client) -> Membership:
    return door.admit(client.headers["authorization"], client.headers["x-tenant-id"])


def test_after_a_downgrade_nobody_joins_beyond_the_seats(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    invited(member("admin"))
    token = post.token()
    registry.owner.execute("UPDATE control.tenants SET plan = 'free'")
    acme = registry.value("SELECT id FROM control.tenants WHERE slug = 'acme'")
    joins = "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, 'viewer')"
    registry.owner.execute(joins, (acme, user(person("extra")).id))
    assert accepted(person("nina"), token) == (402, "limit-reached")
    registry.owner.execute("UPDATE control.tenants SET plan = 'pro'")
    assert accepted(person("nina"), token)[0] == 200, "the link was not used up"


def test_of_sixteen_who_come_in_at_once_the_last_seat_is_ones(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    """By eight links and by eight words of Clerk's, after a downgrade that leaves one seat."""
    acme = registry.value("SELECT id FROM control.tenants WHERE slug = 'acme'")
    directory.link(registry.owner, "org_1", acme)
    for number in range(8):
        invited(member("admin"), f"n{number}@new.test")
    post.deliver()
    people = [user(person(f"person{number}")) for number in range(8)]

    def by_link(number: int) -> str:
        return refusal_of(lambda c: invitations.accept(c, link_of(post.sent[number]), people[number], at=now()))

    def by_clerk(number: int) -> str:
        statement = clerk.read(Clerk().member(f"clerk_{number}", 1))
        assert statement is not None
        return refusal_of(lambda c: directory.take(c, ISSUER, statement))

    registry.owner.execute("UPDATE control.tenants SET plan = 'free'")
    calls = [partial(way, number) for number in range(8) for way in (by_link, by_clerk)]
    assert Counter(at_once(calls)) == {"": 1, "limit-reached": 15}
    assert registry.value("SELECT count(*) FROM control.members WHERE tenant_id = %s", acme) == limit("free", "seats")


def refusal_of(use_case: Callable[[Connection], object]) -> str:
    """Return why a use case refused; empty where it was done."""
    try:
        with control() as connection:
            use_case(connection)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_nobody_gives_more_than_their_own_role(member: Member, registry: Registry) -> None:
    for role in ("viewer", "editor"):
        assert member(role).post("/v1/invitations", {"email": "a@b.test", "role": "viewer"}).status == 403
    refused = member("admin").post("/v1/invitations", {"email": "a@b.test", "role": "owner"})
    assert (refused.status, refused.code) == (403, "role-too-high")
    owners = invited(member("owner"), role="owner").json["id"]
    registry.owner.execute("UPDATE control.invitations SET asked_at = asked_at - interval '1 hour'")
    assert member("admin").delete(f"/v1/invitations/{owners}").code == "role-too-high"
    assert member("admin").post(f"/v1/invitations/{owners}/resend").code == "role-too-high"
    assert member("viewer").get("/v1/invitations").status == 403


def test_what_is_there_already_is_said(member: Member, person: Person, post: Post) -> None:
    admin, chosen = member("admin"), str(uuid4())
    assert admin.post("/v1/invitations", {"email": "EDITOR@acme.test", "role": "viewer"}).code == "already-member"
    body = {"id": chosen, "email": "nina@new.test", "role": "viewer"}
    assert [admin.post("/v1/invitations", body).status for _ in range(2)] == [201, 200]
    twice = admin.post("/v1/invitations", {"email": "NINA@new.test", "role": "viewer"})
    assert (twice.code, twice.json["invitation"]) == ("already-invited", chosen)
    assert admin.post("/v1/invitations", {**body, "role": "editor"}).code == "invitation-id-taken"
    assert member("owner", "contoso").post("/v1/invitations", body).code == "invitation-id-taken"
    assert accepted(member("viewer"), post.token()) == (409, "already-member")
    assert accepted(person("nina"), post.token())[0] == 200, "it was not used up"


@pytest.mark.parametrize(
    "address",
    [
        "nina",
        "@new.test",
        "nina@",
        "nina@test",
        "nina@new..test",
        "nina @new.test",
        "nina@new.test\nBcc: all@x.test",
        "Nina <nina@new.test>",
        "a@b.test,c@d.test",
        "n\u0131na\u202e@new.test",
        "nina@[127.0.0.1]",
        "x" * 65 + "@new.test",
    ],
)
def test_an_address_that_no_mail_reaches_is_refused(member: Member, address: str) -> None:
    reply = member("admin").post("/v1/invitations", {"email": address, "role": "viewer"})
    assert (reply.status, reply.code) == (422, "unusable-address")


@pytest.mark.parametrize("role", ["root", "Owner", "", "owner "])
def test_a_role_that_is_none_is_refused(member: Member, role: str) -> None:
    assert member("owner").post("/v1/invitations", {"email": "a@b.test", "role": role}).status == 422


@pytest.mark.parametrize("token", ["x", "A" * 43, "' OR 1=1 --", "é" * 43])
def test_a_token_that_was_not_given_opens_nothing(person: Person, token: str) -> None:
    assert accepted(person("nina"), token) == (404, "unknown-invitation")
    assert Client().post("/v1/invitations/accept", {"token": token}).status == 401


def test_another_tenants_invitation_is_not_there(member: Member, post: Post) -> None:
    made, stranger = invited(member("admin")).json["id"], member("owner", "contoso")
    assert stranger.delete(f"/v1/invitations/{made}").code == "unknown-invitation"
    assert stranger.post(f"/v1/invitations/{made}/resend").code == "unknown-invitation"
    assert stranger.get("/v1/invitations").json["items"] == []
    assert post.deliver() == [True]


def test_a_suspended_or_deleted_tenant_takes_nobody_in(
    member: Member, person: Person, post: Post, registry: Registry
) -> None:
    invited(member("admin"))
    token = post.token()
    registry.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert accepted(person("nina"), token) == (409, "invitation-closed")
    registry.owner.execute("UPDATE control.tenants SET status = 'active' WHERE slug = 'acme'")
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    assert accepted(person("nina"), token) == (404, "unknown-invitation")


def test_a_tenant_is_no_way_to_write_to_strangers_all_day(
    member: Member, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MAILS_A_DAY", 3)
    admin = member("admin")
    for number in range(3):
        made = invited(admin, f"n{number}@new.test").json["id"]
        assert admin.delete(f"/v1/invitations/{made}").status == 204
    assert admin.post("/v1/invitations", {"email": "n4@new.test", "role": "viewer"}).status == 429
    registry.owner.execute("UPDATE control.invitations SET asked_at = asked_at - interval '25 hours'")
    invited(admin, "n5@new.test")
