"""Process Media: derivatives, progress, refusals, repetition, and runs that are no longer the newest."""

import hashlib
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from PIL import Image

from socialflow.media import gateway, inspection, rendering
from tests.corpus import REAL
from tests.integration.media.conftest import Studio
from tests.pictures import encoded, photo, scene


def derivative(studio: Studio, media_id: str, variant: str) -> Image.Image:
    key, version = studio.owner.execute(
        "SELECT object_key, object_version FROM t_acme.derivatives WHERE media_id = %s AND variant = %s",
        (media_id, variant),
    ).fetchone() or ("", "")
    body = boto3.client("s3").get_object(Bucket=studio.cloud.bucket, Key=key, VersionId=version)["Body"]
    return Image.open(io.BytesIO(body.read()))


def test_a_photo_becomes_five_pictures_and_a_row_that_knows_it(studio: Studio) -> None:
    data = photo(3000, 2000)
    media_id = studio.uploaded(data)
    assert studio.process(media_id, studio.start(media_id)) == "processed"
    shown = studio.read(media_id)
    assert (shown["state"], shown["stage"], shown["percent"]) == ("processing", "captioning", 60)
    assert (shown["width"], shown["height"]) == (2000, 3000)  # as it is seen: the camera was held upright
    assert (shown["captured_at"], shown["camera"]) == ("2024-05-06T07:08:09", "ACME Snap 3")
    assert (shown["sha256"], shown["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
    sizes = {made["variant"]: (made["width"], made["height"]) for made in shown["derivatives"]}
    squares = {"thumb": (300, 300), "square": (512, 512)}
    assert sizes == {**squares, "small": (600, 900), "medium": (1200, 1800), "large": (2000, 3000)}
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]


def test_what_tells_a_picture_from_others_is_kept(studio: Studio) -> None:
    media_id = studio.uploaded(photo(3000, 2000))
    studio.process(media_id, studio.start(media_id))
    columns = "animated, dhash::text, length(blurhash), cardinality(colours), colour_names"
    kept = studio.owner.execute(f"SELECT {columns} FROM t_acme.media_items WHERE id = %s", (media_id,)).fetchone()
    assert kept
    animated, dhash, blur, colours, names = kept
    assert (animated, len(dhash), blur, names[:2]) == (False, 64, 28, ["brown", "blue"])
    assert 1 <= colours <= 5


@pytest.mark.parametrize(
    "name",
    ["a phone's HEIC", "a HEIC that was announced as HEIF", "an AVIF", "a GIF that moves", "a WebP that moves"],
)
def test_other_types_become_pictures_for_all_and_stay_what_they_are(studio: Studio, name: str) -> None:
    case = REAL[name]
    media_id = studio.uploaded(case.make(), content_type=case.declared)
    assert studio.process(media_id, studio.start(media_id)) == "processed"
    shown = studio.read(media_id)
    assert (shown["width"], shown["height"], shown["animated"]) == (*case.size, case.animated)
    assert len(shown["derivatives"]) == 5
    assert derivative(studio, media_id, "small").format == "JPEG"
    url = studio.client.get(f"/v1/media/{media_id}/download").json["url"]
    assert parse_qs(urlsplit(url).query)["response-content-type"] == [case.declared]
    assert studio.key(media_id).endswith(case.declared.removeprefix("image/"))


def test_derivatives_are_upright_and_tell_nothing_of_their_origin(studio: Studio) -> None:
    media_id = studio.uploaded(photo())
    studio.process(media_id, studio.start(media_id))
    for variant in ("thumb", "square", "small", "medium", "large"):
        made = derivative(studio, media_id, variant)
        assert (made.format, set(made.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}) == ("JPEG", set())
        assert not made.getexif()
    red = derivative(studio, media_id, "medium").convert("RGB").getpixel((590, 10))
    assert isinstance(red, tuple)
    assert red[0] > 200
    assert max(red[1:]) < 60  # the mark of the stored top left is seen at the top right


def test_the_served_version_is_the_inspected_one(studio: Studio) -> None:
    data = photo()
    media_id = str(studio.announce(data)["id"])
    pinned = studio.put(media_id, data)
    studio.client.post(f"/v1/media/{media_id}/confirm")
    studio.process(media_id, studio.start(media_id))
    studio.put(media_id, b"<script>not what was inspected</script>")
    url = studio.client.get(f"/v1/media/{media_id}/download").json["url"]
    query = parse_qs(urlsplit(url).query)
    assert query["versionId"] == [pinned]
    assert query["response-content-disposition"] == [
        "attachment; filename=\"harbour.jpg\"; filename*=UTF-8''harbour.jpg"
    ]
    assert query["response-content-type"] == ["image/jpeg"]
    assert query["X-Amz-Expires"] == ["900"]
    shown = studio.client.get(f"/v1/media/{media_id}/download?variant=small").json["url"]
    assert parse_qs(urlsplit(shown).query)["response-content-disposition"] == [
        "inline; filename=\"harbour-small.jpg\"; filename*=UTF-8''harbour-small.jpg"
    ]


def test_progress_is_readable_during_the_run_and_never_falls(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            note()
            answer = function(*args, **kwargs)
            note()
            return answer

        return call

    def note() -> None:
        row = studio.owner.execute("SELECT stage, percent FROM t_acme.media_items").fetchone()
        assert row
        seen.append((row[0], row[1]))

    monkeypatch.setattr(gateway, "fetch", watched(gateway.fetch))
    monkeypatch.setattr(inspection, "opened", watched(inspection.opened))
    monkeypatch.setattr(rendering, "render", watched(rendering.render))
    monkeypatch.setattr(gateway, "put", watched(gateway.put))
    media_id = studio.uploaded()
    run = studio.start(media_id)
    studio.process(media_id, run)
    note()
    studio.wait(media_id, run)
    note()
    studio.client.post(f"/v1/media/{media_id}/review/approve", {})
    studio.settle(media_id, run)
    note()
    steps = list(dict.fromkeys(seen))
    assert steps == [
        ("uploaded", 5),
        ("inspecting", 10),
        ("processing", 30),
        ("captioning", 60),
        ("in_review", 70),
        ("done", 100),
    ]


def test_a_run_that_begins_again_shows_no_less(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """The sandbox is gone."""

    def die(_picture: Any) -> Any:
        raise Killed

    media_id = studio.uploaded()
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "render", die)
        with pytest.raises(Killed):
            studio.process(media_id, studio.start(media_id))
    assert studio.read(media_id)["percent"] == 30
    seen: list[int] = []
    open_again = inspection.opened

    def noted(*args: Any) -> Any:
        seen.append(studio.read(media_id)["percent"])
        return open_again(*args)

    monkeypatch.setattr(inspection, "opened", noted)
    assert studio.process(media_id, studio.start(media_id)) == "processed"
    assert seen == [30]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>not a picture</html>", "not-a-picture"),
        (encoded(scene(), "PNG"), "type-differs"),
        (photo()[:9000], "damaged"),
        (encoded(Image.new("1", (13300, 13300)), "PNG"), "too-many-pixels"),
    ],
    ids=["not-a-picture", "another-type", "cut-short", "bomb"],
)
def test_a_file_that_cannot_be_taken_says_why(studio: Studio, data: bytes, code: str) -> None:
    media_id = studio.uploaded(data)
    assert studio.process(media_id, studio.start(media_id)) == "refused"
    shown = studio.read(media_id)
    assert (shown["state"], shown["stage"], shown["percent"]) == ("refused", "done", 100)
    assert shown["refusal"]["code"] == code
    assert shown["refusal"]["detail"].endswith(".")
    assert shown["derivatives"] == []
    assert studio.facts(media_id) == ["media.uploaded", "media.refused"]
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0
    reply = studio.client.get(f"/v1/media/{media_id}/download")
    assert (reply.status, reply.code) == (404, "variant-not-found")


