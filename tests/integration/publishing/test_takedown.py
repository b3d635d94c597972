"""Deleting what is out at its network: once or twice, by who may, and never by a word of ours alone."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.publishing import takedown
from tests.api import Reply
from tests.integration.conftest import Member
from tests.integration.media.test_together import together
from tests.integration.publishing.conftest import Desk
from tests.wire import Fault


@pytest.fixture
def out(desk: Desk) -> dict[str, Any]:
    """A post that is out at Mastodon."""
    post = desk.post("Short life", accounts=[desk.account()])
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    return desk.read(post["id"])


def path(post: dict[str, Any]) -> str:
    return f"/v1/posts/{post['id']}/targets/{post['targets'][0]['id']}/delete"


def delete(desk: Desk, post: dict[str, Any]) -> Reply:
    return desk.editor.post(path(post), None)


def test_it_is_deleted_there_and_its_receipt_stays(desk: Desk, out: dict[str, Any]) -> None:
    reply = delete(desk, out)
    assert reply.status == 200, reply
    assert desk.mastodon.statuses() == []
    shown = desk.read(out["id"])
    receipt = shown["targets"][0]["receipt"]
    assert (shown["state"], receipt["remote_id"]) == ("published", out["targets"][0]["receipt"]["remote_id"])
    assert receipt["deleted_at"] == reply.json["deleted_at"]
    assert desk.facts(out["id"])[-1] == "post.taken_down"


def test_deleting_again_tells_the_same_and_asks_nobody(desk: Desk, out: dict[str, Any]) -> None:
    first = delete(desk, out)
    asked = len(desk.mastodon.wire.seen)
    again = delete(desk, out)
    assert (again.status, again.json) == (200, first.json)
    assert len(desk.mastodon.wire.seen) == asked
    assert desk.facts(out["id"]).count("post.taken_down") == 1


def test_of_several_who_were_answered_one_is_its_author(desk: Desk, out: dict[str, Any]) -> None:
    with transaction(desk.tenant) as tx:
        target = takedown.begin(tx, UUID(out["id"]), UUID(out["targets"][0]["id"]))
    first = new_id()

    def finish(by: UUID) -> None:
        with transaction(desk.tenant) as tx:
            takedown.finish(tx, target, by=by, at=now())

    finish(first)
    together(*[partial(finish, new_id()) for _ in range(4)])
    assert desk.value("SELECT deleted_by FROM t_acme.targets") == first
    assert desk.facts(out["id"]).count("post.taken_down") == 1


def test_what_its_owner_has_deleted_is_gone_as_well(desk: Desk, out: dict[str, Any]) -> None:
    desk.mastodon.wire.client.delete(
        f"/api/v1/statuses/{out['targets'][0]['receipt']['remote_id']}", headers={"Authorization": "Bearer mock_token"}
    )
    assert delete(desk, out).status == 200


@pytest.mark.parametrize("fault", ["answer lost", "question lost", "down", "garbage", 500])
def test_an_answer_that_is_missing_is_asked_for_again(desk: Desk, out: dict[str, Any], fault: Fault) -> None:
    desk.mastodon.wire.fail("DELETE", "/api/v1/statuses", fault)
    reply = delete(desk, out)
    assert (reply.status, reply.code) == (503, "network-unavailable"), reply
    assert desk.target(out["id"])["receipt"]["deleted_at"] is None
    assert delete(desk, out).status == 200
    assert desk.mastodon.statuses() == []


def test_a_network_that_refuses_is_told_of(desk: Desk, out: dict[str, Any]) -> None:
    desk.mastodon.wire.fail("DELETE", "/api/v1/statuses", 403)
    reply = delete(desk, out)
    assert (reply.status, reply.code, reply.json["reason"]) == (409, "not-deleted", "permission-missing")
    assert len(desk.mastodon.statuses()) == 1


def test_only_what_is_out_can_be_deleted(desk: Desk) -> None:
    post = desk.post("Later", accounts=[desk.account()], at=desk.in_minutes(60))
    reply = delete(desk, post)
    assert (reply.status, reply.code) == (409, "nothing-to-delete")


def test_an_account_that_is_gone_deletes_nothing(desk: Desk, out: dict[str, Any]) -> None:
    assert desk.admin.delete(f"/v1/accounts/{out['targets'][0]['account_id']}").status == 204
    reply = delete(desk, out)
    assert (reply.status, reply.json["reason"]) == (409, "account-disconnected")
    assert len(desk.mastodon.statuses()) == 1


def test_what_was_deleted_never_goes_out_again(desk: Desk, out: dict[str, Any]) -> None:
    delete(desk, out)
    target = out["targets"][0]["id"]
    for action, body in (("retry", None), ("resolve", {"post_again": True})):
        reply = desk.editor.post(f"/v1/posts/{out['id']}/targets/{target}/{action}", body)
        assert reply.status == 409, reply
    run = desk.start(out["id"])
    assert desk.open(out["id"], run)["outcome"] == "settle"
    assert desk.mastodon.statuses() == []


def test_who_may_only_read_deletes_nothing(desk: Desk, out: dict[str, Any], member: Member) -> None:
    assert member("viewer").post(path(out), None).status == 403
    assert len(desk.mastodon.statuses()) == 1
