"""A rendition goes out in its medium's place: exactly the one that was approved, and only where it was made for."""

import hashlib
from typing import Any

import boto3
import pytest
from psycopg.types.json import Jsonb

from socialflow.platform.ids import new_id
from tests.integration.publishing.conftest import Desk
from tests.pictures import photo


def rendition(desk: Desk, media_id: str, *, network: str = "mastodon", state: str = "ready", sky: str = "red") -> str:
    """Return a rendition of a media item; `state` ready: with its object."""
    made, data = new_id(), photo(40, 40, sky=sky)
    desk.owner.execute(
        "INSERT INTO t_acme.renditions (id, media_id, network, spec, spec_sha256, requested_by, requested_at, state)"
        " VALUES (%s, %s, %s, %s, %s, %s, now(), 'rendering')",
        (made, media_id, network, Jsonb({"kind": "image"}), made.bytes * 2, new_id()),
    )
    if state == "ready":
        key = f"tenants/acme/media/{media_id}/renditions/{made}-1.jpg"
        written = boto3.client("s3").put_object(Bucket=desk.cloud.bucket, Key=key, Body=data, ContentType="image/jpeg")
        desk.owner.execute(
            "UPDATE t_acme.renditions SET state = 'ready', object_key = %s, object_version = %s, width = 40,"
            " height = 40, content_type = 'image/jpeg', size = %s, sha256 = %s WHERE id = %s",
            (key, written["VersionId"], len(data), hashlib.sha256(data).digest(), made),
        )
    return str(made)


def instead(media_id: str, made: str, network: str = "mastodon") -> dict[str, Any]:
    """Return the part of a post that names a rendition."""
    return {"variants": {network: {"media": [{"id": media_id, "rendition_id": made, "alt_text": "Square"}]}}}


def test_the_rendition_goes_out_and_not_the_picture(desk: Desk) -> None:
    media_id = desk.media()
    made = rendition(desk, media_id)
    post = desk.post(accounts=[desk.account()], media=[{"id": media_id}], **instead(media_id, made))
    desk.mastodon.wire.remember("POST", "/api/v2/media")
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    (sent,) = desk.mastodon.wire.remembered
    assert photo(40, 40, sky="red") in sent
    (shown,) = desk.read(post["id"])["variants"]["mastodon"]["media"]
    assert shown["sha256"] == hashlib.sha256(photo(40, 40, sky="red")).hexdigest()


def test_an_edit_of_the_text_keeps_it_and_another_rendition_is_another_content(desk: Desk) -> None:
    media_id = desk.media()
    first, second = rendition(desk, media_id), rendition(desk, media_id, sky="blue")
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60), **instead(media_id, first))
    path, version = f"/v1/posts/{post['id']}", f'"{post["version"]}"'
    edited = desk.editor.patch(path, {"text": "Other words"}, **{"if-match": version}).json
    assert edited["variants"]["mastodon"]["media"] == post["variants"]["mastodon"]["media"]
    version = f'"{edited["version"]}"'
    recut = desk.editor.patch(path, instead(media_id, second), **{"if-match": version}).json
    assert recut["content_hash"] != edited["content_hash"]


@pytest.mark.parametrize("case", ["unknown", "another medium's", "not ready", "other network", "for every network"])
def test_a_rendition_that_cannot_go_out_there_is_refused_in_words(desk: Desk, case: str) -> None:
    media_id, account = desk.media(), desk.account()
    made = {
        "unknown": lambda: str(new_id()),
        "another medium's": lambda: rendition(desk, desk.media()),
        "not ready": lambda: rendition(desk, media_id, state="rendering"),
        "other network": lambda: rendition(desk, media_id, network="instagram"),
        "for every network": lambda: rendition(desk, media_id),
    }[case]()
    body = instead(media_id, made)
    pointer = "/variants/mastodon/media/0/rendition_id"
    if case == "for every network":
        body, pointer = {"media": [{"id": media_id, "rendition_id": made}]}, "/media/0/rendition_id"
    reply = desk.try_post(accounts=[account], **body)
    assert (reply.status, reply.code) == (422, "rendition-unusable"), reply
    assert reply.json["errors"][0]["pointer"] == pointer
    report = desk.editor.post("/v1/posts/validate", {"text": "x", "targets": [{"account_id": account}], **body}).json
    assert (pointer, "error") in {(one["pointer"], one["severity"]) for one in report["findings"]}


def test_a_rendition_of_a_medium_that_is_no_longer_approved_stays_here(desk: Desk) -> None:
    media_id = desk.media()
    post = desk.post(accounts=[desk.account()], **instead(media_id, rendition(desk, media_id)))
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected' WHERE id = %s", (media_id,))
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "media-unavailable"
    assert desk.mastodon.statuses() == []


def test_what_a_rendition_was_made_to_mend_is_not_held_against_it(desk: Desk) -> None:
    media_id = desk.media()
    desk.owner.execute("UPDATE t_acme.derivatives SET size = 90000000 WHERE media_id = %s", (media_id,))
    account = desk.account()
    refused = desk.try_post(accounts=[account], media=[{"id": media_id}])
    assert refused.json["errors"][0]["code"] == "too-many-bytes"
    assert desk.post(accounts=[account], **instead(media_id, rendition(desk, media_id)))["targets"]
