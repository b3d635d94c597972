"""Videos in posts: bound to their own content, and never replaced by a still."""

import hashlib
from typing import Any

from tests.integration.publishing.conftest import Desk

CONTENT = b"all of a video"


def approved_video(desk: Desk, *, sha256: bytes | None) -> str:
    """Return an approved video with its still, hashed or not."""
    media_id = desk.media()
    desk.owner.execute(
        "UPDATE t_acme.media_items SET declared_type = 'video/mp4', content_type = 'video/mp4', object_version = 'v1',"
        " size = %s, sha256 = %s WHERE id = %s",
        (len(CONTENT), sha256, media_id),
    )
    return media_id


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
    media_id = approved_video(desk, sha256=hashlib.sha256(CONTENT).digest())
    draft = desk.post(accounts=[], at=None, media=named(media_id))
    pinned = desk.value("SELECT piece ->> 'sha256' FROM t_acme.post_media WHERE post_id = %s", draft["id"])
    assert pinned == hashlib.sha256(CONTENT).hexdigest()


def test_a_network_that_gets_no_videos_says_so_when_the_post_is_made(desk: Desk) -> None:
    media_id = approved_video(desk, sha256=hashlib.sha256(CONTENT).digest())
    reply = desk.try_post(accounts=[desk.account()], media=named(media_id))
    assert (reply.status, reply.code) == (422, "does-not-fit")
    assert [error["code"] for error in reply.json["errors"]] == ["video-not-sent"]
    assert "Videos do not go out to mastodon yet" in reply.json["detail"]
    instead = desk.post(
        accounts=[desk.account()], media=named(media_id), variants={"mastodon": {"media": named(desk.media())}}
    )
    assert instead["targets"]


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
