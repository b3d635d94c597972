"""What people do to a post on its way: approve, reject, edit, cancel, resolve."""

from typing import Any

import pytest

from functions.task_await_approval.handler import handler as task_await_approval
from socialflow.platform import registry, work
from socialflow.platform.database import transaction
from tests.api import Reply
from tests.integration.publishing.conftest import Desk

STATUSES = "/api/v1/statuses"


def approve(desk: Desk, post: dict[str, Any], **seen: object) -> Reply:
    body = seen or {"content_hash": desk.read(str(post["id"]))["content_hash"]}
    return desk.admin.post(f"/v1/posts/{post['id']}/approve", body)


def awaiting(desk: Desk, text: str = "Look at me first", at: object = None) -> dict[str, Any]:
    desk.approvals("required")
    post = desk.post(text, accounts=[desk.account()], at=at or desk.in_minutes(30))
    assert (post["state"], post["approval"]["required"]) == ("awaiting_approval", True)
    return post


def due_now(desk: Desk) -> None:
    desk.owner.execute("UPDATE t_acme.targets SET due_at = now()")
    desk.owner.execute("UPDATE t_acme.posts SET due_at = now()")


def test_an_approved_post_goes_out(desk: Desk) -> None:
    post = awaiting(desk)
    run = desk.start(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "await_approval"
    reply = approve(desk, post)
    assert (reply.status, reply.json["state"], reply.json["approval"]["approved"]) == (200, "scheduled", True)
    assert "post.approved" in desk.facts(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "publish"
    due_now(desk)
    desk.prepare(post["id"], run)
    assert desk.publish(post["id"], run)["outcome"] == "done"


def test_an_approval_a_second_before_the_time_still_goes_out_promptly(desk: Desk) -> None:
    post = awaiting(desk, at=desk.in_minutes(0.05))
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    assert approve(desk, post).status == 200
    due_now(desk)
    opened = desk.open(post["id"], run)
    assert opened["outcome"] == "publish"
    assert desk.value("SELECT %s::timestamptz <= now() + interval '2 s'", opened["prepare_at"])
    assert desk.prepare(post["id"], run)["outcome"] == "prepared"
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Look at me first"]


def test_an_approval_of_something_else_is_refused_with_the_present_version(desk: Desk) -> None:
    post = awaiting(desk)
    for seen in ({"content_hash": "0" * 64}, {"version": 7}):
        reply = approve(desk, post, **seen)
        assert (reply.status, reply.code, reply.json["current_version"]) == (412, "post-changed", 1)
        assert reply.json["content_hash"] == post["content_hash"]
    stale = desk.admin.post(f"/v1/posts/{post['id']}/approve", {}, if_match='"9"')
    assert stale.status == 412
    assert desk.read(post["id"])["state"] == "awaiting_approval"


def test_an_approval_says_what_it_is_about(desk: Desk) -> None:
    post = awaiting(desk)
    assert desk.admin.post(f"/v1/posts/{post['id']}/approve", {}).status == 428
    assert desk.admin.post(f"/v1/posts/{post['id']}/approve").status == 428
    assert desk.admin.post(f"/v1/posts/{post['id']}/approve", {}, if_match='"1"').status == 200


def test_an_approval_after_the_time_says_to_reschedule(desk: Desk) -> None:
    post = awaiting(desk)
    due_now(desk)
    reply = approve(desk, post)
    assert (reply.status, reply.code) == (409, "approval-too-late")
    assert "reschedule" in reply.json["detail"].lower()


def test_approving_twice_is_refused(desk: Desk) -> None:
    post = awaiting(desk)
    assert approve(desk, post).status == 200
    reply = approve(desk, post)
    assert (reply.status, reply.code, reply.json["state"]) == (409, "nothing-to-approve", "scheduled")


def test_an_editor_may_not_approve(desk: Desk) -> None:
    post = awaiting(desk)
    reply = desk.editor.post(f"/v1/posts/{post['id']}/approve", {"version": 1})
    assert reply.status == 403


def test_a_post_that_nobody_approved_in_time_fails_and_can_be_given_another_time(desk: Desk) -> None:
    post = awaiting(desk)
    run = desk.start(post["id"])
    due_now(desk)
    assert desk.open(post["id"], run)["outcome"] == "settle"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    shown = desk.read(post["id"])
    assert (shown["state"], shown["targets"][0]["problem"]["code"]) == ("failed", "approval-missed")
    assert "another time" in shown["reason"]
    target = shown["targets"][0]["id"]
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/retry").code == "nothing-to-retry"
    moved = desk.editor.patch(f"/v1/posts/{post['id']}", {"publish_at": desk.in_minutes(60)}, if_match="*")
    assert (moved.status, moved.json["state"], moved.json["reason"]) == (200, "awaiting_approval", None)
    assert desk.start(post["id"]) == run + 1


def test_an_edit_after_the_approval_needs_another(desk: Desk) -> None:
    post = awaiting(desk)
    approve(desk, post)
    run = desk.start(post["id"])
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "Something else"}, if_match='"2"')
    assert (reply.status, reply.json["state"], reply.json["version"]) == (200, "awaiting_approval", 3)
    assert reply.json["content_hash"] != post["content_hash"]
    assert reply.json["approval"] == {"required": True, "approved": False, "by": None, "at": None}
    due_now(desk)
    desk.owner.execute("UPDATE t_acme.targets SET run = %s", (run,))
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert desk.mastodon.wire.asked("POST", STATUSES) == 0