def test_an_event_alone_cannot_bring_in_a_file_of_another_size(studio: Studio) -> None:
    media_id = studio.announce(photo(), size=1000)["id"]
    studio.put(media_id, photo())
    assert studio.event(studio.key(media_id))
    assert studio.process(media_id, studio.start(media_id)) == "refused"
    assert studio.read(media_id)["refusal"]["code"] == "size-differs"


def test_a_file_that_is_gone_is_refused(studio: Studio) -> None:
    media_id = studio.uploaded()
    boto3.client("s3").delete_object(Bucket=studio.cloud.bucket, Key=studio.key(media_id))
    assert studio.process(media_id, studio.start(media_id)) == "refused"
    assert studio.read(media_id)["refusal"]["code"] == "file-missing"


def test_a_repeated_task_does_its_work_once(studio: Studio) -> None:
    media_id = studio.uploaded()
    run = studio.start(media_id)
    assert [studio.process(media_id, run) for _ in range(2)] == ["processed", "processed"]
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]
    assert studio.value("SELECT count(*) FROM t_acme.derivatives WHERE media_id = %s", media_id) == 5


def test_an_older_run_is_turned_away_at_the_door(studio: Studio) -> None:
    media_id = studio.uploaded()
    old, new = studio.start(media_id), studio.start(media_id)
    assert studio.process(media_id, old) == "superseded"
    assert studio.read(media_id)["percent"] == 5
    assert studio.process(media_id, new) == "processed"


