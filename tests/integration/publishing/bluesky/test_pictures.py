"""A picture that is too heavy for Bluesky goes out as the largest smaller version that is not."""

import hashlib

import boto3
import pytest

from tests.integration.publishing.bluesky.conftest import Sky
from tests.integration.publishing.test_videos import CONTENT, hashed
from tests.pictures import photo

HEAVY = 1_200_000


def heavy_media(sky: Sky, *, smaller: dict[str, int]) -> str:
    """Return an approved media item whose large version weighs too much, with smaller ones of so many bytes."""
    media_id = sky.desk.media(alt_text="Heavy")
    for variant, size in {"large": HEAVY, **smaller}.items():
        data = photo(64, 48).ljust(size, b"\0")
        key = f"tenants/acme/media/{media_id}/{variant}.jpg"
        written = boto3.client("s3").put_object(Bucket=sky.desk.cloud.bucket, Key=key, Body=data)
        sky.desk.owner.execute(
            "DELETE FROM t_acme.derivatives WHERE media_id = %s AND variant = %s", (media_id, variant)
        )
        sky.desk.owner.execute(
            "INSERT INTO t_acme.derivatives VALUES (%s, %s, %s, %s, 'image/jpeg', 64, 48, %s, %s)",
            (media_id, variant, key, written["VersionId"], len(data), hashlib.sha256(data).digest()),
        )
    return media_id


@pytest.mark.parametrize(
    ("smaller", "sent"),
    [({"medium": 900_000, "small": 90_000}, 900_000), ({"medium": 1_100_000, "small": 90_000}, 90_000)],
)
def test_the_largest_that_is_not_too_heavy_goes_out(sky: Sky, smaller: dict[str, int], sent: int) -> None:
    desk = sky.desk
    post = desk.post("", accounts=[sky.account()], media=[{"id": heavy_media(sky, smaller=smaller)}])
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    (record,) = sky.pds.records(sky.owner)
    (image,) = record["value"]["embed"]["images"]
    assert (image["alt"], image["image"]["size"]) == ("Heavy", sent)


def test_where_every_version_is_too_heavy_the_post_is_refused(sky: Sky) -> None:
    media = [{"id": heavy_media(sky, smaller={"small": 1_000_001})}]
    reply = sky.desk.try_post("", accounts=[sky.account()], media=media)
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "too-many-bytes"), reply


def test_a_picture_that_changed_after_it_was_chosen_does_not_go_out(sky: Sky) -> None:
    desk = sky.desk
    media_id = heavy_media(sky, smaller={"medium": 900_000})
    post = desk.post("", accounts=[sky.account()], media=[{"id": media_id}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.owner.execute("UPDATE t_acme.derivatives SET sha256 = %s WHERE variant = 'large'", (b"x" * 32,))
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "media-unavailable"


def test_five_pictures_and_long_texts_are_refused_while_they_are_written(sky: Sky) -> None:
    desk, account = sky.desk, sky.account()
    five = [{"id": desk.media()} for _ in range(5)]
    assert desk.try_post("", accounts=[account], media=five).status == 422
    family = "👩‍👩‍👧"
    assert desk.try_post(family * 150, accounts=[account], at=None).status == 201
    assert desk.try_post(family * 300, accounts=[account]).status == 422, "3,000 bytes are the other limit"
    assert desk.try_post("x" * 301, accounts=[account]).status == 422
    assert desk.try_post("x" * 300, accounts=[account]).status == 201


def test_a_video_is_a_blob_of_its_own(sky: Sky) -> None:
    desk = sky.desk
    media = [{"id": hashed(desk), "alt_text": "A ship"}]
    post = desk.post("Look", accounts=[sky.account()], media=media)
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    (record,) = sky.pds.records(sky.owner)
    embed = record["value"]["embed"]
    assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", "A ship")
    assert (embed["video"]["mimeType"], embed["video"]["size"]) == ("video/mp4", len(CONTENT))
    assert embed["aspectRatio"] == {"width": 320, "height": 180}
