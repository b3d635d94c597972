"""Who belongs where by Clerk's word: taken over once, and alike in whichever order it comes."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra_cdk.local.postgres import APP, Cluster
from socialflow.identity import clerk, directory
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer
from tests.conftest import ISSUER
from tests.integration.conftest import Member
from tests.integration.identity.conftest import Look
from tests.integration.identity.test_service import wait_for_lock
from tests.svix import Clerk, send, taken

CLERK = Clerk()


# Memberships


@pytest.mark.parametrize(
    ("said", "ours"),
    [("org:admin", "admin"), ("org:member", "editor"), ("admin", "admin"), ("basic_member", "editor"),
     ("org:owner", "owner"), ("org:editor", "editor"), ("org:viewer", "viewer"), ("org:billing_manager", "viewer"),
     ("ORG:ADMIN", "viewer"), ("org:", "viewer")],
)  # fmt: skip
def test_each_role_of_clerks_has_one_of_ours(linked: Tenant, role: Look, said: str, ours: str) -> None:
    taken(CLERK.member("user_1", 1, said, kind="created"))
    assert role("user_1") == ours


def test_a_member_may_come_in_before_anything_else_was_said_of_them(linked: Tenant, issuer: Issuer) -> None:
    taken(CLERK.member("user_1", 1))
    reply = Client({"authorization": f"Bearer {issuer.token('user_1')}"}).get("/v1/me")
    assert (reply.json["name"], reply.json["email"]) == ("Ada L.", "")  # the identifier may be anybody's
    assert [each["slug"] for each in reply.json["memberships"]] == ["acme"]


HISTORY = [
    CLERK.member("?", 1, "org:member", kind="created"),
    CLERK.member("?", 2, "org:admin"),
    CLERK.member("?", 3, kind="deleted"),
    CLERK.member("?", 4, "org:viewer", kind="created"),
    CLERK.member("?", 5, "org:editor"),
]


@pytest.mark.parametrize(("length", "ends"), [(1, "editor"), (2, "admin"), (3, None), (4, "viewer"), (5, "editor")])
def test_a_membership_does_not_depend_on_the_order(
    linked: Tenant, role: Look, owner: psycopg.Connection, length: int, ends: str | None
) -> None:
    for number, arrival in enumerate(itertools.permutations(HISTORY[:length])):
        subject = f"user_{length}_{number}"
        for each in arrival:
            named = {**each["data"], "public_user_data": {"user_id": subject}}
            taken({**each, "data": named})
        assert role(subject) == ends, arrival
        owner.execute("DELETE FROM control.users WHERE subject = %s", (subject,))  # a plan has only so many seats


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
def test_of_two_words_of_one_moment_leaving_counts(linked: Tenant, role: Look, arrival: tuple[int, ...]) -> None:
    both = [CLERK.member("user_1", 1, kind="created"), CLERK.member("user_1", 1, kind="deleted")]
    taken(*(both[number] for number in arrival))
    assert role("user_1") is None


def test_seconds_and_milliseconds_are_told_apart(linked: Tenant, role: Look) -> None:
    taken(CLERK.member("user_1", 1))
    taken({**CLERK.member("user_1", 2, kind="deleted"), "timestamp": CLERK.began // 1000 + 5})
    assert role("user_1") is None


def test_a_role_that_was_changed_here_stays_until_clerk_says_another(
    linked: Tenant, role: Look, owner: psycopg.Connection
) -> None:
    here = (
        "UPDATE control.members SET role = 'viewer' WHERE user_id = (SELECT id FROM control.users WHERE subject = %s)"
    )
    taken(CLERK.member("user_1", 1, "org:member"))
    owner.execute(here, ("user_1",))
    taken(CLERK.member("user_1", 2, "org:member"))
    assert role("user_1") == "viewer"
    taken(CLERK.member("user_1", 3, "org:admin"))
    assert role("user_1") == "admin"


def test_who_was_removed_here_is_not_brought_back_by_an_update(
    linked: Tenant, role: Look, owner: psycopg.Connection
) -> None:
    taken(CLERK.member("user_1", 1))
    owner.execute("DELETE FROM control.members WHERE user_id = (SELECT id FROM control.users WHERE subject = 'user_1')")
    taken(CLERK.member("user_1", 2))
    assert role("user_1") is None
    taken(CLERK.member("user_1", 3, kind="deleted"), CLERK.member("user_1", 4, kind="created"))
    assert role("user_1") == "editor"


def test_the_last_owner_stays_and_the_message_is_taken(
    linked: Tenant, role: Look, owner: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    taken(CLERK.member("acme-owner", 1, "org:admin"))
    assert role("acme-owner") == "owner"  # Clerk's admins may own, and go on owning
    taken(CLERK.member("acme-owner", 2, "org:member"))
    assert role("acme-owner") == "owner"
    taken(CLERK.member("acme-owner", 3, kind="deleted"))
    assert role("acme-owner") == "owner"
    assert "last owner" in caplog.text
    taken(CLERK.member("user_2", 1, "org:owner"), CLERK.member("acme-owner", 4, "org:viewer", kind="created"))
    assert (role("user_2"), role("acme-owner")) == ("owner", "viewer")
    taken(CLERK.member("user_2", 5, kind="deleted"))
    assert role("user_2") == "owner"


def test_an_owner_who_is_deleted_does_not_count_as_another(linked: Tenant, role: Look) -> None:
    taken(CLERK.user_deleted("acme-owner", 1))  # the last one: the membership stays, and nobody can use it
    taken(CLERK.member("user_2", 1, "org:owner"), CLERK.member("user_2", 2, kind="deleted"))
    assert role("user_2") == "owner"


def test_a_suspended_tenant_loses_and_gains_people_all_the_same(
    linked: Tenant, role: Look, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    taken(CLERK.member("acme-editor", 1, kind="deleted"), CLERK.member("user_1", 1))
    assert (role("acme-editor"), role("user_1")) == (None, "editor")


def test_a_full_team_takes_nobody_more_until_there_is_room(
    linked: Tenant, role: Look, person: Look, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE slug = 'acme'")  # five seats, and four are taken
    said = CLERK.member("user_2", 1)
    try:
        taken(CLERK.member("user_1", 1))
        reply = send(said, message="msg_full")
        assert (reply.status, reply.code, reply.json["meter"]) == (402, "limit-reached", "seats")
        assert (role("user_2"), person("user_2")) == (None, None)
        taken(CLERK.member("user_1", 2, "org:admin"))  # who has a seat, keeps it
        taken(CLERK.member("user_1", 3, kind="deleted"))
        assert send(said, message="msg_full").status == 204
    finally:
        owner.execute("UPDATE control.tenants SET plan = %s WHERE slug = 'acme'", (linked.plan,))
    assert role("user_2") == "editor"


def test_who_comes_and_goes_is_told_as_a_fact_of_the_tenants(linked: Tenant, owner: psycopg.Connection) -> None:
    owner.execute("DELETE FROM control.outbox")
    taken(CLERK.member("user_1", 1), CLERK.member("user_1", 2, "org:admin"), CLERK.member("user_1", 2, "org:admin"))
    taken(CLERK.member("user_1", 3, kind="deleted"), CLERK.member("acme-owner", 1, kind="deleted"))
    told = owner.execute("SELECT type, tenant, aggregate_id, data FROM control.outbox ORDER BY position").fetchall()
    found = owner.execute("SELECT id FROM control.users WHERE subject = 'user_1'").fetchone()
    assert found is not None
    assert told == [
        ("user.joined", "acme", found[0], {"role": "editor"}),
        ("user.removed", "acme", found[0], {"role": "admin"}),
    ]


def test_who_goes_takes_their_open_invitations_along(linked: Tenant, owner: psycopg.Connection) -> None:
    def invited(by: str) -> list[Any]:
        found = owner.execute(
            "SELECT i.role FROM control.invitations i JOIN control.users u ON u.id = i.invited_by"
            " WHERE u.subject = %s AND i.revoked_at IS NULL ORDER BY i.role",
            (by,),
        ).fetchall()
        return [role for (role,) in found]

    taken(CLERK.member("user_1", 1, "org:owner"), CLERK.member("user_2", 1, "org:admin"))
    owner.execute(
        "INSERT INTO control.invitations (id, tenant_id, email, role, invited_by, nonce, expires_at)"
        " SELECT gen_random_uuid(), %s, u.subject || r || '@x.test', r, u.id, decode(repeat('00', 32), 'hex'),"
        " now() + interval '1 day' FROM control.users u, unnest(ARRAY['owner', 'editor']) r"
        " WHERE u.subject IN ('user_1', 'user_2')",
        (linked.id,),
    )
    taken(CLERK.member("user_1", 2, "org:viewer"), CLERK.member("user_2", 2, kind="deleted"))
    assert (invited("user_1"), invited("user_2")) == ([], [])


# Organizations


def test_an_organization_that_nobody_linked_is_taken_later_by_the_same_message(
    acme: Tenant, role: Look, person: Look, owner: psycopg.Connection
) -> None:
    said = CLERK.member("user_1", 1)
    for number, each in enumerate((said, CLERK.member("user_1", 2, kind="deleted"), CLERK.organization_deleted(3))):
        assert send(each, message=f"msg_{number}").status == 204
    assert (role("user_1"), person("user_1")) == (None, None)
    directory.link(owner, "org_1", acme.id)
    assert send(said, message="msg_0").status == 204
    assert role("user_1") == "editor"


def test_an_organization_is_linked_one_for_one(acme: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    directory.link(owner, "org_1", acme.id)
    directory.link(owner, "org_1", acme.id)
    for organization, tenant in (("org_1", contoso), ("org_2", acme)):
        with pytest.raises(directory.OrganizationTaken):
            directory.link(owner, organization, tenant.id)


def test_an_organization_speaks_of_its_own_tenant_alone(
    linked: Tenant, contoso: Tenant, role: Look, owner: psycopg.Connection
) -> None:
    directory.link(owner, "org_2", contoso.id)
    taken(Clerk("org_2").member("acme-editor", 1, "org:admin"), Clerk("org_2").member("acme-admin", 1, kind="deleted"))
    assert (role("acme-editor"), role("acme-editor", "contoso")) == ("editor", "admin")
    assert role("acme-admin") == "admin"


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(4))))
def test_with_an_organization_whom_clerk_has_brought_goes(linked: Tenant, role: Look, arrival: tuple[int, ...]) -> None:
    history = [
        CLERK.member("user_1", 1),
        CLERK.member("acme-owner", 1, "org:admin"),
        CLERK.organization_deleted(3),
        CLERK.member("user_2", 2, "org:admin"),
    ]
    taken(*(history[number] for number in arrival))
    assert [role(each) for each in ("user_1", "user_2")] == [None, None]
    assert (role("acme-owner"), role("acme-editor")) == ("owner", "editor")  # of whom Clerk has not spoken, nothing


# Once, and under concurrency


def test_a_message_is_taken_once(clean: None, person: Look) -> None:
    taken(CLERK.user("user_1", 1))
    assert send(CLERK.user("user_1", 2, first_name="Augusta"), message="msg_a").status == 204
    assert send(CLERK.user("user_1", 3, first_name="Countess"), message="msg_a").status == 204
    assert person("user_1")[1] == "Augusta"


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Two connections of the application, as two functions have them."""
    with psycopg.connect(cluster.dsn(APP)) as first, psycopg.connect(cluster.dsn(APP)) as second:
        yield first, second


