"""A media item is deleted: nothing of it is left but a tombstone, whoever was at work on it."""

from functools import partial
from uuid import UUID

import pytest

from functions.api_media.removal import Wish, remove
from functions.on_decision.handler import handler as on_decision
from functions.on_media_deleted.handler import handler as on_media_deleted
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.api import Client
from tests.integration.access.conftest import MadeKey, holder, made_key
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.integration.media.erasing import fact, stored, sweep, versions
from tests.integration.media.shelf import SOMEBODY, Shelf
from tests.integration.media.test_together import together
from tests.pictures import photo

__all__ = ["made_key"]
KEPT = {"id", "version", "state", "stage", "percent", "kind", "deleted_at", "deleted_by", "created_by", "created_at"}
KEPT |= {"updated_at", "upload_expires_at", "declared_type", "declared_size", "object_key", "inspections"}
SIZES = {"content_type", "size", "width", "height", "duration_ms", "video_codec", "audio_codec", "frame_rate"}


def test_from_a_review_to_nothing(studio: Studio, admin: Client, shelf: Shelf) -> None:
    other = studio.uploaded()
    media_id, _ = studio.in_review(caption={"prompt": "a secret wish"})
    studio.client.patch(f"/v1/media/{media_id}/review", {"caption": "A secret"}, if_match="*")
    said = {"title": "A secret", "alt_text": "A secret", "tags": ["secret"], "focal_point": {"x": 0.5, "y": 0.5}}
    assert studio.client.patch(f"/v1/media/{media_id}", said, if_match="*").status == 200
    before, shown = stored(studio), studio.read(media_id)

    reply = admin.delete(f"/v1/media/{media_id}", if_match=f'"{shown["version"]}"')
    assert (reply.status, reply.text) == (204, "")

    row = {name: value for name, value in shelf.row(media_id).items() if value not in (None, "", [], False)}
    assert row.keys() <= KEPT | SIZES | {"file_name"}
    assert (row["state"], row["file_name"], row["version"]) == ("deleted", "deleted", shown["version"] + 1)
    for table in ("derivatives", "captions", "caption_requests", "reviews", "renditions"):
        assert studio.value(f"SELECT count(*) FROM t_acme.{table} WHERE media_id = %s", media_id) == 0, table
    assert before - stored(studio) == len(photo())
    assert studio.facts(media_id)[-1] == "media.deleted"
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", media_id) is None
    for path in ("", "/captions", "/download", "/review"):
        gone = studio.client.get(f"/v1/media/{media_id}{path}")
        assert (gone.status, gone.code) == (410, "media-deleted"), path
        assert gone.json["deleted_at"]
    for path in ("review/approve", "review/reject", "confirm"):
        assert studio.client.post(f"/v1/media/{media_id}/{path}", {} if "review" in path else None).status == 410
    assert studio.client.get("/v1/reviews").json["items"] == []
    assert [item["id"] for item in studio.client.get("/v1/media").json["items"]] == [other]
    (tombstone,) = studio.client.get("/v1/media?state=deleted").json["items"]
    assert (tombstone["id"], tombstone["derivatives"], tombstone["caption"]) == (media_id, [], None)

    left, erased = versions(studio, other), versions(studio, media_id)
    assert erased >= 6
    assert on_media_deleted(fact(media_id), None) == {"erased": erased}
    assert on_media_deleted(fact(media_id), None) == {"erased": 0}
    assert (versions(studio, media_id), versions(studio, other)) == (0, left)


def test_the_execution_that_waits_for_the_review_is_told(studio: Studio, admin: Client) -> None:
    media_id, run = studio.in_review()
    assert admin.delete(f"/v1/media/{media_id}").status == 204
    assert on_decision(fact(media_id), None) == {"woken": True}
    assert studio.answers.given == [("token-1", {"outcome": "decided"})]
    assert studio.settle(media_id, run) == "superseded"


def test_a_run_that_is_started_again_by_hand_ends_at_once(studio: Studio, admin: Client) -> None:
    media_id = studio.uploaded()
    admin.delete(f"/v1/media/{media_id}")
    run = studio.start(media_id)
    assert studio.process(media_id, run) == "superseded"
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", media_id) is None


def test_deleting_again_is_what_was_wanted_and_counts_once(studio: Studio, admin: Client) -> None:
    media_id, other = studio.uploaded(), studio.uploaded()
    assert [admin.delete(f"/v1/media/{media_id}").status for _ in range(3)] == [204, 204, 204]
    assert studio.facts(media_id).count("media.deleted") == 1
    assert stored(studio) == len(photo())
    assert studio.read(other)["state"] == "processing"


