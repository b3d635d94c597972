"""Uploads that nobody has told of: what has come is taken in, what has not is given up, once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from functions.cron_sweep_uploads import handler as sweep
from functions.cron_sweep_uploads.handler import handler as cron_sweep_uploads
from socialflow.media import gateway
from socialflow.platform import database
from tests.integration.media.conftest import Studio
from tests.integration.media.test_announcing import batch, used
from tests.integration.media.test_upload import JPEG
from tests.pictures import photo

NOTHING = {"arrived": 0, "given_up": 0, "failed": []}


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
        studio.put(media_id, b"x" * JPEG["size"])  # type: ignore[operator]
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
        assert swept() == {"arrived": 0, "given_up": 1, "failed": ["contoso"]}
    finally:
        studio.owner.execute("ALTER TABLE t_contoso.hidden RENAME TO media_items")
