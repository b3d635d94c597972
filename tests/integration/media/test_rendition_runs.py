"""Making renditions: what is served is what the row names, whoever is killed or comes late."""

import io
from typing import Any

import boto3
import pytest
from PIL import Image

from socialflow.media import cutting, gateway, rendition_model, renditions
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.integration.media.wishes import asked, processed, read, render, served
from tests.pictures import photo


class Killed(BaseException):
    """The sandbox is gone."""


def test_a_photo_is_cut_as_the_network_takes_it(studio: Studio) -> None:
    media_id = processed(studio)
    first = asked(studio, media_id)
    assert (first["state"], first["percent"], first["url"]) == ("queued", 0, None)
    assert read(studio, first).headers["retry-after"] == "2"
    assert render(studio, first["id"], studio.start(first["id"], "rendition")) == "ready"
    reply = read(studio, first)
    shown = reply.json
    assert "retry-after" not in reply.headers
    assert (shown["state"], shown["percent"], shown["content_type"]) == ("ready", 100, "image/jpeg")
    assert (shown["width"], shown["height"]) == (1200, 1500)
    data = served(studio, shown)
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.size, len(data)) == ("JPEG", (1200, 1500), shown["size"])
    assert not picture.getexif()
    assert studio.facts(first["id"]) == ["rendition.requested", "rendition.ready"]
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", first["id"]) is None


def test_it_is_cut_from_the_version_that_was_inspected(studio: Studio) -> None:
    media_id = processed(studio)
    studio.put(media_id, b"<script>not what was inspected</script>")
    made = asked(studio, media_id)
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "ready"


def test_a_killed_run_is_followed_by_one_that_ends(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = processed(studio)
    made = asked(studio, media_id)

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    for module, name in ((gateway, "fetch"), (cutting, "cut"), (gateway, "put"), (renditions, "finish")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, die)
            with pytest.raises(Killed):
                render(studio, made["id"], studio.start(made["id"], "rendition"))
        shown = read(studio, made).json
        assert (shown["state"], shown["url"]) == ("rendering", None)
    assert read(studio, made).json["percent"] == 80
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "ready"
    assert Image.open(io.BytesIO(served(studio, read(studio, made).json))).size == (1200, 1500)


def test_a_run_that_is_overtaken_leaves_the_newer_ones_row(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio))
    old = studio.start(made["id"], "rendition")
    put = gateway.put

    def overtaken(key: str, data: bytes, content_type: str) -> str:
        monkeypatch.setattr(gateway, "put", put)
        assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "ready"
        return put(key, b"what an older run has to say", content_type)

    monkeypatch.setattr(gateway, "put", overtaken)
    assert render(studio, made["id"], old) == "superseded"
    shown = read(studio, made).json
    assert Image.open(io.BytesIO(served(studio, shown))).size == (1200, 1500)
    assert studio.facts(made["id"]) == ["rendition.requested", "rendition.ready"]
    assert studio.value("SELECT used FROM cell.usage WHERE meter = 'storage_bytes'") == shown["size"] + len(
        photo(1800, 1200)
    )


@pytest.mark.parametrize("point", ["fetch", "put"])
def test_a_run_that_is_overtaken_in_the_middle_ends_there(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    made = asked(studio, processed(studio))
    old = studio.start(made["id"], "rendition")
    real = getattr(gateway, point)

    def overtaken(*args: Any) -> Any:
        studio.start(made["id"], "rendition")
        return real(*args)

    monkeypatch.setattr(gateway, point, overtaken)
    assert render(studio, made["id"], old) == "superseded"
    assert read(studio, made).json["url"] is None


def test_a_repeated_task_does_its_work_once(studio: Studio) -> None:
    made = asked(studio, processed(studio))
    run = studio.start(made["id"], "rendition")
    assert [render(studio, made["id"], run) for _ in range(2)] == ["ready", "superseded"]
    assert render(studio, made["id"], run + 1) == "superseded"
    assert studio.facts(made["id"]) == ["rendition.requested", "rendition.ready"]


def test_a_run_started_after_the_end_is_told_so(studio: Studio) -> None:
    made = asked(studio, processed(studio))
    render(studio, made["id"], studio.start(made["id"], "rendition"))
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "settled"
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", made["id"]) is None


def test_a_rendition_that_takes_its_worker_down_is_given_up_and_may_be_asked_for_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = processed(studio)
    made = asked(studio, media_id)

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(cutting, "cut", die)
        for _ in range(rendition_model.TRIES):
            with pytest.raises(Killed):
                render(studio, made["id"], studio.start(made["id"], "rendition"))
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "refused"
    shown = read(studio, made).json
    assert (shown["state"], shown["reason"]["code"]) == ("refused", "given-up")
    assert shown["reason"]["detail"].endswith(".")
    again = asked(studio, media_id)
    assert (again["id"], again["state"], again["reason"]) == (made["id"], "queued", None)
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "ready"


def test_a_bucket_that_fails_is_no_fault_of_the_file(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio))

    def down(*_: Any) -> str:
        raise ConnectionError("the bucket does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "put", down)
        for _ in range(rendition_model.TRIES + 2):
            with pytest.raises(ConnectionError):
                render(studio, made["id"], studio.start(made["id"], "rendition"))
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "ready"


def test_an_original_that_is_gone_is_a_refusal_that_stays(studio: Studio) -> None:
    media_id = processed(studio)
    made = asked(studio, media_id)
    s3 = boto3.client("s3")
    for version in s3.list_object_versions(Bucket=studio.cloud.bucket, Prefix=studio.key(media_id))["Versions"]:
        s3.delete_object(Bucket=studio.cloud.bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "refused"
    assert read(studio, made).json["reason"]["code"] == "file-missing"
    assert asked(studio, media_id, 200)["state"] == "refused"
    assert studio.facts(made["id"]) == ["rendition.requested", "rendition.refused"]


def test_what_is_deleted_meanwhile_is_neither_kept_nor_counted(
    studio: Studio, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = processed(studio)
    made, waiting = asked(studio, media_id), asked(studio, media_id, network="x")
    put = gateway.put

    def deleted(*args: Any) -> str:
        assert member("admin").delete(f"/v1/media/{media_id}", if_match="*").status == 204
        return put(*args)

    monkeypatch.setattr(gateway, "put", deleted)
    assert render(studio, made["id"], studio.start(made["id"], "rendition")) == "superseded"
    assert render(studio, waiting["id"], 1) == "superseded"
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 0
    assert studio.value("SELECT used FROM cell.usage WHERE meter = 'storage_bytes'") == 0
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", {"network": "x"})
    assert (reply.status, reply.code) == (410, "media-deleted")