def test_what_took_no_room_gives_none_back(studio: Studio, admin: Client) -> None:
    studio.uploaded()
    awaited = str(studio.announce(photo())["id"])
    refused = studio.uploaded(b"<html>not a picture</html>")
    assert studio.process(refused, studio.start(refused)) == "refused"
    uploads = "SELECT used FROM cell.usage WHERE meter = 'uploads'"
    before, begun = stored(studio), studio.value(uploads)
    assert (before, begun) == (len(photo()), 3)
    for media_id in (awaited, refused):
        assert admin.delete(f"/v1/media/{media_id}").status == 204
    assert (stored(studio), studio.value(uploads)) == (before, 2)  # what never came was no upload


def test_who_may_delete(studio: Studio, shelf: Shelf, member: Member, made_key: MadeKey) -> None:
    for role, status in (("viewer", 403), ("editor", 403), ("admin", 204), ("owner", 204)):
        media_id = shelf.item()
        assert member(role).delete(f"/v1/media/{media_id}").status == status, role
        many = member(role).post("/v1/media/batch/delete", {"ids": [shelf.item()]})
        assert many.status == (200 if status == 204 else 403), role
    key = holder(made_key("media:delete", by="admin")["key"])
    assert key.delete(f"/v1/media/{shelf.item()}").status == 204
    forced = key.delete(f"/v1/media/{shelf.item()}?force=true")
    assert (forced.status, forced.code, forced.json["permission"]) == (403, "permission-denied", "publishing:write")
    assert key.post("/v1/media/batch/delete", {"ids": [shelf.item()], "force": True}).status == 403


def test_a_deletion_may_be_of_the_version_that_was_read(admin: Client, shelf: Shelf) -> None:
    media_id = shelf.item()
    stale = admin.delete(f"/v1/media/{media_id}", if_match='"7"')
    assert (stale.status, stale.code, stale.json["current_version"]) == (412, "media-changed", 1)
    assert shelf.row(media_id)["state"] == "approved"
    assert admin.delete(f"/v1/media/{media_id}", if_match='"1"').status == 204
    assert admin.delete(f"/v1/media/{new_id()}").code == "media-not-found"


@pytest.mark.parametrize(
    ("state", "stands", "forced"),
    [
        ("draft", True, True),
        ("awaiting_approval", True, True),
        ("scheduled", True, True),
        ("held", True, True),
        ("publishing", True, False),
        ("failed", True, True),
        ("partial", True, True),
        ("unconfirmed", True, True),
        ("published", False, True),
        ("cancelled", False, True),
    ],
)
@pytest.mark.parametrize("own", [True, False], ids=["its-own", "a-networks"])
def test_a_post_that_needs_it_stands_in_the_way(  # noqa: PLR0917 - a case has four parts
    admin: Client, shelf: Shelf, studio: Studio, state: str, stands: bool, forced: bool, own: bool
) -> None:
    media_id, other = shelf.item(), shelf.item()
    post = shelf.post(state, media_id, other) if own else shelf.post(state, other, variants={"x": [media_id]})
    reply = admin.delete(f"/v1/media/{media_id}")
    if not stands:
        assert reply.status == 204
        return
    assert (reply.status, reply.code) == (409, "media-in-use")
    assert (reply.json["posts"], reply.json["forcible"]) == ([{"id": post, "state": state}], forced)
    assert shelf.row(media_id)["state"] == "approved"
    again = admin.delete(f"/v1/media/{media_id}?force=true")
    assert again.status == (204 if forced else 409)
    planned = state in ("awaiting_approval", "scheduled", "held")
    after, reason = studio.owner.execute("SELECT state, reason FROM t_acme.posts").fetchone() or ("", "")
    assert after == ("draft" if planned else state)
    assert (reason is not None) == planned
    told = studio.value("SELECT data -> 'posts' FROM cell.outbox WHERE type = 'media.deleted'")
    assert told == ([post] if planned else [] if forced else None)


def test_a_post_is_named_once_and_no_more_than_fifty_are(admin: Client, shelf: Shelf) -> None:
    media_id = shelf.item()
    both = shelf.post("draft", media_id, variants={"x": [media_id], "mastodon": [media_id]})
    assert [post["id"] for post in admin.delete(f"/v1/media/{media_id}").json["posts"]] == [both]
    for _ in range(60):
        shelf.post("draft", media_id)
    refused = admin.delete(f"/v1/media/{media_id}").json
    assert len(refused["posts"]) == 50
    assert refused["detail"].startswith("61 posts")


