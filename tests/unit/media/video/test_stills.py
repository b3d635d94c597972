"""What is shown of a video: its size as it is seen, a frame that says something, three seconds that move."""

import gc
import io
from fractions import Fraction
from typing import Any

import pytest
from av.video.frame import VideoFrame
from PIL import Image

from socialflow.media.video import previews, probing
from socialflow.media.video.model import Clip
from socialflow.media.video.opening import Deadline, opened
from socialflow.media.video.shaping import Shaper, Turn, aspect_of, shown_size, within
from tests.videos import arrow, black_first, opened_again, video, with_matrix

ONE = 1 << 16
MIRRORED = {
    "as it is": ((ONE, 0, 0, ONE), []),
    "mirrored": ((-ONE, 0, 0, ONE), [Image.Transpose.FLIP_LEFT_RIGHT]),
    "upside down in a mirror": ((ONE, 0, 0, -ONE), [Image.Transpose.FLIP_TOP_BOTTOM]),
    "half around": ((-ONE, 0, 0, -ONE), [Image.Transpose.ROTATE_180]),
    "a quarter to the right": ((0, ONE, -ONE, 0), [Image.Transpose.ROTATE_270]),
    "a quarter to the left": ((0, -ONE, ONE, 0), [Image.Transpose.ROTATE_90]),
    "over one diagonal": ((0, ONE, ONE, 0), [Image.Transpose.TRANSPOSE]),
    "over the other": ((0, -ONE, -ONE, 0), [Image.Transpose.TRANSVERSE]),
    "nearly a quarter": ((3000, ONE, -ONE, 3000), [Image.Transpose.ROTATE_270]),
}
ODD = arrow(0, 320, 180)


def seen(data: bytes) -> tuple[Clip, previews.Still, list[previews.Preview]]:
    deadline = Deadline.within(60)
    with opened(io.BytesIO(data)) as file:
        clip = probing.probe(file, deadline)
        still = previews.still(file, deadline)
        return clip, still, previews.moving(file, still.seconds, deadline)


def close(one: Image.Image, other: Image.Image) -> bool:
    """Tell whether two pictures of a size look the same."""
    pairs = zip(one.convert("L").resize((32, 32)).tobytes(), other.convert("L").resize((32, 32)).tobytes(), strict=True)
    return max(abs(a - b) for a, b in pairs) < 60


