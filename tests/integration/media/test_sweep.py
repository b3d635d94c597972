"""Uploads that nobody has told of: what has come is taken in, what has not is given up, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import boto3
import pytest

from functions.cron_sweep_uploads import handler as sweep
from functions.cron_sweep_uploads.handler import handler as cron_sweep_uploads
from socialflow.media import gateway, leftovers
from socialflow.platform import database
from socialflow.platform.ids import new_id
from tests.integration.media.conftest import Studio
from tests.integration.media.test_announcing import batch, used
from tests.integration.media.test_upload import JPEG
from tests.pictures import photo

NOTHING = {"arrived": 0, "given_up": 0, "left_over": 0, "failed": []}


def swept() -> dict[str, Any]:
    """One sweep."""
    found: dict[str, Any] = cron_sweep_uploads({}, None)
    return found


def ago(studio: Studio, time: str) -> None:
    """Let every address have died some time ago."""
    studio.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now() - %s::interval", (time,))


def state(studio: Studio, media_id: str) -> str:
    """What a media item's row says, also a tombstone's."""
    return str(studio.value("SELECT state FROM t_acme.media_items WHERE id = %s", media_id))


def test_a_file_of_which_nobody_told_is_taken_in(studio: Studio) -> None:
    data = photo()
    media_id = studio.announce(data)["id"]
    studio.put(media_id, data)
    assert swept() == NOTHING  # its sender may be about to tell
    ago(studio, "1 s")
    assert swept() == {**NOTHING, "arrived": 1}
    assert swept() == NOTHING
    assert (state(studio, media_id), studio.facts(media_id)) == ("processing", ["media.uploaded"])
    assert used(studio, "storage_bytes") == len(data)
    assert studio.process(media_id, studio.start(media_id)) == "processed"


def test_a_file_is_taken_in_however_late_it_is_found(studio: Studio) -> None:
    data = photo()
    media_id = studio.announce(data)["id"]
    studio.put(media_id, data)
    ago(studio, "30 d")
    assert swept() == {**NOTHING, "arrived": 1}


def test_what_does_not_come_is_given_up_a_day_after_its_address_has_died(studio: Studio) -> None:
    media_id = studio.announce(photo())["id"]
    ago(studio, "23 h")
    assert swept() == NOTHING
    assert state(studio, media_id) == "awaiting_upload"
    ago(studio, "25 h")
    assert swept() == {**NOTHING, "given_up": 1}
    assert swept() == NOTHING
    assert (state(studio, media_id), studio.facts(media_id), used(studio, "uploads")) == ("deleted", [], 0)
    assert studio.client.get(f"/v1/media/{media_id}/upload").status == 410
    told = studio.value("SELECT (deleted_at IS NOT NULL, deleted_by IS NULL)::text FROM t_acme.media_items")
    assert told == "(t,t)"


def test_what_is_announced_again_meanwhile_is_not_given_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = studio.announce(photo())["id"]
    ago(studio, "2 d")

    def renewed(_key: str) -> None:  # between the sweep's look at the row and its look at the bucket
        studio.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now() + interval '1 h'")

    monkeypatch.setattr(gateway, "head", renewed)
    assert swept() == NOTHING
    assert state(studio, media_id) == "awaiting_upload"


def test_parts_of_what_is_given_up_are_thrown_away(studio: Studio) -> None:
    media_id = studio.announce(photo(), parts=True)["id"]
    ago(studio, "2 d")
    assert swept() == {**NOTHING, "given_up": 1}
    open_uploads = boto3.client("s3").list_multipart_uploads(Bucket=studio.cloud.bucket).get("Uploads", [])
    assert not [one for one in open_uploads if media_id in one["Key"]]


def test_every_upload_has_its_turn_and_two_sweeps_at_once_are_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 3)
    begun = [each["id"] for each in batch(studio, *[JPEG] * 10).json["results"]]
    for media_id in begun[:4]:
        studio.put(media_id, bytes(1_000))
    ago(studio, "2 d")

    def run(_: int) -> dict[str, Any]:
        try:
            return swept()
        finally:
            database.forget()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first["given_up"] + second["given_up"] == 6
    assert [state(studio, one) for one in begun] == ["processing"] * 4 + ["deleted"] * 6
    assert (used(studio, "uploads"), used(studio, "storage_bytes")) == (4, 4 * 1_000)


def test_one_tenants_trouble_stops_no_other(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.announce(photo())
    ago(studio, "2 d")
    studio.owner.execute("ALTER TABLE t_contoso.media_items RENAME TO hidden")
    try:
        assert swept() == {**NOTHING, "given_up": 1, "failed": ["contoso"]}
    finally:
        studio.owner.execute("ALTER TABLE t_contoso.hidden RENAME TO media_items")


def made(hours: float) -> UUID:
    """An id that was made so many hours ago."""
    moment = datetime.now(UTC) - timedelta(hours=hours)
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | 5)


def left(studio: Studio, *ids: UUID) -> list[bool]:
    """Which media items have objects in the bucket."""
    s3 = boto3.client("s3")
    return [
        bool(s3.list_objects_v2(Bucket=studio.cloud.bucket, Prefix=f"tenants/acme/media/{one}/").get("Contents"))
        for one in ids
    ]


def test_objects_without_a_row_go_a_day_later_and_no_others(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "QUIET", timedelta(seconds=-60))  # as if nothing had been written since
    young, forgotten, known, buried, old = ids = [made(23), made(25), made(25.5), made(26), made(28)]
    for one in ids:
        for variant in ("original", "thumb"):
            key = f"tenants/acme/media/{one}/{variant}.jpg"
            boto3.client("s3").put_object(Bucket=studio.cloud.bucket, Key=key, Body=b"x")
    other = f"tenants/contoso/media/{known}/original.jpg"
    boto3.client("s3").put_object(Bucket=studio.cloud.bucket, Key=other, Body=b"x")
    for one, told in ((known, "approved"), (buried, "deleted")):
        studio.owner.execute(
            "INSERT INTO t_acme.media_items (id, state, file_name, declared_type, declared_size, object_key,"
            " upload_expires_at, created_by, deleted_at) VALUES (%s, %s, 'a', 'image/jpeg', 1, 'k', now(), %s,"
            " CASE %s WHEN 'deleted' THEN now() END)",
            (one, told, new_id(), told),
        )
    assert swept() == {**NOTHING, "left_over": 3}
    assert left(studio, young, forgotten, known, buried, old) == [True, False, True, True, True]
    assert swept() == NOTHING


def test_what_was_written_just_now_is_left_alone(studio: Studio) -> None:
    forgotten = made(25)
    key = f"tenants/acme/media/{forgotten}/original.jpg"
    boto3.client("s3").put_object(Bucket=studio.cloud.bucket, Key=key, Body=b"x")
    assert swept() == NOTHING
    assert left(studio, forgotten) == [True]
    boto3.client("s3").delete_object(Bucket=studio.cloud.bucket, Key=key)