def test_of_many_each_is_answered_for_itself(admin: Client, shelf: Shelf, studio: Studio) -> None:
    plain, used, gone, nobody = shelf.item(), shelf.item(), shelf.item(state="deleted"), str(new_id())
    leaving, planned = shelf.item(), shelf.item()
    draft, going = shelf.post("draft", used), shelf.post("publishing", leaving)
    shelf.post("scheduled", planned, plain)
    body = {"ids": [plain, used, gone, nobody, leaving, planned]}
    first = admin.post("/v1/media/batch/delete", {"ids": [plain, used, gone, nobody]})
    told = {one["id"]: (one["status"], (one["problem"] or {}).get("code")) for one in first.json["results"]}
    assert told == {
        plain: (409, "media-in-use"),
        used: (409, "media-in-use"),
        gone: (200, None),
        nobody: (404, "media-not-found"),
    }
    assert first.json["results"][1]["problem"]["posts"] == [{"id": draft, "state": "draft"}]
    second = admin.post("/v1/media/batch/delete", {**body, "force": True}, idempotency_key="once")
    assert [one["status"] for one in second.json["results"]] == [200, 200, 200, 404, 409, 200]
    assert second.json["results"][4]["problem"]["posts"] == [{"id": going, "state": "publishing"}]
    states = {media_id: shelf.row(media_id)["state"] for media_id in (plain, used, leaving, planned)}
    assert states == {plain: "deleted", used: "deleted", leaving: "approved", planned: "deleted"}
    assert studio.value("SELECT count(*) FROM cell.outbox WHERE type = 'media.deleted'") == 3
    replayed = admin.post("/v1/media/batch/delete", {**body, "force": True}, idempotency_key="once")
    assert (replayed.json, replayed.headers["idempotency-replayed"]) == (second.json, "true")


def test_of_many_who_delete_at_once_one_does_and_the_bytes_go_once(studio: Studio) -> None:
    def delete(media_id: UUID) -> bool:
        with transaction(studio.tenant) as tx:
            (done,) = remove(tx, [media_id], Wish(SOMEBODY, now()))
            return done.refusal is None

    for _ in range(5):
        kept, media_id = studio.uploaded(), studio.uploaded()
        before = stored(studio)
        assert together(*[partial(delete, UUID(media_id))] * 4) == [True] * 4
        assert before - stored(studio) == len(photo())
        assert studio.facts(media_id).count("media.deleted") == 1
        assert studio.read(kept)["state"] == "processing"


def test_batches_that_overlap_wait_for_each_other_and_not_in_a_circle(studio: Studio, shelf: Shelf) -> None:
    def delete(ids: list[UUID]) -> int:
        with transaction(studio.tenant) as tx:
            return len([done for done in remove(tx, ids, Wish(SOMEBODY, now())) if done.refusal is None])

    for _ in range(5):
        ids = [UUID(shelf.item()) for _ in range(20)]
        ways = (ids, ids[::-1], ids[10:] + ids[:10], ids[5:])
        assert together(*(partial(delete, way) for way in ways)) == [20, 20, 20, 15]


def test_a_deletion_and_a_worker_at_once_end_in_a_tombstone_either_way(studio: Studio, admin: Client) -> None:
    def delete(media_id: UUID) -> str:
        with transaction(studio.tenant) as tx:
            remove(tx, [media_id], Wish(SOMEBODY, now()))
        return "deleted"

    for _ in range(4):
        media_id = studio.uploaded()
        run = studio.start(media_id)
        processed, deleted = together(partial(studio.process, media_id, run), partial(delete, UUID(media_id)))
        assert deleted == "deleted"
        assert processed in ("processed", "superseded")
        assert studio.value("SELECT state FROM t_acme.media_items WHERE id = %s", media_id) == "deleted"
        assert studio.value("SELECT count(*) FROM t_acme.derivatives WHERE media_id = %s", media_id) == 0
        assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", media_id) is None
        assert studio.facts(media_id)[-1] == "media.deleted"
    sweep(studio)
    assert versions(studio, media_id) == 0


def test_what_was_cut_for_networks_goes_too_its_work_ends_and_its_bytes_are_given_back(
    studio: Studio, admin: Client, shelf: Shelf
) -> None:
    media_id = studio.uploaded()
    ready, queued = new_id(), new_id()
    made = {"object_key": "k", "object_version": "v", "size": 500}
    for rendition, state, what in ((ready, "ready", made), (queued, "queued", {"size": 9_000})):
        values = {"id": rendition, "media_id": media_id, "network": "x", "spec": "{}", "requested_by": SOMEBODY}
        shelf.insert("renditions", {**values, "spec_sha256": rendition.bytes, "state": state, **what})
    studio.owner.execute("UPDATE cell.usage SET used = used + 500 WHERE meter = 'storage_bytes'")
    work = "INSERT INTO cell.work (tenant, kind, id, wake_at) VALUES ('acme', 'rendition', %s, now())"
    studio.owner.execute(work, (queued,))
    assert admin.delete(f"/v1/media/{media_id}").status == 204
    assert stored(studio) == 0
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 0
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0
