"""The objects of what was deleted: they go at once, and whatever is written too late goes later."""

from typing import Any

import boto3
import psycopg
import pytest

from functions.cron_erase_media.handler import handler as cron_erase_media
from functions.on_media_deleted.handler import handler as on_media_deleted
from socialflow.media import gateway, rendering
from socialflow.platform.ids import new_id
from tests.api import Client
from tests.integration.media.conftest import Studio
from tests.integration.media.erasing import fact, sweep, versions
from tests.integration.media.shelf import Shelf
from tests.pictures import photo


def test_what_arrives_too_late_is_swept_away(studio: Studio, admin: Client) -> None:
    data = photo()
    media_id = str(studio.announce(data)["id"])
    key = studio.key(media_id)
    s3 = boto3.client("s3")
    begun = s3.create_multipart_upload(Bucket=studio.cloud.bucket, Key=key)
    assert admin.delete(f"/v1/media/{media_id}").status == 204
    assert on_media_deleted(fact(media_id), None) == {"erased": 0}
    assert begun["UploadId"] not in str(s3.list_multipart_uploads(Bucket=studio.cloud.bucket))
    studio.put(media_id, data)  # by the address that was signed before
    assert studio.event(key) is False
    assert studio.facts(media_id) == ["media.deleted"]
    assert sweep(studio, hours=5) == 0
    assert versions(studio, media_id) == 1
    assert sweep(studio, hours=2) == 1
    assert versions(studio, media_id) == 0
    assert sweep(studio) == 0  # once is enough


def test_a_worker_that_is_overtaken_leaves_nothing_for_long(
    studio: Studio, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = studio.uploaded()
    run, render = studio.start(media_id), rendering.render
    put, late = gateway.put, []

    def overtaken(picture: Any) -> Any:
        made = render(picture)
        assert admin.delete(f"/v1/media/{media_id}").status == 204
        on_media_deleted(fact(media_id), None)
        return made

    def noted(key: str, *rest: Any) -> str:
        late.append(key)
        return put(key, *rest)

    monkeypatch.setattr(rendering, "render", overtaken)
    monkeypatch.setattr(gateway, "put", noted)
    assert studio.process(media_id, run) == "superseded"
    assert studio.value("SELECT count(*) FROM t_acme.derivatives") == 0
    assert versions(studio, media_id) == len(late)
    assert sweep(studio) == 1
    assert versions(studio, media_id) == 0
    assert studio.facts(media_id) == ["media.uploaded", "media.deleted"]


def test_a_write_between_the_last_check_and_the_deletion_is_swept_too(
    studio: Studio, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last object is written after the fact was taken: the row says nothing of it, the sweep finds it."""
    media_id = studio.uploaded()
    run, put = studio.start(media_id), gateway.put

    def overtaken(key: str, *rest: Any) -> str:
        if not studio.value("SELECT deleted_at FROM t_acme.media_items WHERE id = %s", media_id):
            assert admin.delete(f"/v1/media/{media_id}").status == 204
            on_media_deleted(fact(media_id), None)
        return put(key, *rest)

    monkeypatch.setattr(gateway, "put", overtaken)
    assert studio.process(media_id, run) == "superseded"
    assert versions(studio, media_id) > 0
    assert sweep(studio) == 1
    assert versions(studio, media_id) == 0


def test_a_fact_about_what_is_there_erases_nothing(studio: Studio) -> None:
    media_id = studio.uploaded()
    assert on_media_deleted(fact(media_id), None) == {"erased": 0}
    assert on_media_deleted(fact(str(new_id())), None) == {"erased": 0}
    assert on_media_deleted(fact(media_id, tenant="nobody"), None) == {"erased": 0}
    assert versions(studio, media_id) == 1


def test_a_bucket_that_refuses_is_asked_again(
    studio: Studio, admin: Client, monkeypatch: pytest.MonkeyPatch, contoso: object
) -> None:
    media_id = studio.uploaded()
    admin.delete(f"/v1/media/{media_id}")

    def down(*_args: object) -> int:
        raise ConnectionError("the bucket does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "erase", down)
        with pytest.raises(ConnectionError):
            on_media_deleted(fact(media_id), None)
        studio.owner.execute("UPDATE t_acme.media_items SET deleted_at = now() - interval '1 d'")
        assert cron_erase_media({}, None) == {"looked": 0, "failed": ["acme"]}
    assert cron_erase_media({}, None) == {"looked": 1, "failed": []}
    assert versions(studio, media_id) == 0


def test_a_tenants_sweep_goes_batch_by_batch(
    studio: Studio, shelf: Shelf, contoso: object, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.cron_erase_media.handler.BATCH", 2)
    for number in range(5):
        shelf.item(state="deleted", deleted_at=f"2026-01-0{number + 1}T00:00:00Z")
    Shelf(owner, "contoso").item(state="deleted", deleted_at="2026-01-01T00:00:00Z")
    assert cron_erase_media({}, None) == {"looked": 6, "failed": []}
    assert cron_erase_media({}, None) == {"looked": 0, "failed": []}
