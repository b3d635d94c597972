"""Converted videos: what comes out is what networks take, upright, in time and in bytes, or a reason why not."""

import io
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from socialflow.media.model import UnfitFile
from socialflow.media.video.foresight import Foresight
from socialflow.media.video.model import Transcoded, VideoWanted
from socialflow.media.video.transcoding import plan, transcode
from tests.videos import arrow, opened_again, stills, video

ANY = VideoWanted(max_width=1920, max_height=1080, max_seconds=60, max_bytes=20_000_000)
FAR = 300.0


def converted(
    folder: Path, data: bytes, wanted: VideoWanted = ANY, *, seconds: float = FAR
) -> tuple[Transcoded, bytes, list[int]]:
    """Convert a video; return what is told of it, its bytes and the progress."""
    told: list[int] = []
    target = folder / "converted.mp4"
    made = transcode(io.BytesIO(data), target, wanted, progress=told.append, deadline=time.monotonic() + seconds)
    return made, target.read_bytes(), told


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"codec": "libx265", "kind": "mov", "options": {"x265-params": "log-level=none"}},
        {"codec": "mpeg4"},
        {"codec": "prores_ks", "pixels": "yuv422p10le", "kind": "mov", "sound": "pcm_s16le"},
        {"container": {"movflags": "frag_keyframe+empty_moov+delay_moov"}},
        {"width": 322, "height": 182},
    ],
    ids=["h264", "hevc", "mpeg4", "prores", "in-fragments", "half-odd"],
)
def test_whatever_comes_in_an_mp4_that_every_network_plays_comes_out(tmp_path: Path, given: dict[str, Any]) -> None:
    made, data, told = converted(tmp_path, video(frames=45, **given))
    with opened_again(data) as file:
        picture, sound = file.streams.video[0], file.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", 48_000, "stereo")
        assert len(list(file.decode(picture))) == 45
        assert abs(float(sound.duration * sound.time_base) - 1.5) < 0.05
    assert (made.size, made.has_audio, made.frame_rate) == (len(data), True, 30.0)
    assert abs(made.duration_ms - 1500) <= 1
    assert data.index(b"moov") < data.index(b"mdat")  # it begins to play before all of it is there
    assert told == sorted(set(told))
    assert told[-1] == 100


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_video_is_turned_for_good(tmp_path: Path, turned: int) -> None:
    upright = arrow(0, 320, 180).rotate(-turned, expand=True)
    made, data, _ = converted(tmp_path, video(frames=3, turned=turned))
    (still,) = stills(data, 0)
    assert still.size == (made.width, made.height) == upright.size
    assert far(still, upright) < 12
    with opened_again(data) as file:
        assert next(file.decode(video=0)).rotation == 0


def far(one: Image.Image, other: Image.Image) -> float:
    """Return how far two pictures are apart, by the mean of a quarter of their pixels."""
    size = (one.width // 2, one.height // 2)
    pairs = zip(one.resize(size).convert("L").tobytes(), other.resize(size).convert("L").tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (size[0] * size[1])


def test_a_picture_that_stands_is_held_against_the_sides_turned(tmp_path: Path) -> None:
    small = VideoWanted(max_width=160, max_height=90, max_seconds=60, max_bytes=20_000_000)
    standing, _, _ = converted(tmp_path, video(frames=3, turned=90), small)
    assert (standing.width, standing.height) == (90, 160)
    lying, _, _ = converted(tmp_path, video(frames=3), small)
    assert (lying.width, lying.height) == (160, 90)


def test_nothing_is_enlarged(tmp_path: Path) -> None:
    made, _, _ = converted(tmp_path, video(frames=3))
    assert (made.width, made.height) == (320, 180)


def test_a_silent_video_stays_silent_and_sound_may_be_left_out(tmp_path: Path) -> None:
    silent, data, _ = converted(tmp_path, video(frames=3, sound=None))
    assert not silent.has_audio
    with opened_again(data) as file:
        assert not file.streams.audio
    muted, _, _ = converted(tmp_path, video(frames=3), VideoWanted(1920, 1080, 60, 20_000_000, audio=False))
    assert not muted.has_audio


def test_frames_beyond_the_rate_are_left_out_evenly(tmp_path: Path) -> None:
    made, data, _ = converted(tmp_path, video(frames=120, rate=60), VideoWanted(1920, 1080, 60, 20_000_000, 30))
    with opened_again(data) as file:
        times = [frame.time for frame in file.decode(video=0)]
    assert len(times) == 60
    assert {round(later - earlier, 3) for earlier, later in itertools.pairwise(times)} == {0.033}
    assert made.frame_rate <= 30


def test_times_that_are_uneven_are_kept(tmp_path: Path) -> None:
    _, data, _ = converted(tmp_path, video(frames=10, times=lambda number: number * number))
    with opened_again(data) as file:
        times = [round(frame.time * 30) for frame in file.decode(video=0)]
    assert times == [number * number for number in range(10)]


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)], ids=["pq", "hlg"])
def test_the_paper_white_of_hdr_becomes_that_of_an_ordinary_screen(tmp_path: Path, transfer: int, white: int) -> None:
    given = video(
        frames=2,
        sound=None,
        codec="libx265",
        pixels="yuv420p10le",
        colours=(9, transfer, 9),
        paint=lambda _number, width, height: Image.new("RGB", (width, height), (white, white, white)),
        options={"x265-params": "log-level=none"},
    )
    _, data, _ = converted(tmp_path, given)
    with opened_again(data) as file:
        frame = next(file.decode(video=0))
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)
        assert frame.format.name == "yuv420p"
        grey = frame.to_image().getpixel((160, 90))
    # 203 cd/m² are 58 % of the signal in PQ and 75 % in HLG; below the white of the screen, as highlights are brighter.
    assert max(grey) - min(grey) < 6
    assert grey[1] == pytest.approx(194, abs=6)