@pytest.mark.parametrize("name", MIRRORED)
def test_a_still_is_as_a_player_shows_it(name: str) -> None:
    (a, b, c, d), steps = MIRRORED[name]
    data = with_matrix(video(frames=2, sound=None), (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    expected = ODD
    for step in steps:
        expected = expected.transpose(step)
    clip, still, made = seen(data)
    assert still.image.size == expected.size == (clip.width, clip.height)
    assert close(still.image, expected)
    with opened_again(made[1].data) as preview:
        assert close(next(preview.decode(video=0)).to_image(), expected)


def test_a_black_beginning_is_passed_over() -> None:
    _, still, _ = seen(video(frames=60, paint=black_first(20), sound=None))
    assert 0.65 < still.seconds < 0.85
    assert close(still.image, arrow(21, 320, 180))


def test_of_a_large_video_a_later_keyframe_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_LARGE", 1000)
    _, still, _ = seen(video(frames=90, paint=black_first(20), sound=None, options={"g": "15", "sc_threshold": "0"}))
    assert still.seconds == pytest.approx(1.0, abs=0.01)  # of 0, 0.5 and 1 s, the first that shows something


def test_where_nothing_is_to_be_seen_the_most_of_it_is_shown() -> None:
    def dark(number: int, width: int, height: int) -> Image.Image:
        image = Image.new("RGB", (width, height))
        if number == 12:
            image.paste((40, 40, 40), (0, 0, width // 8, height))
        return image

    _, still, made = seen(video(frames=30, paint=dark, sound=None))
    assert still.seconds == pytest.approx(0.4, abs=0.05)
    assert {one.variant for one in made} == {"gif", "preview"}


@pytest.mark.parametrize(
    ("given", "size", "least", "most"),
    [
        ({"frames": 150}, (320, 180), 70, 73),
        ({"width": 1280, "height": 720, "frames": 20}, (360, 202), 14, 17),
        ({"width": 1280, "height": 720, "frames": 20, "turned": 90}, (360, 640), 14, 17),
        ({"frames": 1}, (320, 180), 1, 1),
        ({"frames": 10, "times": lambda number: number * 60}, (320, 180), 1, 2),
        ({"frames": 120, "rate": 120}, (320, 180), 23, 25),
    ],
    ids=["five seconds", "wide", "upright", "one frame", "two seconds apart", "quick"],
)
def test_previews_last_three_seconds_at_the_most(
    given: dict[str, Any], size: tuple[int, int], least: int, most: int
) -> None:
    _, _, (gif, mp4) = seen(video(sound=None, **given))
    assert (mp4.width, mp4.height) == (gif.width, gif.height) == size
    with opened_again(mp4.data) as preview:
        times = [float(frame.time) for frame in preview.decode(video=0)]
    assert least <= len(times) <= most
    assert times[0] == 0
    assert times[-1] < 3
    animation = Image.open(io.BytesIO(gif.data))
    assert animation.size == size
    assert getattr(animation, "n_frames", 1) <= 31


def test_the_preview_is_of_what_the_still_shows() -> None:
    """A still from the end: the three seconds go back as far as they must."""
    _, still, (_, mp4) = seen(video(frames=150, paint=black_first(140), sound=None, options={"g": "10"}))
    assert still.seconds > 4.5
    with opened_again(mp4.data) as preview:
        last = list(preview.decode(video=0))[-1].to_image()
    assert close(last, arrow(149, 320, 180).resize(last.size))


def test_frames_are_let_go_as_they_are_shaped() -> None:
    """Eighty frames of 4K would be a gigabyte."""
    shaper = Shaper(within(360, 640), "rgb24")
    gc.collect()
    gc.disable()
    try:
        with opened_again(video(frames=60, sound=None, turned=90)) as file:
            for frame in file.decode(video=0):
                shaper.shape(frame)
            del frame
        kept = sum(isinstance(each, VideoFrame) for each in gc.get_objects())
    finally:
        gc.enable()
    assert kept < 5


def test_what_is_wide_by_its_pixels_is_shown_wide() -> None:
    assert shown_size(1440, 1080, Turn(), aspect_of(Fraction(4, 3))) == (1920, 1080)
    assert shown_size(1440, 1080, Turn(swaps=True), aspect_of(Fraction(4, 3))) == (1080, 1920)
    for nonsense in (None, Fraction(0), Fraction(1, 10_000), Fraction(10_000)):
        assert aspect_of(nonsense) == 1


def test_a_fit_keeps_the_shape_and_enlarges_nothing() -> None:
    assert within(360, 640)(1920, 1080) == (360, 202)
    assert within(360, 640)(1080, 1920) == (360, 640)
    assert within(360, 640)(100, 50) == (100, 50)
    assert within(360, 640, even=True)(101, 51) == (100, 52)
    assert within(360, 640, even=True)(8192, 1) == (360, 2)


def test_a_clip_tells_who_filmed_it_and_when() -> None:
    tags = {
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone\n15",
        "com.apple.quicktime.creationdate": "2024-05-06T07:08:09+0200",
    }
    clip, _, _ = seen(video(frames=2, kind="mov", tags=tags, container={"movflags": "use_metadata_tags"}))
    assert (str(clip.captured_at), clip.camera) == ("2024-05-06 07:08:09", "Apple iPhone 15")
    plain, _, _ = seen(video(frames=2))
    assert (plain.captured_at, plain.camera) == (None, None)


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("1904-01-01T00:00:00Z", None),
        ("2999-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("2024-05-06T07:08:09Z", "2024-05-06 07:08:09"),
    ],
)
def test_a_clock_that_was_never_set_is_not_believed(tag: str, told: str | None) -> None:
    found = probing._captured_at({"creation_time": tag})
    assert (str(found) if found else None) == told