def test_a_run_that_is_overtaken_midway_leaves_the_newer_ones_rows(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = studio.uploaded()
    old = studio.start(media_id)
    render = rendering.render

    def overtaken(picture: Any) -> Any:
        monkeypatch.setattr(rendering, "render", render)
        assert studio.process(media_id, studio.start(media_id)) == "processed"
        return render(picture)

    monkeypatch.setattr(rendering, "render", overtaken)
    versions = "SELECT array_agg(object_version ORDER BY variant) FROM t_acme.derivatives WHERE media_id = %s"
    assert studio.process(media_id, old) == "superseded"
    newer = studio.value(versions, media_id)
    assert len(set(newer)) == 5
    assert studio.facts(media_id) == ["media.uploaded", "media.processed"]
    assert derivative(studio, media_id, "large").size == (600, 900)
    keys = "SELECT array_agg(object_key ORDER BY variant) FROM t_acme.derivatives WHERE media_id = %s"
    s3 = boto3.client("s3")
    newest = [s3.head_object(Bucket="media", Key=key)["VersionId"] for key in studio.value(keys, media_id)]
    assert newest == newer, "an old version is forgotten by the bucket after some days"


def test_a_restarted_run_goes_on_where_the_row_stands(studio: Studio) -> None:
    media_id = studio.uploaded()
    assert studio.process(media_id, studio.start(media_id)) == "processed"
    assert studio.process(media_id, studio.start(media_id)) == "processed"  # to be captioned
    run = studio.start(media_id)
    studio.wait(media_id, run)
    assert studio.process(media_id, studio.start(media_id)) == "in_review"
    studio.client.post(f"/v1/media/{media_id}/review/approve", {})
    run = studio.start(media_id)
    assert studio.process(media_id, run) == "in_review"  # the decision is found where the wait begins
    assert studio.settle(media_id, run) == "approved"


def test_a_file_that_takes_its_worker_down_is_given_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = studio.uploaded()

    class Killed(BaseException):
        """The sandbox is gone."""

    def die(_picture: Any) -> Any:
        raise Killed

    monkeypatch.setattr(rendering, "render", die)
    for _ in range(5):
        with pytest.raises(Killed):
            studio.process(media_id, studio.start(media_id))
    assert studio.process(media_id, studio.start(media_id)) == "refused"
    assert studio.read(media_id)["refusal"]["code"] == "unreadable"


def test_a_bucket_that_fails_is_no_fault_of_the_file(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = studio.uploaded()

    def down(*_args: Any) -> str:
        raise ConnectionError("the bucket does not answer")

    put = gateway.put
    monkeypatch.setattr(gateway, "put", down)
    for _ in range(7):
        with pytest.raises(ConnectionError):
            studio.process(media_id, studio.start(media_id))
    monkeypatch.setattr(gateway, "put", put)
    assert studio.process(media_id, studio.start(media_id)) == "processed"


def test_lists_show_the_newest_first_page_by_page(studio: Studio) -> None:
    ids = [studio.uploaded() for _ in range(3)]
    studio.process(ids[2], studio.start(ids[2]))
    first = studio.client.get("/v1/media?limit=2").json
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    assert [made["variant"] for made in first["items"][0]["derivatives"]] == ["thumb"]
    second = studio.client.get(f"/v1/media?limit=2&cursor={first['next_cursor']}").json
    assert ([item["id"] for item in second["items"]], second["next_cursor"]) == ([ids[0]], None)
    assert studio.client.get("/v1/media?state=in_review").json == {"items": [], "next_cursor": None}
    other = studio.client.get(f"/v1/media?state=processing&cursor={first['next_cursor']}")
    assert (other.status, other.code) == (400, "cursor-expired")
    assert studio.client.get("/v1/media?state=nonsense").status == 422
