"""Videos in posts: bound to their own content, sent as they are, and never replaced by a still."""

import hashlib
from functools import partial
from typing import Any

import boto3

from tests.integration.publishing.conftest import Desk
from tests.videos import video

CONTENT = video(frames=30)


def approved_video(desk: Desk, *, sha256: bytes | None, content: bytes = CONTENT, seconds: float = 1.0) -> str:
    """Return an approved video with its still, hashed or not."""
    media_id = desk.media()
    key = f"tenants/acme/media/{media_id}/original.mp4"
    written = boto3.client("s3").put_object(Bucket=desk.cloud.bucket, Key=key, Body=content, ContentType="video/mp4")
    desk.owner.execute(
        "UPDATE t_acme.media_items SET declared_type = 'video/mp4', content_type = 'video/mp4', object_key = %s,"
        " object_version = %s, size = %s, sha256 = %s, width = 320, height = 180, duration_ms = %s,"
        " video_codec = 'h264', audio_codec = 'aac', frame_rate = 30 WHERE id = %s",
        (key, written["VersionId"], len(content), sha256, int(seconds * 1000), media_id),
    )
    return media_id


def hashed(desk: Desk, **more: Any) -> str:
    """Return an approved video that was read to its end."""
    return approved_video(desk, sha256=hashlib.sha256(more.get("content", CONTENT)).digest(), **more)


def named(media_id: str) -> list[dict[str, Any]]:
    return [{"id": media_id}]


def test_a_video_that_is_not_hashed_yet_says_to_try_again(desk: Desk) -> None:
    media = named(approved_video(desk, sha256=None))
    for asked in ({"accounts": [], "at": None, "media": media}, {"accounts": [desk.account()], "media": media}):
        reply = desk.try_post(**asked)
        assert (reply.status, reply.code) == (409, "media-still-read"), reply
        assert "Try again in a minute" in reply.json["detail"]
        assert reply.json["errors"][0]["pointer"] == "/media/0/id"
        assert reply.headers["retry-after"] == "60"
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0


def test_a_medium_that_nobody_approved_is_told_of_first(desk: Desk) -> None:
    media = [*named(approved_video(desk, sha256=None)), *named(desk.media(state="rejected"))]
    assert desk.try_post(accounts=[], at=None, media=media).code == "media-not-approved"


def test_a_draft_is_bound_to_the_videos_own_content(desk: Desk) -> None:
    media_id = hashed(desk)
    draft = desk.post(accounts=[], at=None, media=named(media_id))
    pinned = desk.value("SELECT piece ->> 'sha256' FROM t_acme.post_media WHERE post_id = %s", draft["id"])
    assert pinned == hashlib.sha256(CONTENT).hexdigest()


def test_a_video_goes_out_as_it_was_approved(desk: Desk) -> None:
    media_id = hashed(desk)
    post = desk.post(accounts=[desk.account()], media=[{"id": media_id, "alt_text": "A ship"}])
    desk.mastodon.wire.remember("POST", "/api/v2/media")
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    (status,) = desk.mastodon.statuses()
    (attachment,) = status["media_attachments"]
    assert attachment["description"] == "A ship"
    (sent,) = desk.mastodon.wire.remembered
    assert CONTENT in sent
    assert b"video/mp4" in sent


def test_a_video_that_is_not_what_was_approved_stays_here(desk: Desk) -> None:
    media_id = hashed(desk)
    post = desk.post(accounts=[desk.account()], media=named(media_id))
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    key = f"tenants/acme/media/{media_id}/original.mp4"
    other = boto3.client("s3").put_object(Bucket=desk.cloud.bucket, Key=key, Body=CONTENT + b"!")
    desk.owner.execute(
        "UPDATE t_acme.media_items SET object_version = %s WHERE id = %s", (other["VersionId"], media_id)
    )
    assert desk.prepare(post["id"], run)["outcome"] == "again"
    assert "was not read whole" in desk.target(post["id"])["problem"]["detail"]
    assert desk.mastodon.statuses() == []


def test_preparing_a_video_has_more_time_than_pictures(desk: Desk) -> None:
    for media, seconds in ((hashed(desk), 620), (desk.media(), 200)):
        left: list[float] = []
        desk.meanwhile("POST", "/api/v2/media", partial(_note_lease, desk, left))
        post = desk.post(accounts=[desk.account()], media=named(media))
        desk.ready(post["id"])
        assert seconds - 30 < left[0] <= seconds


def _note_lease(desk: Desk, left: list[float]) -> None:
    query = "SELECT extract(epoch FROM lease - now())::float FROM t_acme.targets WHERE state = 'preparing'"
    left.append(desk.value(query))


def test_a_video_that_is_too_heavy_is_refused_when_the_post_is_made(desk: Desk) -> None:
    media_id = hashed(desk)
    desk.owner.execute("UPDATE t_acme.media_items SET size = 200000000 WHERE id = %s", (media_id,))
    reply = desk.try_post(accounts=[desk.account()], media=named(media_id))
    assert (reply.status, [error["code"] for error in reply.json["errors"]]) == (422, ["too-many-bytes"])


def test_a_video_that_the_network_cannot_play_asks_for_a_rendition(desk: Desk) -> None:
    media_id = hashed(desk)
    desk.owner.execute("UPDATE t_acme.media_items SET audio_codec = 'pcm_s16le' WHERE id = %s", (media_id,))
    draft = {"text": "Look", "media": named(media_id), "targets": [{"account_id": desk.account()}]}
    report = desk.editor.post("/v1/posts/validate", draft).json
    (found,) = [one for one in report["networks"][0]["findings"] if one["code"] == "audio-codec"]
    assert found["severity"] == "error"
    assert f"POST /v1/media/{media_id}/renditions" in found["advice"]
    assert "rendition_id" in found["advice"]


def test_a_still_is_never_sent_in_a_videos_place(desk: Desk) -> None:
    """A post from before its medium was known to be a video: its pinned content is not the still's."""
    post = desk.post(accounts=[desk.account()], media=named(desk.media()))
    desk.owner.execute(
        "UPDATE t_acme.post_media SET piece = jsonb_set(piece, '{sha256}', to_jsonb(%s::text))",
        (hashlib.sha256(CONTENT).hexdigest(),),
    )
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.prepare(post["id"], run)
    target = desk.target(post["id"])
    assert (target["state"], desk.mastodon.statuses()) == ("failed", [])