def test_another_alt_text_or_variant_or_medium_needs_another_approval(desk: Desk) -> None:
    desk.approvals("required")
    media = [desk.media(), desk.media()]
    post = desk.post("A", accounts=[desk.account()], at=desk.in_minutes(30), media=[{"id": media[0]}])
    for change in (
        {"media": [{"id": media[0], "alt_text": "Other words"}]},
        {"media": [{"id": media[1]}]},
        {"variants": {"mastodon": {"text": "For them alone"}}},
        {"variants": {"mastodon": {"options": {"visibility": "unlisted"}}}},
    ):
        assert approve(desk, post).status == 200
        reply = desk.editor.patch(f"/v1/posts/{post['id']}", change, if_match="*")
        assert (reply.status, reply.json["state"]) == (200, "awaiting_approval"), reply
        assert reply.json["approval"]["approved"] is False


def test_another_target_voids_the_approval_of_every_one(desk: Desk) -> None:
    """A post is approved as a whole: the target whose own part is unchanged waits too."""
    post = awaiting(desk, at=desk.in_minutes(1))
    approve(desk, post)
    run = desk.ready(post["id"])
    accounts = [post["targets"][0]["account_id"], desk.account(token="other_token")]
    targets = [{"account_id": account} for account in accounts]
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"targets": targets}, if_match="*")
    assert (reply.status, reply.json["state"]) == (200, "awaiting_approval")
    assert [target["account_id"] for target in reply.json["targets"]] == accounts
    due_now(desk)
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert desk.mastodon.statuses() == []


def test_an_approval_whose_answer_is_lost_is_noticed_in_a_minute(desk: Desk) -> None:
    post = awaiting(desk)
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    approve(desk, post)
    assert desk.value("SELECT wake_at - now() BETWEEN '50 s' AND '60 s' FROM cell.work")


