"""Videos as networks take them: converted, refused with what to do, and stopped by a newer run."""

import io
from typing import Any

import av
import pytest

from functions.task_process_video.handler import handler as task_process_video
from functions.task_render_image.handler import handler as task_render_image
from functions.task_transcode_video import handler as transcoding
from socialflow.media import gateway, reading, rendition_model, renditions
from socialflow.media.video.source import Source
from tests.integration.media.conftest import Studio
from tests.integration.media.wishes import read, served
from tests.videos import video


class Killed(BaseException):
    """The sandbox is gone."""


def processed(studio: Studio, data: bytes, kind: str = "video/mp4") -> str:
    """Return a video of which stills and previews are made."""
    media_id = studio.uploaded(data, file_name="harbour.mp4", content_type=kind)
    run = studio.start(media_id)
    assert studio.process(media_id, run) == "video"
    assert task_process_video(studio.given(media_id, run), None) == {"outcome": "processed"}
    return media_id


def asked(studio: Studio, media_id: str, network: str) -> dict[str, Any]:
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", {"network": network})
    assert reply.status == 202, reply
    found: dict[str, Any] = reply.json
    return found


def convert(studio: Studio, made: dict[str, Any], run: int | None = None) -> str:
    """Run both states that a video's rendition passes; return the outcome."""
    run = studio.start(made["id"], "rendition") if run is None else run
    given = studio.given(made["id"], run) | {"kind": "rendition"}
    first = str(task_render_image(given, None)["outcome"])
    return str(transcoding.handler(given, None)["outcome"]) if first == "video" else first


def phones(**changed: Any) -> bytes:
    """Return what a phone records: turned, in a MOV."""
    return video(**{"width": 1920, "height": 1080, "frames": 30, "kind": "mov", "turned": 90, **changed})


def test_a_phones_video_becomes_what_the_network_takes(studio: Studio) -> None:
    media_id = processed(studio, phones(), "video/quicktime")
    made = asked(studio, media_id, "x")
    assert (made["fit"], made["ratio"], made["focal_point"]) == (None, None, None)
    assert convert(studio, made) == "ready"
    shown = read(studio, made).json
    assert (shown["state"], shown["percent"], shown["content_type"]) == ("ready", 100, "video/mp4")
    assert (shown["width"], shown["height"]) == (720, 1280)
    assert abs(shown["duration_ms"] - 1000) < 100
    data = served(studio, shown)
    assert len(data) == shown["size"]
    with av.open(io.BytesIO(data), format="mov") as opened:
        assert opened.streams.video[0].codec_context.name == "h264"
        assert (opened.streams.video[0].width, opened.streams.video[0].height) == (720, 1280)
        assert opened.streams.audio[0].codec_context.name == "aac"
    assert studio.facts(made["id"]) == ["rendition.requested", "rendition.ready"]


def test_each_new_percent_is_noted(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones(frames=90)), "mastodon")
    seen: list[int] = []
    advance = renditions.advance

    def watched(*args: Any, **kwargs: Any) -> bool:
        went_on = bool(advance(*args, **kwargs))
        seen.append(kwargs["percent"])
        return went_on

    monkeypatch.setattr(renditions, "advance", watched)
    assert convert(studio, made) == "ready"
    assert seen == sorted(seen)
    assert len(set(seen)) > 10


def test_a_newer_run_stops_an_older_one_within_a_percent(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones(frames=90)), "mastodon")
    old = studio.start(made["id"], "rendition")
    told: list[int] = []
    advance = renditions.advance

    def overtaken(*args: Any, **kwargs: Any) -> bool:
        told.append(kwargs["percent"])
        if len(told) == 3:
            studio.start(made["id"], "rendition")
        return bool(advance(*args, **kwargs))

    with monkeypatch.context() as patch:
        patch.setattr(renditions, "advance", overtaken)
        assert convert(studio, made, old) == "superseded"
    assert len(told) == 3
    assert convert(studio, made) == "ready"


def test_a_killed_conversion_begins_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones()), "mastodon")

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    for module, name in ((transcoding, "transcode"), (gateway, "put"), (renditions, "finish")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, die)
            with pytest.raises(Killed):
                convert(studio, made)
        assert read(studio, made).json["url"] is None
    assert convert(studio, made) == "ready"


def test_a_conversion_that_takes_its_worker_down_is_given_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones()), "mastodon")

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    monkeypatch.setattr(transcoding, "transcode", die)
    for _ in range(rendition_model.TRIES):
        with pytest.raises(Killed):
            convert(studio, made)
    assert convert(studio, made) == "refused"
    assert read(studio, made).json["reason"]["code"] == "given-up"


def test_a_bucket_that_breaks_off_is_no_fault_of_the_video(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones()), "mastodon")

    def down(*_: Any) -> bytes:
        raise ConnectionError("the bucket does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(reading, "source", lambda whole: Source(whole.size, down))
        with pytest.raises(ConnectionError):
            convert(studio, made)
    assert convert(studio, made) == "ready"


def test_a_conversion_that_will_not_be_in_time_says_so(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(studio, processed(studio, phones(frames=60)), "mastodon")
    monkeypatch.setattr(transcoding, "SECONDS", 0.0)
    assert convert(studio, made) == "refused"
    reason = read(studio, made).json["reason"]
    assert reason["code"] == "too-slow"
    assert reason["detail"].endswith(".")


def test_what_no_conversion_can_mend_is_refused_at_once(studio: Studio) -> None:
    media_id = processed(studio, video(frames=30))
    studio.owner.execute("UPDATE t_acme.media_items SET duration_ms = 200000 WHERE id = %s", (media_id,))
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", {"network": "x"})
    assert (reply.status, reply.code, reply.json["reasons"]) == (422, "rendition-impossible", ["too-long"])
    assert "takes 140. Upload a shorter one." in reply.json["detail"]
    found = {one["network"]: one for one in studio.client.get(f"/v1/media/{media_id}/fit").json["items"]}
    assert found["x"]["verdict"] == "cannot"
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 0


@pytest.mark.parametrize("wish", [{"ratio": "4:5"}, {"fit": "pad"}, {"focal_point": {"x": 0.5, "y": 0.5}}], ids=str)
def test_a_video_is_not_cut(studio: Studio, wish: dict[str, Any]) -> None:
    media_id = processed(studio, video(frames=30))
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", {"network": "mastodon", **wish})
    assert (reply.status, reply.code) == (422, "ratio-refused")


def test_a_video_that_needs_nothing_fits_and_may_be_converted_all_the_same(studio: Studio) -> None:
    media_id = processed(studio, video(640, 360, frames=90))
    found = {one["network"]: one["verdict"] for one in studio.client.get(f"/v1/media/{media_id}/fit").json["items"]}
    assert found["mastodon"] == found["bluesky"] == found["x"] == "fits"
    assert asked(studio, media_id, "bluesky")["state"] == "queued"
