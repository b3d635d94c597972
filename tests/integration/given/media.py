"""Media items at each point of their way."""

from uuid import UUID

import boto3

from functions.task_await_review.handler import handler as task_await_review
from functions.task_process_media.handler import handler as task_process_media
from functions.task_process_video.handler import handler as task_process_video
from socialflow.captions import service as captions
from socialflow.captions.model import Wish
from socialflow.media import deletion, uploads
from socialflow.media.upload_model import SMALLEST_PART, Announcement
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.review import service as review
from tests.integration.given import World, preparation
from tests.pictures import photo
from tests.videos import video


@preparation("an upload is awaited")
def upload_awaited(world: World) -> dict[str, str]:
    """Announce a photo: `${media_id}`, to be kept at `${key}`."""
    return _announced(world, photo())


@preparation("an upload in parts is awaited")
def parts_awaited(world: World) -> dict[str, str]:
    """Announce a photo of two parts: `${media_id}`."""
    return _announced(world, bytes(SMALLEST_PART + 1), in_parts=True)


@preparation("a file has been sent")
def file_sent(world: World) -> dict[str, str]:
    """Send an announced photo; nobody has told of it yet."""
    return _sent(world, photo())


@preparation("its address has died")
def address_died(world: World) -> dict[str, str]:
    """Let the time of every upload pass."""
    world.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now()")
    return {}


@preparation("its address died two days ago")
def address_died_long_ago(world: World) -> dict[str, str]:
    """Let the time of every upload be long past."""
    world.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now() - interval '2 d'")
    return {}


@preparation("a photo is to be processed")
def photo_to_process(world: World) -> dict[str, str]:
    """Start the workflow of a photo: run 1."""
    return _started(world, photo())


@preparation("a video is to be processed")
def video_to_process(world: World) -> dict[str, str]:
    """Start the workflow of a video: run 1."""
    return _started(world, video(frames=3), "video/mp4")


@preparation("a page that says it is a video is to be processed")
def page_as_video_to_process(world: World) -> dict[str, str]:
    """Start the workflow of a file that is no video: run 1."""
    return _started(world, b"<html>not a video</html>", "video/mp4")


@preparation("a video is to be hashed")
def video_to_hash(world: World) -> dict[str, str]:
    """Process a video; its digest is asked for, and run 1 of that begins."""
    known = video_to_process(world)
    assert task_process_video(_input(known), None) == {"outcome": "processed"}
    world.owner.execute("UPDATE cell.work SET run = 1, wake_at = now() + interval '2 min' WHERE kind = 'digest'")
    return known


@preparation("a page that says it is a photo is to be processed")
def page_to_process(world: World) -> dict[str, str]:
    """Start the workflow of a file that is no picture: run 1."""
    return _started(world, b"<html>not a picture</html>")


@preparation("a photo is to be captioned")
def photo_to_caption(world: World) -> dict[str, str]:
    """Process a photo for which nobody asked a caption: run 1."""
    known = _started(world, photo())
    assert task_process_media(_input(known), None) == {"outcome": "processed"}
    return known


@preparation("a photo is in review")
def photo_in_review(world: World) -> dict[str, str]:
    """Process a photo and let it wait for a decision: run 1, version 1 of its review."""
    known = photo_to_caption(world)
    assert task_await_review({**_input(known), "token": "a-token"}, None) == {"outcome": "waiting"}
    return known


@preparation("a photo's caption is asked for again")
def caption_asked_again(world: World) -> dict[str, str]:
    """Ask for another caption of a photo in review: `${request_id}`."""
    known = photo_in_review(world)
    with transaction(world.acme) as tx:
        request = captions.ask_again(tx, UUID(known["media_id"]), Wish(), by=new_id(), at=now())
    return {**known, "request_id": str(request.id)}


@preparation("a photo's review has expired")
def review_expired(world: World) -> dict[str, str]:
    """Let the time of a review pass."""
    known = photo_in_review(world)
    world.owner.execute("UPDATE t_acme.reviews SET expires_at = now() WHERE media_id = %s", (known["media_id"],))
    return known


@preparation("a photo is rejected")
def photo_rejected(world: World) -> dict[str, str]:
    """Reject a photo; the workflow has not settled it yet."""
    known = photo_in_review(world)
    world.owner.execute(
        "UPDATE t_acme.reviews SET state = 'rejected', version = 2, decided_at = now(), decided_by = %s,"
        " decided_by_name = 'Somebody' WHERE media_id = %s",
        (new_id(), known["media_id"]),
    )
    return known


def _input(known: dict[str, str]) -> dict[str, object]:
    return {"v": 1, "tenant": "acme", "kind": "ingest", "id": known["media_id"], "run": 1}


def _announced(world: World, data: bytes, kind: str = "image/jpeg", *, in_parts: bool = False) -> dict[str, str]:
    announced = Announcement("harbour.jpg", kind, len(data), in_parts=in_parts)
    with transaction(world.acme) as tx:
        item, _ = uploads.begin(tx, announced, media_id=None, by=new_id(), at=now())
    return {"media_id": str(item.id), "key": item.object_key}


def _sent(world: World, data: bytes, kind: str = "image/jpeg") -> dict[str, str]:
    known = _announced(world, data, kind)
    boto3.client("s3").put_object(Bucket=world.cloud.bucket, Key=known["key"], Body=data, ContentType=kind)
    return known


def _started(world: World, data: bytes, kind: str = "image/jpeg") -> dict[str, str]:
    known = _sent(world, data, kind)
    with transaction(world.acme) as tx:
        uploads.arrive(tx, UUID(known["media_id"]), at=now())
    world.owner.execute("UPDATE cell.work SET run = 1, wake_at = now() + interval '2 min'")
    return known


@preparation("a caption is wished for")
def caption_wished(world: World) -> dict[str, str]:
    """Process a photo whose uploader asks for a caption: run 1."""
    known = photo_to_caption(world)
    with transaction(world.acme) as tx:
        captions.ask(tx, UUID(known["media_id"]), "", by=new_id(), at=now())
    return known


@preparation("a draft has the photo")
def draft_has_the_photo(world: World) -> dict[str, str]:
    """Put a photo into a draft: `${post_id}`."""
    known = photo_in_review(world)
    world.owner.execute(
        "INSERT INTO t_acme.posts (id, state, approval_required, content_hash, request_sha256, created_by)"
        " VALUES (%(id)s, 'draft', false, '', '', %(id)s)",
        {"id": (post_id := new_id())},
    )
    world.owner.execute(
        "INSERT INTO t_acme.post_media VALUES (%s, 0, %s, jsonb_build_object('id', %s::text, 'sha256', '',"
        " 'alt_text', ''))",
        (post_id, known["media_id"], known["media_id"]),
    )
    return known | {"post_id": str(post_id)}


@preparation("a photo in review was deleted")
def photo_deleted(world: World) -> dict[str, str]:
    """Delete a photo that waits for a decision; its objects are still there, and its execution still waits."""
    known = photo_in_review(world)
    media_id = UUID(known["media_id"])
    with transaction(world.acme) as tx:
        review.forget(tx, [media_id])
        deletion.delete(tx, list(deletion.doomed(tx, [media_id]).values()), posts={}, by=new_id(), at=now())
    return known


@preparation("it was deleted a day ago")
def deleted_a_day_ago(world: World) -> dict[str, str]:
    """Let a day pass since every deletion."""
    world.owner.execute("UPDATE t_acme.media_items SET deleted_at = now() - interval '1 d' WHERE state = 'deleted'")
    return {}
