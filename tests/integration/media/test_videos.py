"""Process Video and Hash Video: stills, previews, refusals, repetition, and runs that end in the middle."""

import hashlib
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from PIL import Image

from functions.task_hash_video.handler import handler as task_hash_video
from functions.task_process_video.handler import handler as task_process_video
from socialflow.media import gateway, reading
from socialflow.media.video import previews, probing
from socialflow.media.video.source import Source
from tests.integration.media.conftest import Studio
from tests.videos import arrow, opened_again, video

VARIANTS = {"thumb", "small", "medium", "large", "square", "gif", "preview"}
SECRETS = {
    "com.apple.quicktime.make": "ACME",
    "com.apple.quicktime.model": "Phone 15",
    "com.apple.quicktime.creationdate": "2024-05-06T07:08:09+0200",
    "com.apple.quicktime.location.ISO6709": "+52.5200+013.4050+034.000/",
}


def uploaded(studio: Studio, data: bytes, kind: str = "video/mp4") -> str:
    return studio.uploaded(data, file_name="harbour.mp4", content_type=kind)


def process(studio: Studio, media_id: str, run: int) -> str:
    """Run the two states that a video passes; return the outcome."""
    outcome = studio.process(media_id, run)
    if outcome != "video":
        return outcome
    return str(task_process_video(studio.given(media_id, run), None)["outcome"])


def hash_(studio: Studio, media_id: str, run: int) -> str:
    given = studio.given(media_id, run) | {"kind": "digest"}
    return str(task_hash_video(given, None)["outcome"])


def object_of(studio: Studio, media_id: str, variant: str) -> bytes:
    key, version = studio.owner.execute(
        "SELECT object_key, object_version FROM t_acme.derivatives WHERE media_id = %s AND variant = %s",
        (media_id, variant),
    ).fetchone() or ("", "")
    body = boto3.client("s3").get_object(Bucket=studio.cloud.bucket, Key=key, VersionId=version)["Body"].read()
    return bytes(body)


def test_a_phones_video_becomes_stills_and_previews_and_a_row_that_knows_it(studio: Studio) -> None:
    data = video(640, 360, frames=120, kind="mov", turned=90, tags=SECRETS, container={"movflags": "use_metadata_tags"})
    media_id = uploaded(studio, data, "video/quicktime")
    assert process(studio, media_id, studio.start(media_id)) == "processed"
    shown = studio.read(media_id)
    assert (shown["state"], shown["stage"], shown["percent"]) == ("processing", "captioning", 60)
    assert (shown["kind"], shown["content_type"], shown["size"]) == ("video", "video/quicktime", len(data))
    assert (shown["width"], shown["height"]) == (360, 640)  # as it is seen: the phone was held upright
    assert (shown["duration_ms"], shown["frame_rate"]) == (4000, 30.0)
    assert (shown["video_codec"], shown["audio_codec"]) == ("h264", "aac")
    assert (shown["captured_at"], shown["camera"]) == ("2024-05-06T07:08:09", "ACME Phone 15")
    assert shown["blurhash"]
    assert shown["colours"]
    assert shown["sha256"] is None  # that takes longer, and nobody waits for it
    sizes = {made["variant"]: (made["width"], made["height"], made["content_type"]) for made in shown["derivatives"]}
    assert sizes == {
        "thumb": (300, 300, "image/jpeg"),
        "square": (360, 360, "image/jpeg"),
        "small": (360, 640, "image/jpeg"),
        "medium": (360, 640, "image/jpeg"),
        "large": (360, 640, "image/jpeg"),
        "gif": (360, 640, "image/gif"),
        "preview": (360, 640, "video/mp4"),
    }
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]