def test_another_time_keeps_the_approval_and_voids_the_preparation(desk: Desk) -> None:
    post = awaiting(desk, at=desk.in_minutes(1))
    approve(desk, post)
    run = desk.ready(post["id"])
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"publish_at": desk.in_minutes(90)}, if_match='"2"')
    assert (reply.status, reply.json["state"], reply.json["targets"][0]["state"]) == (200, "scheduled", "scheduled")
    assert "post.rescheduled" in desk.facts(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "left"


def test_an_edit_after_preparing_prepares_again_and_publishes_the_new_words(desk: Desk) -> None:
    post = desk.post("Old words", accounts=[desk.account()], at=desk.in_minutes(1))
    run = desk.ready(post["id"])
    desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New words"}, if_match='"1"')
    due_now(desk)
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert desk.settle(post["id"], run)["outcome"] == "again"
    assert desk.open(post["id"], run)["outcome"] == "publish"
    assert desk.prepare(post["id"], run)["outcome"] == "prepared"
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["New words"]


def test_an_edit_during_preparing_throws_the_preparation_away(desk: Desk) -> None:
    post = desk.post("Old words", accounts=[desk.account()], at=desk.in_minutes(1), media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.meanwhile(
        "POST",
        "/api/v2/media",
        lambda: desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New words"}, if_match='"1"'),
    )
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert desk.target(post["id"])["state"] == "scheduled"


def test_a_rejected_post_is_a_draft_with_the_reason(desk: Desk) -> None:
    post = awaiting(desk)
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    reply = desk.admin.post(f"/v1/posts/{post['id']}/reject", {"version": 1, "reason": "Wrong logo"})
    assert (reply.status, reply.json["state"], reply.json["reason"]) == (200, "draft", "Wrong logo")
    assert reply.json["due_at"] is None
    assert "post.rejected" in desk.facts(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "settle"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    again = desk.editor.patch(f"/v1/posts/{post['id']}", {"publish_at": desk.in_minutes(60)}, if_match="*")
    assert (again.json["state"], again.json["reason"]) == ("awaiting_approval", None)
    assert desk.start(post["id"]) == run + 1


def test_the_token_of_a_waiting_run_is_parked_and_that_of_a_decided_post_is_answered(
    desk: Desk, answers: list[str]
) -> None:
    post = awaiting(desk)
    run = desk.start(post["id"])
    assert task_await_approval(desk.given(post["id"], run, token="first"), None) == {"waits": True}
    with transaction(registry.named("acme")) as tx:
        assert work.parked_token(tx, "publish", desk.value("SELECT id FROM t_acme.posts")) == "first"
    assert answers == []
    approve(desk, post)
    assert task_await_approval(desk.given(post["id"], run, token="second"), None) == {"waits": False}
    assert answers == ["second"]
    assert task_await_approval(desk.given(post["id"], run - 1, token="stale"), None) == {"waits": False}
    assert answers == ["second", "stale"]


# Cancelling


def test_a_post_is_cancelled_at_any_time_before_the_call(desk: Desk) -> None:
    account = desk.account()
    scheduled, prepared = (desk.post(accounts=[account], at=desk.in_minutes(1)) for _ in range(2))
    draft = desk.post(accounts=[account], at=None)
    run = desk.ready(prepared["id"])
    for post in (scheduled, prepared, draft):
        reply = desk.editor.post(f"/v1/posts/{post['id']}/cancel")
        assert (reply.status, reply.json["state"]) == (200, "cancelled"), reply
        assert desk.facts(post["id"])[-1] == "post.cancelled"
    due_now(desk)
    assert desk.publish(prepared["id"], run)["outcome"] == "done"
    assert desk.settle(prepared["id"], run)["outcome"] == "settled"
    assert desk.mastodon.statuses() == []
    again = desk.editor.post(f"/v1/posts/{scheduled['id']}/cancel")
    assert (again.status, again.code) == (409, "nothing-to-cancel")


def test_a_cancel_during_the_call_settles_after_it(desk: Desk) -> None:
    post = desk.post("On its way", accounts=[desk.account()])
    run = desk.ready(post["id"])
    seen: list[Reply] = []
    desk.meanwhile("POST", STATUSES, lambda: seen.append(desk.editor.post(f"/v1/posts/{post['id']}/cancel")))
    assert desk.publish(post["id"], run)["outcome"] == "done"
    (reply,) = seen
    assert (reply.status, reply.json["state"]) == (200, "publishing")
    assert reply.json["targets"][0]["cancel_requested"] is True
    shown = desk.read(post["id"])
    assert (shown["state"], shown["targets"][0]["cancel_requested"]) == ("published", False)


def test_a_cancel_during_a_call_that_is_refused_cancels(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="ratelimit")
    desk.meanwhile("POST", STATUSES, lambda: desk.editor.post(f"/v1/posts/{post['id']}/cancel"))
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.read(post["id"])["state"] == "cancelled"


def test_what_was_to_be_cancelled_is_never_sent_again(desk: Desk) -> None:
    post = desk.post("Stop", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    desk.editor.post(f"/v1/posts/{post['id']}/cancel")
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.statuses() == []
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_what_is_out_or_undecided_cannot_be_edited(desk: Desk) -> None:
    account = desk.account()
    published, uncertain = desk.post(accounts=[account]), desk.post(accounts=[account])
    run = desk.ready(published["id"])
    desk.publish(published["id"], run)
    run = desk.ready(uncertain["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    desk.publish(uncertain["id"], run)
    for post in (published, uncertain):
        reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "Other"}, if_match="*")
        assert (reply.status, reply.code) == (409, "post-not-editable")


# Resolving


def unconfirmed(desk: Desk) -> tuple[dict[str, Any], str]:
    post = desk.post("Perhaps", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    desk.settle(post["id"], run)
    target = desk.target(post["id"])
    assert target["state"] == "unconfirmed"
    return post, f"/v1/posts/{post['id']}/targets/{target['id']}/resolve"


def test_it_is_there(desk: Desk) -> None:
    post, address = unconfirmed(desk)
    url = "https://example.social/@acme/4711"
    reply = desk.editor.post(address, {"it_is_there": True, "url": url})
    assert (reply.status, reply.json["state"]) == (200, "published")
    assert reply.json["targets"][0]["receipt"]["remote_id"] == "4711"
    assert reply.json["targets"][0]["receipt"]["url"] == url
    assert desk.facts(str(post["id"]))[-1] == "post.published"
    assert desk.editor.post(address, {"it_is_there": True, "url": url}).code == "nothing-to-resolve"


@pytest.mark.parametrize("added", ["?s=20", "#comments", "/", "/?a=b/c"])
def test_what_is_added_to_an_address_is_not_the_post(desk: Desk, added: str) -> None:
    _, address = unconfirmed(desk)
    reply = desk.editor.post(address, {"it_is_there": True, "url": f"https://example.social/@acme/4711{added}"})
    assert reply.json["targets"][0]["receipt"]["remote_id"] == "4711"


def test_the_receipt_of_another_post_is_not_taken_for_it(desk: Desk) -> None:
    done = desk.post("Out", accounts=[desk.account(keeps_keys=False)])
    desk.publish(done["id"], desk.ready(done["id"]))
    remote_id = desk.target(done["id"])["receipt"]["remote_id"]
    _, address = unconfirmed(desk)
    reply = desk.editor.post(address, {"it_is_there": True, "remote_id": remote_id})
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "another-post")
    assert desk.editor.post(address, {"it_is_there": True, "remote_id": "4712"}).status == 200


def test_post_again(desk: Desk) -> None:
    post, address = unconfirmed(desk)
    assert desk.editor.post(address, {"post_again": True}).status == 200
    run = desk.ready(str(post["id"]))
    assert run == 2
    desk.publish(str(post["id"]), run)
    assert desk.mastodon.texts() == ["Perhaps"]
    assert desk.read(str(post["id"]))["state"] == "published"
    assert desk.editor.post(address, {"post_again": True}).code == "nothing-to-resolve"


def test_a_resolution_is_one_of_two_and_names_the_status(desk: Desk) -> None:
    _, address = unconfirmed(desk)
    for body in ({}, {"it_is_there": True, "post_again": True}, {"it_is_there": True}):
        assert desk.editor.post(address, body).status == 422, body
    for url in ("https://[x", "https://x.com", "https://x.com/?a=1/2"):
        assert desk.editor.post(address, {"it_is_there": True, "url": url}).status == 422, url
    for hostile in ("\x00", "1\x002", "\ud800"):
        assert desk.editor.post(address, {"it_is_there": True, "remote_id": hostile}).status in (400, 422), hostile
