"""A medium of a post is deleted: what was planned with it does not go out, and what goes out has all its media."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import boto3
import pytest

from functions.api_media.removal import REASON, Wish, remove
from functions.on_media_deleted.handler import handler as on_media_deleted
from socialflow.media import gateway as bucket
from socialflow.media.deletion import MediaInUse
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.integration.publishing.conftest import Desk


def delete(desk: Desk, media_id: str, *, force: bool = True) -> int:
    """Delete a medium; return the status."""
    return desk.admin.delete(f"/v1/media/{media_id}" + ("?force=true" if force else "")).status


def test_a_planned_post_becomes_a_draft_that_waits_for_another_medium(desk: Desk) -> None:
    medium, other = desk.media(), desk.media()
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(30), media=[{"id": medium}])
    path = f"/v1/posts/{post['id']}"
    assert delete(desk, medium, force=False) == 409
    assert desk.read(post["id"]) == post
    assert delete(desk, medium) == 204
    draft = desk.read(post["id"])
    assert (draft["state"], draft["due_at"], draft["reason"]) == ("draft", None, REASON)
    assert draft["version"] == post["version"] + 1
    assert [piece["id"] for piece in draft["media"]] == [medium]
    assert draft["targets"][0]["state"] == "scheduled"
    again = desk.editor.patch(path, {"publish_at": desk.in_minutes(30)}, if_match="*")
    assert (again.status, again.code) == (422, "media-not-approved")
    change = {"publish_at": desk.in_minutes(30), "media": [{"id": other}]}
    assert desk.editor.patch(path, change, if_match="*").json["state"] == "scheduled"


def test_a_deleted_medium_cannot_be_chosen(desk: Desk) -> None:
    medium, account = desk.media(), desk.account()
    assert delete(desk, medium, force=False) == 204
    refused = desk.try_post(accounts=[account], media=[{"id": medium}])
    assert (refused.status, refused.code) == (422, "media-not-approved")
    assert "deleted" in refused.json["detail"]


def test_an_approval_does_not_outlive_its_medium(desk: Desk) -> None:
    desk.approvals("required")
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(30), media=[{"id": medium}])
    path = f"/v1/posts/{post['id']}"
    assert desk.admin.post(f"{path}/approve", {"version": 1}).json["approval"]["approved"]
    assert delete(desk, medium) == 204
    draft = desk.read(post["id"])
    assert (draft["state"], draft["approval"]["approved"]) == ("draft", False)
    assert desk.value("SELECT count(*) FROM t_acme.targets WHERE approved_hash IS NOT NULL") == 0
    late = desk.admin.post(f"{path}/approve", {"version": draft["version"]})
    assert (late.status, late.code) == (409, "nothing-to-approve")


def test_one_that_waits_for_its_approval_waits_no_more(desk: Desk) -> None:
    desk.approvals("required")
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(30), media=[{"id": medium}])
    assert delete(desk, medium) == 204
    assert desk.admin.post(f"/v1/posts/{post['id']}/approve", {"version": 1}).status == 412
    (queue,) = desk.admin.get("/v1/me/queue").json["tenants"]
    assert queue["approvals"]["count"] == 0


def test_what_was_prepared_does_not_go_out(desk: Desk) -> None:
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(0.02), media=[{"id": medium}])
    run = desk.ready(post["id"])
    assert delete(desk, medium) == 204
    desk.owner.execute("UPDATE t_acme.targets SET due_at = due_at - interval '1 min'")
    assert desk.publish(post["id"], run)["outcome"] != "done"
    assert desk.mastodon.statuses() == []
    assert desk.target(post["id"])["attempts"] == 0


def test_what_is_on_its_way_out_keeps_its_medium(desk: Desk) -> None:
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], media=[{"id": medium}])
    run = desk.ready(post["id"])
    desk.claim_and_die(post["id"], run)
    refused = desk.admin.delete(f"/v1/media/{medium}?force=true")
    assert (refused.status, refused.code, refused.json["forcible"]) == (409, "media-in-use", False)


def test_what_is_out_does_not_need_it(desk: Desk) -> None:
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], media=[{"id": medium}])
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert delete(desk, medium, force=False) == 204
    assert desk.read(post["id"])["state"] == "published"


def test_a_retry_of_what_failed_says_that_the_medium_is_gone(desk: Desk) -> None:
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], media=[{"id": medium}])
    desk.owner.execute("UPDATE t_acme.targets SET state = 'failed', error_code = 'x', error_detail = 'x'")
    desk.owner.execute("UPDATE t_acme.posts SET state = 'failed'")
    assert delete(desk, medium, force=False) == 409
    assert delete(desk, medium) == 204
    target = desk.target(post["id"])["id"]
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/retry").status == 200
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.prepare(post["id"], run)
    assert desk.target(post["id"])["problem"]["code"] == "media-unavailable"
    assert desk.mastodon.statuses() == []


def test_a_medium_that_goes_while_it_is_prepared_stops_the_target(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    medium = desk.media()
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(5), media=[{"id": medium}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    read = bucket.read

    def overtaken(key: str, version: str) -> bytes:
        monkeypatch.setattr(bucket, "read", read)
        assert delete(desk, medium) == 204
        fact = {"tenant": "acme", "aggregate": {"type": "media", "id": medium}}
        on_media_deleted({"detail": fact}, None)
        return read(key, version)

    monkeypatch.setattr(bucket, "read", overtaken)
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert (desk.read(post["id"])["state"], desk.target(post["id"])["state"]) == ("draft", "scheduled")
    listed = boto3.client("s3").list_object_versions(Bucket=desk.cloud.bucket, Prefix=f"tenants/acme/media/{medium}/")
    assert "Versions" not in listed


def test_a_post_and_a_deletion_at_once_never_leave_a_planned_post_without_its_medium(desk: Desk) -> None:
    """Either the post comes first, and the medium is needed; or the medium goes first, and cannot be chosen."""
    account, seen = desk.account(), set()
    for round_ in range(8):
        medium, barrier = UUID(desk.media()), Barrier(2)

        def remove_it(medium: UUID = medium, barrier: Barrier = barrier) -> bool:
            barrier.wait()
            try:
                with transaction(desk.tenant) as tx:
                    (done,) = remove(tx, [medium], Wish(new_id(), now()))
                    assert done.refusal is None or isinstance(done.refusal, MediaInUse)
                    return done.refusal is None
            finally:
                database.forget()

        with ThreadPoolExecutor(1) as threads:
            removed = threads.submit(remove_it)
            barrier.wait()
            wish = {"media": [{"id": str(medium)}]} if round_ % 2 else {"variants": {"mastodon": {"media": [
                {"id": str(medium)}]}}}  # fmt: skip
            made = desk.try_post(accounts=[account], at=desk.in_minutes(30), **wish)
        assert removed.result() == (made.status == 422), made
        seen.add(made.status)
    assert seen <= {201, 422}
    lost = desk.value(
        "SELECT count(*) FROM t_acme.media_items m CROSS JOIN LATERAL t_acme.posts_with(m.id) p"
        " WHERE m.state = 'deleted' AND p.state = 'scheduled'"
    )
    assert lost == 0