def test_what_is_served_is_upright_moves_and_tells_nothing_of_its_origin(studio: Studio) -> None:
    data = video(640, 360, frames=150, turned=90, kind="mov", tags=SECRETS, container={"movflags": "use_metadata_tags"})
    assert b"+52.5200+013.4050" in data
    media_id = uploaded(studio, data, "video/quicktime")
    process(studio, media_id, studio.start(media_id))
    for variant in VARIANTS:
        made = object_of(studio, media_id, variant)
        for secret in (*SECRETS.values(), "quicktime", "Handler 1"):
            assert secret.encode() not in made, variant
    upright = arrow(0, 640, 360).rotate(-90, expand=True)
    still = Image.open(io.BytesIO(object_of(studio, media_id, "large"))).convert("RGB")
    for point in ((180, 320), (20, 60), (340, 600)):
        assert near(still.getpixel(point), upright.getpixel(point)), point
    with opened_again(object_of(studio, media_id, "preview")) as preview:
        assert not preview.streams.audio
        frames = [frame.to_image() for frame in preview.decode(video=0)]
    assert 60 <= len(frames) <= 73
    assert frames[0].tobytes() != frames[-1].tobytes()
    assert near(frames[0].getpixel((180, 320)), upright.getpixel((180, 320)))
    animation = Image.open(io.BytesIO(object_of(studio, media_id, "gif")))
    assert 20 <= getattr(animation, "n_frames", 1) <= 31


def near(one: Any, other: Any) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("variant", "kind"), [("gif", "image/gif"), ("preview", "video/mp4"), ("square", "image/jpeg")]
)
def test_what_moves_can_be_downloaded_too(studio: Studio, variant: str, kind: str) -> None:
    media_id = uploaded(studio, video(frames=5))
    assert studio.client.get(f"/v1/media/{media_id}/download?variant={variant}").status == 404
    process(studio, media_id, studio.start(media_id))
    reply = studio.client.get(f"/v1/media/{media_id}/download?variant={variant}")
    assert reply.status == 200
    assert parse_qs(urlsplit(reply.json["url"]).query)["response-content-type"] == [kind]


def test_a_video_is_captioned_and_reviewed_as_a_picture_is(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    run = studio.start(media_id)
    assert process(studio, media_id, run) == "processed"
    assert studio.wait(media_id, run) == "waiting"
    assert process(studio, media_id, studio.start(media_id)) == "in_review"
    assert studio.client.post(f"/v1/media/{media_id}/review/approve", {}).status == 200
    assert studio.settle(media_id, studio.value("SELECT max(run) FROM cell.work WHERE kind = 'ingest'")) == "approved"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>not a video</html>", "not-a-video"),
        (video(frames=30)[:-200], "incomplete"),
        (video(frames=30, container={"movflags": "+faststart"})[:9000], "incomplete"),
    ],
    ids=["not-a-video", "cut-short", "cut-short-with-its-index-first"],
)
def test_a_file_that_cannot_be_taken_says_why(studio: Studio, data: bytes, code: str) -> None:
    media_id = uploaded(studio, data)
    assert process(studio, media_id, studio.start(media_id)) == "refused"
    shown = studio.read(media_id)
    assert (shown["state"], shown["percent"], shown["refusal"]["code"]) == ("refused", 100, code)
    assert shown["refusal"]["detail"].endswith(".")
    assert shown["derivatives"] == []
    assert studio.facts(media_id) == ["media.uploaded", "media.refused"]
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0


@pytest.mark.parametrize(("announced", "outcome"), [(b"another", "refused"), (None, "processed")])
def test_a_video_in_parts_is_held_to_its_announced_checksum_before_anybody_reviews_it(
    studio: Studio, announced: bytes | None, outcome: str
) -> None:
    data = video()
    told = hashlib.sha256(announced or data).hexdigest()
    begun = studio.announce(data, file_name="harbour.mp4", content_type="video/mp4", parts=True, sha256=told)
    upload_id = studio.value("SELECT upload_id FROM t_acme.media_items WHERE id = %s", begun["id"])
    where = {"Bucket": studio.cloud.bucket, "Key": studio.key(begun["id"]), "UploadId": upload_id}
    boto3.client("s3").upload_part(**where, PartNumber=1, Body=data)
    assert studio.client.post(f"/v1/media/{begun['id']}/upload/complete").status == 200
    assert process(studio, begun["id"], studio.start(begun["id"])) == outcome
    refusal = studio.read(begun["id"])["refusal"]
    assert (refusal and refusal["code"]) == ("checksum-differs" if announced else None)


