"""What waits for me in all my tenants: only what my role decides, whatever is wrong with one of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from functions.api_me import queue
from infra_cdk.local.postgres import OWNER, Cluster
from socialflow.identity import service
from socialflow.identity.model import permissions_of
from socialflow.platform.caller import Membership, User
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.conftest import Member

DAY = timedelta(days=1)
Put = Callable[..., UUID]


@pytest.fixture
def review(owner: psycopg.Connection) -> Put:
    """Put a review into a tenant."""

    def put(slug: str = "acme", state: str = "open", *, age: timedelta = DAY, left: timedelta = DAY) -> UUID:
        media_id, schema = new_id(), sql.Identifier(f"t_{slug}")
        owner.execute(
            sql.SQL(
                "INSERT INTO {}.media_items (id, state, file_name, declared_type, declared_size, object_key,"
                " upload_expires_at, created_by) VALUES (%s, 'in_review', 'a.jpg', 'image/jpeg', 1, 'k', now(), %s)"
            ).format(schema),
            (media_id, new_id()),
        )
        owner.execute(
            sql.SQL(
                "INSERT INTO {}.reviews (media_id, state, requested_at, expires_at)"
                " VALUES (%s, %s, now() - %s, now() + %s)"
            ).format(schema),
            (media_id, state, age, left),
        )
        return media_id

    return put


@pytest.fixture
def post(owner: psycopg.Connection) -> Put:
    """Put a post into a tenant."""

    def put(
        state: str,
        slug: str = "acme",
        *,
        due: timedelta | None = DAY,
        quiet: timedelta = timedelta(0),
        text: str = "Good evening",
        post_id: UUID | None = None,
    ) -> UUID:
        found = post_id or new_id()
        owner.execute(
            sql.SQL(
                "INSERT INTO {}.posts (id, state, text, due_at, approval_required, content_hash, request_sha256,"
                " created_by, updated_at) VALUES (%s, %s, %s, now() + %s, true, '', '', %s, now() - %s)"
            ).format(sql.Identifier(f"t_{slug}")),
            (found, state, text, due, new_id(), quiet),
        )
        return found

    return put


@pytest.fixture
def admin(member: Member, owner: psycopg.Connection) -> Client:
    """Acme's admin, who is contoso's admin too."""
    _join(owner, "acme-admin", "contoso", "admin")
    return Client({"authorization": member("admin").headers["authorization"]})


def _join(owner: psycopg.Connection, subject: str, slug: str, role: str) -> None:
    owner.execute(
        "INSERT INTO control.members SELECT t.id, u.id, %s FROM control.tenants t, control.users u"
        " WHERE t.slug = %s AND u.subject = %s",
        (role, slug, subject),
    )


def asked(client: Client) -> dict[str, Any]:
    reply = client.get("/v1/me/queue")
    assert reply.status == 200, reply
    return {**reply.json, "by": {one["slug"]: one for one in reply.json["tenants"]}}


def test_all_that_waits_is_told_by_tenant_and_in_sum(admin: Client, review: Put, post: Put) -> None:
    first, second = review(age=2 * DAY), review()
    review("contoso")
    awaiting, failed = post("awaiting_approval", text="x" * 500), post("failed", "contoso")
    found = asked(admin)
    assert (found["complete"], found["reviews"], found["approvals"], found["troubles"]) == (True, 3, 1, 1)
    acme, contoso = found["by"]["acme"], found["by"]["contoso"]
    assert [each["media_id"] for each in acme["reviews"]["items"]] == [str(first), str(second)]
    assert (acme["approvals"]["items"][0]["id"], len(acme["approvals"]["items"][0]["excerpt"])) == (str(awaiting), 140)
    assert (contoso["troubles"]["items"][0]["id"], contoso["troubles"]["items"][0]["state"]) == (str(failed), "failed")
    assert (acme["troubles"]["count"], contoso["approvals"]["count"], contoso["reviews"]["count"]) == (0, 0, 1)


def test_what_is_settled_or_over_or_somebody_elses_does_not_wait(admin: Client, review: Put, post: Put) -> None:
    for state in ("approved", "rejected", "changes_requested", "expired"):
        review(state=state)
    review(left=-DAY)
    for state in ("draft", "scheduled", "publishing", "published", "held", "cancelled"):
        post(state)
    found = asked(admin)
    assert (found["reviews"], found["approvals"], found["troubles"]) == (0, 0, 0)


def test_what_failed_long_ago_is_let_be_and_what_nobody_knows_is_not(admin: Client, post: Put) -> None:
    old = timedelta(days=31)
    for state in ("failed", "partial"):
        post(state, quiet=old)
    unknown, partial = post("unconfirmed", quiet=old), post("partial", due=None)
    found = asked(admin)["by"]["acme"]["troubles"]
    assert [each["id"] for each in found["items"]] == [str(unknown), str(partial)]


def test_a_few_are_shown_and_all_are_counted_up_to_a_bound(
    admin: Client, owner: psycopg.Connection, review: Put, post: Put
) -> None:
    for _ in range(7):
        review()
    owner.execute(
        "INSERT INTO t_acme.posts (id, state, due_at, approval_required, content_hash, request_sha256, created_by)"
        " SELECT gen_random_uuid(), 'awaiting_approval', now(), true, '', '', gen_random_uuid()"
        " FROM generate_series(1, %s)",
        (queue.MOST + 5,),
    )
    found = asked(admin)["by"]["acme"]
    assert (found["reviews"]["count"], found["reviews"]["more"], len(found["reviews"]["items"])) == (7, False, 5)
    assert (found["approvals"]["count"], found["approvals"]["more"]) == (queue.MOST, True)


@pytest.mark.parametrize(
    ("role", "told"),
    [("owner", {"reviews", "approvals", "troubles"}), ("admin", {"reviews", "approvals", "troubles"}),
     ("editor", {"reviews", "troubles"})],
)  # fmt: skip
def test_each_role_is_told_what_it_decides(member: Member, review: Put, post: Put, role: str, told: set[str]) -> None:
    review()
    post("awaiting_approval")
    post("unconfirmed")
    found = asked(member(role))["by"]["acme"]
    assert {kind for kind in ("reviews", "approvals", "troubles") if found[kind] is not None} == told


def test_a_tenant_in_which_one_only_looks_is_not_even_asked(
    member: Member, owner: psycopg.Connection, review: Put
) -> None:
    review()
    _join(owner, "acme-editor", "contoso", "viewer")
    with broken(owner, "contoso"):
        assert set(asked(member("editor"))["by"]) == {"acme"}
    assert asked(member("viewer"))["tenants"] == []


def test_only_the_kinds_that_may_be_decided_are_read(member: Member, owner: psycopg.Connection) -> None:
    with broken(owner, "acme", "posts"):
        reviewing = next(queue.of([_as(member, {"review:decide"})], now()))
        assert (reviewing.problem, reviewing.reviews is not None) == (None, True)
        assert next(queue.of([_as(member, {"posts:approve"})], now())).problem is not None
    with broken(owner, "acme", "reviews"):
        assert next(queue.of([_as(member, {"posts:approve"})], now())).problem is None


def _as(member: Member, permissions: set[str]) -> Membership:
    user = User(UUID(asked_id(member)), "", "")
    with control() as connection:
        (found,) = service.memberships(connection, user)
    return Membership(user, found.tenant, "editor", frozenset(permissions))


def asked_id(member: Member) -> str:
    return str(member("editor").get("/v1/me").json["id"])


@contextmanager
def broken(owner: psycopg.Connection, slug: str, table: str = "reviews") -> Iterator[None]:
    """Take a table away, as a migration that went wrong would."""
    names = {"schema": sql.Identifier(f"t_{slug}"), "table": sql.Identifier(table)}
    owner.execute(sql.SQL("ALTER TABLE {schema}.{table} RENAME TO away").format(**names))
    try:
        yield
    finally:
        owner.execute(sql.SQL("ALTER TABLE {schema}.away RENAME TO {table}").format(**names))


def test_one_tenant_that_fails_hides_no_other(admin: Client, owner: psycopg.Connection, review: Put) -> None:
    review()
    for slug, other in (("contoso", "acme"), ("acme", "contoso")):
        with broken(owner, slug):
            found = asked(admin)
        assert (found["complete"], found["by"][slug]["problem"]["code"]) == (False, "unreadable")
        assert (found["by"][slug]["reviews"], found["by"][other]["problem"]) == (None, None)
        assert found["by"][other]["reviews"]["count"] == (1 if other == "acme" else 0)
        assert "away" not in str(found)
        assert "relation" not in str(found)
    assert asked(admin)["complete"] is True


def test_a_tenant_that_is_locked_is_left_out_in_time(admin: Client, cluster: Cluster, review: Put) -> None:
    review("contoso")
    with psycopg.connect(cluster.dsn(OWNER)) as migration:
        migration.execute("LOCK TABLE t_acme.reviews IN ACCESS EXCLUSIVE MODE")
        found = asked(admin)
        migration.rollback()
    assert (found["by"]["acme"]["problem"]["code"], found["by"]["contoso"]["reviews"]["count"]) == ("database-down", 1)


def test_when_time_is_over_the_rest_says_so(acme: Tenant, contoso: Tenant) -> None:
    user, may = User(new_id(), "", ""), permissions_of("admin")
    members = [Membership(user, tenant, "admin", may) for tenant in (acme, contoso, acme)]
    seconds = iter([0.0, 1.0, queue.ENOUGH - 0.1, queue.ENOUGH])
    found = list(queue.of(members, now(), clock=lambda: next(seconds)))
    assert [one.problem.code if one.problem else None for one in found] == [None, None, "out-of-time"]


def test_a_suspended_tenant_is_read_and_a_deleted_one_is_nobodys(
    admin: Client, owner: psycopg.Connection, review: Put
) -> None:
    review()
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    found = asked(admin)["by"]["acme"]
    assert (found["status"], found["reviews"]["count"]) == ("suspended", 1)
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'acme'")
    assert set(asked(admin)["by"]) == {"contoso"}


def test_nothing_of_a_tenant_reaches_who_does_not_belong(
    member: Member, stranger: Client, review: Put, post: Put
) -> None:
    same = new_id()
    post("failed", "acme", post_id=same, text="of acme")
    post("failed", "contoso", post_id=same, text="of contoso")
    review("contoso")
    found = asked(member("owner"))
    assert (set(found["by"]), found["reviews"], found["troubles"]) == ({"acme"}, 0, 1)
    assert "of contoso" not in str(found)
    assert asked(stranger)["tenants"] == []
    assert Client().get("/v1/me/queue").code == "token-missing"