def beside(
    cluster: Cluster, pair: tuple[psycopg.Connection, psycopg.Connection], one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Take two events at once: the second begins while the first has not committed, and waits for it."""
    first, second = pair
    apply(first, one)

    def take_the_other() -> None:
        apply(second, other)
        second.commit()

    thread = threading.Thread(target=take_the_other)
    thread.start()
    wait_for_lock(cluster, second.info.backend_pid)
    first.commit()
    thread.join(timeout=10)
    assert not thread.is_alive()


def apply(connection: psycopg.Connection, event: dict[str, Any]) -> None:
    statement = clerk.read(event)
    assert statement is not None
    directory.take(connection, ISSUER, statement)


def test_two_owners_who_leave_at_once_do_not_both_leave(
    linked: Tenant, cluster: Cluster, pair: tuple[psycopg.Connection, psycopg.Connection], role: Look
) -> None:
    taken(CLERK.member("user_2", 1, "org:owner"))
    beside(cluster, pair, CLERK.member("acme-owner", 2, kind="deleted"), CLERK.member("user_2", 2, kind="deleted"))
    assert (role("acme-owner"), role("user_2")) == (None, "owner")


def test_an_old_word_beside_a_new_one_changes_nothing(
    linked: Tenant, cluster: Cluster, pair: tuple[psycopg.Connection, psycopg.Connection], role: Look
) -> None:
    taken(CLERK.member("user_1", 1))
    beside(cluster, pair, CLERK.member("user_1", 3, kind="deleted"), CLERK.member("user_1", 2, "org:admin"))
    assert role("user_1") is None


def test_who_joins_while_being_deleted_does_not_belong(
    linked: Tenant, cluster: Cluster, pair: tuple[psycopg.Connection, psycopg.Connection], role: Look
) -> None:
    taken(CLERK.user("user_1", 1))
    beside(cluster, pair, CLERK.member("user_1", 2), CLERK.user_deleted("user_1", 3))
    assert role("user_1") is None


def test_what_clerk_gives_works_on_the_very_next_request(linked: Tenant, member: Member, issuer: Issuer) -> None:
    newcomer = Client({"authorization": f"Bearer {issuer.token('user_1')}", "x-tenant-id": "acme"})
    assert newcomer.get("/v1/media").code == "not-a-member"
    taken(CLERK.member("user_1", 1, "org:viewer"))
    assert newcomer.get("/v1/media").status == 200
    assert newcomer.post("/v1/media/uploads", {}).code == "permission-denied"
    taken(CLERK.member("user_1", 2, kind="deleted"))
    assert newcomer.get("/v1/media").code == "not-a-member"