def test_a_bucket_that_does_not_answer_is_no_reason_to_refuse_a_video(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = uploaded(studio, video(640, 360, frames=60, paint=noisy()))
    whole = reading.part
    calls: list[int] = []

    def breaking(stored: reading.Stored, start: int, size: int) -> bytes:
        calls.append(start)
        if len(calls) > 1:
            raise EndpointConnectionError(endpoint_url="the bucket")
        return whole(stored, start, size)

    monkeypatch.setattr(reading, "source", small_blocks(breaking))
    with pytest.raises(EndpointConnectionError):
        process(studio, media_id, studio.start(media_id))
    assert studio.read(media_id)["state"] == "processing"
    monkeypatch.undo()
    assert process(studio, media_id, studio.start(media_id)) == "processed"


def noisy() -> Callable[[int, int, int], Image.Image]:
    return lambda number, width, height: Image.effect_noise((width, height), 60 + number).convert("RGB")


def small_blocks(part: Callable[[reading.Stored, int, int], bytes]) -> Callable[[reading.Stored], Source]:
    """Return a maker of sources that ask for four kilobytes at a time."""
    return lambda stored: Source(stored.size, lambda start, length: part(stored, start, length), block=4096)


def test_the_original_is_read_by_ranges_of_the_pinned_version_alone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = video(frames=5)
    media_id = str(studio.announce(data, file_name="a.mp4", content_type="video/mp4")["id"])
    pinned = studio.put(media_id, data)
    studio.client.post(f"/v1/media/{media_id}/confirm")
    asked: list[tuple[str, int]] = []
    whole = reading.part

    def noted(stored: reading.Stored, start: int, size: int) -> bytes:
        asked.append((stored.version, size))
        if len(asked) == 1:
            studio.put(media_id, b"<script>not what was inspected</script>")
        return whole(stored, start, size)

    monkeypatch.setattr(reading, "source", small_blocks(noted))
    assert process(studio, media_id, studio.start(media_id)) == "processed"
    assert {version for version, _ in asked} == {pinned}
    assert max(size for _, size in asked) <= 4096
    assert studio.value("SELECT object_version FROM t_acme.media_items WHERE id = %s", media_id) == pinned


class Killed(BaseException):
    """The sandbox is gone."""


STEPS = {
    "probing": (probing, "probe"),
    "the still": (previews, "still"),
    "the previews": (previews, "moving"),
    "the first object": (gateway, "put"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_run_comes_to_the_same(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_args: Any, **_more: Any) -> Any:
        raise Killed

    media_id = uploaded(studio, video(frames=5))
    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], die)
        with pytest.raises(Killed):
            process(studio, media_id, studio.start(media_id))
    assert studio.read(media_id)["percent"] == 30
    assert process(studio, media_id, studio.start(media_id)) == "processed"
    assert {made["variant"] for made in studio.read(media_id)["derivatives"]} == VARIANTS
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]


def test_a_repeated_task_does_its_work_once(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    run = studio.start(media_id)
    assert [process(studio, media_id, run) for _ in range(2)] == ["processed", "processed"]
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]


def test_a_run_that_is_overtaken_midway_leaves_the_newer_ones_rows(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = uploaded(studio, video(frames=5))
    old = studio.start(media_id)
    still = previews.still

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(previews, "still", still)
        assert process(studio, media_id, studio.start(media_id)) == "processed"
        return still(*given)

    monkeypatch.setattr(previews, "still", overtaken)
    versions = "SELECT array_agg(object_version ORDER BY variant) FROM t_acme.derivatives WHERE media_id = %s"
    assert process(studio, media_id, old) == "superseded"
    assert len(set(studio.value(versions, media_id))) == len(VARIANTS)
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]


