"""Members: what a change of theirs means at once, and the owner that is never missing."""

from collections import Counter
from functools import partial
from uuid import UUID, uuid4

import pytest

from socialflow.errors import Refusal
from socialflow.identity import door
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.team import service
from tests.api import Client
from tests.integration.conftest import Member
from tests.integration.team.conftest import Post, invited
from tests.integration.tenants.conftest import Registry, at_once


def me(client: Client) -> UUID:
    """Return a client's own id."""
    return UUID(client.get("/v1/me").json["id"])


def test_members_are_listed_in_pages_and_only_ones_own(member: Member) -> None:
    viewer, found, cursor = member("viewer"), [], ""
    for _ in range(4):
        page = viewer.get(f"/v1/members?limit=1{cursor}").json
        found += [one["role"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert sorted(found) == ["admin", "editor", "owner", "viewer"]
    assert len(member("owner", "contoso").get("/v1/members").json["items"]) == 1


def test_a_role_acts_from_the_next_request_on(member: Member) -> None:
    owner, editor = member("owner"), member("editor")
    asked = {"email": "a@b.test", "role": "viewer"}
    assert editor.post("/v1/invitations", asked).status == 403
    up = owner.patch(f"/v1/members/{me(editor)}", {"role": "admin"})
    assert (up.status, up.json["role"]) == (200, "admin")
    assert editor.post("/v1/invitations", asked).status == 201
    assert owner.patch(f"/v1/members/{me(editor)}", {"role": "viewer"}).status == 200
    assert editor.post("/v1/invitations", asked | {"email": "c@d.test"}).status == 403
    assert editor.get("/v1/media").status == 200


def test_who_is_removed_is_out_at_once_and_so_are_their_invitations(
    member: Member, post: Post, registry: Registry
) -> None:
    owner, admin = member("owner"), member("admin")
    gone = me(admin)
    invited(admin, "friend@x.test", "admin")
    invited(owner, "other@x.test", "admin")
    assert owner.delete(f"/v1/members/{gone}").status == 204
    assert admin.get("/v1/media").code == "not-a-member"
    assert owner.delete(f"/v1/members/{gone}").code == "unknown-member"
    assert registry.column("SELECT email FROM control.invitations WHERE revoked_at IS NULL") == ["other@x.test"]
    assert ("acme", "user.removed") in registry.facts()


def test_who_loses_a_role_loses_the_invitations_to_it(member: Member, registry: Registry) -> None:
    owner, admin = member("owner"), member("admin")
    assert owner.patch(f"/v1/members/{me(admin)}", {"role": "owner"}).status == 200
    invited(admin, "boss@x.test", "owner")
    invited(admin, "hand@x.test", "editor")
    assert owner.patch(f"/v1/members/{me(admin)}", {"role": "admin"}).status == 200
    still = "SELECT email FROM control.invitations WHERE revoked_at IS NULL"
    assert registry.column(still) == ["hand@x.test"]
    assert owner.patch(f"/v1/members/{me(admin)}", {"role": "editor"}).status == 200
    assert registry.column(still) == []


def test_only_an_owner_manages(member: Member) -> None:
    target = me(member("viewer"))
    for role in ("viewer", "editor", "admin"):
        client = member(role)
        assert client.patch(f"/v1/members/{target}", {"role": "owner"}).status == 403
        assert client.delete(f"/v1/members/{target}").status == 403
        assert client.post(f"/v1/members/{me(client)}/make-owner").status == 403


def test_the_last_owner_cannot_go_by_any_way(member: Member, registry: Registry) -> None:
    owner = member("owner")
    own = me(owner)
    for reply in (
        owner.delete(f"/v1/members/{own}"),
        owner.patch(f"/v1/members/{own}", {"role": "admin"}),
        owner.post("/v1/tenants/acme/leave"),
    ):
        assert (reply.status, reply.code) == (409, "last-owner")
    assert owner.patch(f"/v1/members/{own}", {"role": "owner"}).status == 200
    assert registry.value("SELECT count(*) FROM control.members WHERE role = 'owner'") == 2


@pytest.mark.parametrize("way", ["remove each other", "remove themselves", "leave", "lower each other"])
def test_of_owners_who_all_go_at_once_one_stays(member: Member, registry: Registry, way: str) -> None:
    registry.owner.execute("UPDATE control.members SET role = 'owner'")
    clients = [member(role) for role in ("owner", "admin", "editor", "viewer")]
    seats = [door.admit(client.headers["authorization"], "acme") for client in clients]

    def go(number: int) -> str:
        who, other = seats[number], seats[(number + 1) % len(seats)].user.id
        try:
            with control() as connection:
                match way:
                    case "remove each other":
                        service.remove(connection, who, other, at=now())
                    case "remove themselves":
                        service.remove(connection, who, who.user.id, at=now())
                    case "leave":
                        service.leave(connection, "acme", who.user.id, at=now())
                    case _:
                        service.change_role(connection, who, other, "viewer", at=now())
        except Refusal as refusal:
            return refusal.code
        return "done"

    told = Counter(at_once([partial(go, number) for number in range(len(seats))]))
    owners = registry.value(
        "SELECT count(*) FROM control.members m JOIN control.tenants t ON t.id = m.tenant_id"
        " WHERE t.slug = 'acme' AND m.role = 'owner'"
    )
    assert owners >= 1
    assert told["done"] == 4 - owners
    assert set(told) <= {"done", "last-owner", "no-longer-allowed", "unknown-member"}
    if way in ("remove themselves", "leave"):
        assert owners == 1


def test_what_was_allowed_when_the_request_came_in_is_looked_at_again(member: Member) -> None:
    owner, admin = member("owner"), member("admin")
    assert owner.patch(f"/v1/members/{me(admin)}", {"role": "owner"}).status == 200
    before = door.admit(admin.headers["authorization"], "acme")
    assert owner.delete(f"/v1/members/{before.user.id}").status == 204
    target = me(owner)
    with pytest.raises(Refusal) as raised, control() as connection:
        service.remove(connection, before, target, at=now())
    assert raised.value.code == "no-longer-allowed"


def test_ownership_is_handed_over_whole(member: Member, registry: Registry) -> None:
    owner, admin = member("owner"), member("admin")
    assert owner.post(f"/v1/members/{uuid4()}/make-owner").code == "unknown-member"
    assert owner.post(f"/v1/members/{me(member('owner', 'contoso'))}/make-owner").code == "unknown-member"
    handed = owner.post(f"/v1/members/{me(admin)}/make-owner")
    assert (handed.status, handed.json["role"]) == (200, "owner")
    roles = {one["user_id"]: one["role"] for one in admin.get("/v1/members").json["items"]}
    assert (roles[str(me(owner))], roles[str(me(admin))]) == ("admin", "owner")
    assert owner.post(f"/v1/members/{me(owner)}/make-owner").status == 403
    assert admin.post(f"/v1/members/{me(admin)}/make-owner").json["role"] == "owner", "to oneself changes nothing"


def test_handing_over_to_two_at_once_makes_one_owner(member: Member, registry: Registry) -> None:
    who = door.admit(member("owner").headers["authorization"], "acme")
    heirs = [me(member("admin")), me(member("editor"))]

    def hand(heir: UUID) -> str:
        try:
            with control() as connection:
                service.make_owner(connection, who, heir, at=now())
        except Refusal as refusal:
            return refusal.code
        return "done"

    assert sorted(at_once([partial(hand, heir) for heir in heirs])) == ["done", "no-longer-allowed"]
    assert registry.value("SELECT count(*) FROM control.members WHERE role = 'owner'") == 2


def test_everybody_else_may_leave_also_a_suspended_tenant(member: Member, registry: Registry) -> None:
    viewer, editor = member("viewer"), member("editor")
    assert viewer.post("/v1/tenants/acme/leave").status == 204
    assert viewer.get("/v1/media").code == "not-a-member"
    assert viewer.post("/v1/tenants/acme/leave").code == "unknown-member"
    assert viewer.post("/v1/tenants/nothing/leave").code == "unknown-member"
    registry.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert editor.post("/v1/tenants/acme/leave").status == 204


def test_another_tenants_members_are_out_of_reach(member: Member, registry: Registry) -> None:
    mine, theirs = member("owner"), me(member("owner", "contoso"))
    assert mine.patch(f"/v1/members/{theirs}", {"role": "viewer"}).code == "unknown-member"
    assert mine.delete(f"/v1/members/{theirs}").code == "unknown-member"
    assert mine.delete("/v1/members/not-an-id").status == 404
    assert mine.patch(f"/v1/members/{me(member('viewer'))}", {"role": "root"}).code == "unknown-role"