def test_what_is_made_tells_nothing_of_where_it_is_from(tmp_path: Path) -> None:
    secrets = {
        "com.apple.quicktime.make": "ACME-MAKE",
        "com.apple.quicktime.location.ISO6709": "+52.5200+013.4050/",
        "title": "MY-SECRET-TITLE",
    }
    given = video(frames=3, kind="mov", tags=secrets, container={"movflags": "use_metadata_tags"})
    assert b"+52.5200+013.4050/" in given
    _, data, _ = converted(tmp_path, given)
    for secret in (*secrets.values(), "quicktime.location"):
        assert secret.encode() not in data


def test_a_longer_video_than_is_taken_is_refused_at_once_with_both_lengths(tmp_path: Path) -> None:
    with pytest.raises(UnfitFile, match="4 s long, and 2 s are taken") as refused:
        converted(tmp_path, video(frames=120), VideoWanted(1920, 1080, 2, 20_000_000))
    assert refused.value.code == "too-long"
    assert not (tmp_path / "converted.mp4").exists()


def test_a_video_that_says_less_than_it_lasts_is_found_out(tmp_path: Path) -> None:
    given = video(frames=120, sound=None, options={"g": "10"}, container={"movflags": "frag_keyframe+empty_moov"})
    with pytest.raises(UnfitFile) as refused:
        converted(tmp_path, given, VideoWanted(1920, 1080, 2, 20_000_000))
    assert refused.value.code == "too-long"


def test_what_is_not_ready_in_time_is_given_up_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnfitFile) as refused:
        converted(tmp_path, video(frames=30), seconds=0.0)
    assert refused.value.code in {"too-long", "too-slow"}
    assert not (tmp_path / "converted.mp4").exists()


def test_the_end_is_foretold_and_not_waited_for() -> None:
    clock = iter((100.0, 101.0, 104.0)).__next__
    watch = Foresight(lambda _percent: None, deadline=1000.0, clock=clock)
    watch.look(0.0, 600.0)
    watch.look(0.002, 600.0)  # too soon to tell
    with pytest.raises(UnfitFile, match="Shorten it to about 5 min 24 s") as refused:
        watch.look(0.003, 600.0)  # four seconds for two: 1,333 for all, of which 900 are there
    assert refused.value.code == "too-long"


def test_a_slow_beginning_is_no_reason_yet() -> None:
    clock = iter((100.0, 110.0, 116.0)).__next__
    watch = Foresight(lambda _percent: None, deadline=1000.0, clock=clock)
    watch.look(0.0, 600.0)
    watch.look(0.01, 600.0)  # a thousand seconds: in doubt
    with pytest.raises(UnfitFile):
        watch.look(0.016, 600.0)  # a thousand again, and now it is believed


def test_the_bytes_decide_rate_and_size(tmp_path: Path) -> None:
    def noise(number: int, width: int, height: int) -> Image.Image:
        return Image.effect_noise((width, height), 90 + number % 3).convert("RGB")

    given = video(640, 480, frames=45, paint=noise, options={"preset": "ultrafast"})
    wanted = VideoWanted(1920, 1080, 60, 60_000)
    assert len(given) > 10 * wanted.max_bytes
    made, data, _ = converted(tmp_path, given, wanted)
    assert len(data) <= wanted.max_bytes
    assert made.width < 640
    with pytest.raises(UnfitFile, match="cannot be made to fit") as refused:
        converted(tmp_path, given, VideoWanted(1920, 1080, 60, 20_000))
    assert refused.value.code == "too-large"


def test_a_plan_keeps_to_the_bytes_whatever_the_length() -> None:
    for seconds in (1.0, 10.0, 60.0, 140.0, 600.0):
        for most in (5_000_000, 40_000_000, 512_000_000):
            wanted = VideoWanted(1920, 1080, 600, most)
            try:
                size, rates = plan((3840, 2160), 30.0, seconds, wanted, 1.0, has_sound=True)
            except UnfitFile:
                assert most * 8 / seconds < 200_000
                continue
            assert (rates.picture * (seconds + 1) + rates.sound * seconds) / 8 <= most
            assert max(size) <= 1920
            assert size[0] % 2 == size[1] % 2 == 0


def test_what_the_listener_raises_is_theirs_and_nothing_is_left_behind(tmp_path: Path) -> None:
    def stop(_percent: int) -> None:
        raise ConnectionError("the database is gone")

    target = tmp_path / "converted.mp4"
    with pytest.raises(ConnectionError):  # which is not the video's fault
        transcode(io.BytesIO(video(frames=3)), target, ANY, progress=stop, deadline=time.monotonic() + FAR)
    assert not target.exists()