def test_a_run_has_longer_than_its_function_before_another_is_started(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    process(studio, media_id, studio.start(media_id))
    waits = studio.value("SELECT wake_at - now() FROM cell.work WHERE id = %s AND kind = 'ingest'", media_id)
    assert waits.total_seconds() <= 120  # the next step is the caption's, which says that it is alive


def test_a_video_that_takes_its_worker_down_each_time_is_given_up(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: Any) -> Any:
        raise Killed

    media_id = uploaded(studio, video(frames=5))
    monkeypatch.setattr(probing, "probe", die)
    for _ in range(5):
        with pytest.raises(Killed):
            process(studio, media_id, studio.start(media_id))
    assert process(studio, media_id, studio.start(media_id)) == "refused"
    assert studio.read(media_id)["refusal"]["code"] == "unreadable"


# The digest


def test_the_digest_is_asked_for_when_the_review_may_begin_and_no_review_waits(studio: Studio) -> None:
    data = video(frames=5)
    media_id = uploaded(studio, data)
    run = studio.start(media_id)
    assert studio.value("SELECT count(*) FROM cell.work WHERE kind = 'digest'") == 0
    process(studio, media_id, run)
    assert studio.wait(media_id, run) == "waiting"
    assert studio.value("SELECT wake_at <= now() FROM cell.work WHERE kind = 'digest' AND id = %s", media_id)
    before = studio.read(media_id)
    assert (before["state"], before["sha256"]) == ("in_review", None)
    assert hash_(studio, media_id, studio.start(media_id, "digest")) == "hashed"
    after = studio.read(media_id)
    assert after["sha256"] == hashlib.sha256(data).hexdigest()
    assert after["version"] == before["version"] + 1
    assert "media.hashed" in studio.facts(media_id)
    assert studio.value("SELECT wake_at FROM cell.work WHERE kind = 'digest'") is None


def test_a_repeated_or_an_older_digest_changes_nothing(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    process(studio, media_id, studio.start(media_id))
    old, new = studio.start(media_id, "digest"), studio.start(media_id, "digest")
    assert hash_(studio, media_id, old) == "superseded"
    assert hash_(studio, media_id, new) == "hashed"
    assert hash_(studio, media_id, new) == "superseded"  # it is over
    studio.owner.execute("UPDATE cell.work SET wake_at = now() WHERE kind = 'digest'")
    assert hash_(studio, media_id, studio.start(media_id, "digest")) == "settled"
    assert studio.facts(media_id).count("media.hashed") == 1


def test_a_digest_that_is_overtaken_while_it_reads_writes_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = uploaded(studio, video(frames=5))
    process(studio, media_id, studio.start(media_id))
    digest = reading.digest

    def overtaken(key: str, version: str) -> bytes:
        studio.start(media_id, "digest")
        return digest(key, version)

    monkeypatch.setattr(reading, "digest", overtaken)
    assert hash_(studio, media_id, studio.start(media_id, "digest")) == "superseded"
    assert studio.read(media_id)["sha256"] is None


def test_a_video_whose_file_is_gone_is_not_hashed_for_ever(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    process(studio, media_id, studio.start(media_id))
    version = studio.value("SELECT object_version FROM t_acme.media_items WHERE id = %s", media_id)
    boto3.client("s3").delete_object(Bucket=studio.cloud.bucket, Key=studio.key(media_id), VersionId=version)
    assert hash_(studio, media_id, studio.start(media_id, "digest")) == "settled"
    assert studio.value("SELECT wake_at FROM cell.work WHERE kind = 'digest'") is None


def test_a_video_that_is_processed_again_keeps_its_digest(studio: Studio) -> None:
    media_id = uploaded(studio, video(frames=5))
    process(studio, media_id, studio.start(media_id))
    hash_(studio, media_id, studio.start(media_id, "digest"))
    known = studio.read(media_id)["sha256"]
    studio.owner.execute("UPDATE t_acme.media_items SET percent = 10, stage = 'inspecting' WHERE id = %s", (media_id,))
    process(studio, media_id, studio.start(media_id))
    assert studio.read(media_id)["sha256"] == known
    assert studio.value("SELECT wake_at FROM cell.work WHERE kind = 'digest'") is None


@pytest.mark.parametrize(("plan", "outcome"), [("free", "refused"), ("pro", "processed")])
def test_a_plan_says_how_long_a_video_may_be(studio: Studio, plan: str, outcome: str) -> None:
    studio.owner.execute("UPDATE control.tenants SET plan = %s WHERE slug = 'acme'", (plan,))
    media_id = uploaded(studio, video(64, 36, frames=605, rate=1, sound=None))
    assert process(studio, media_id, studio.start(media_id)) == outcome
    refused = studio.read(media_id)["refusal"]
    told = refused and (refused["code"], refused["detail"])
    said = "The video is 10 min 5 s long, and the plan Free takes 10 min 0 s."
    assert told == (
        ("too-long", f"{said} Shorten it, or have an owner choose a larger plan.") if plan == "free" else None
    )
