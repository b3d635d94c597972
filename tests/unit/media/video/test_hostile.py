"""Files that mean harm, or are broken: each is refused with a reason before it costs anything, or made harmless."""

import functools
import io
import resource
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import av
import pytest

from socialflow.media.model import UnfitFile
from socialflow.media.video import boxes, opening, previews, probing
from socialflow.media.video.limits import MAX_ENTRIES
from socialflow.media.video.model import Clip
from socialflow.media.video.opening import Deadline, TooSlow, opened
from tests.pictures import encoded, photo, scene
from tests.videos import box, replaced, tones, video

GOOD = video(frames=30)
SILENT = video(frames=30, sound=None)
FASTSTART = video(frames=30, container={"movflags": "+faststart"})
UNCUT = video(frames=30, sound=None, container={"use_editlist": "0"}, options={"bf": "0"})
FRAGMENTS = video(frames=30, sound=None, container={"movflags": "frag_keyframe+empty_moov+delay_moov"})
SOUND_OF_PCM = video(frames=30, kind="mov", sound="pcm_s16le")


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def table(data: bytes, kind: bytes, at: int, value: int, *, which: int = 0) -> bytes:
    """Return a file in which one number of a table is another."""
    return replaced(data, kind, lambda body: body[:at] + number(value) + body[at + 4 :], which=which)


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def with_in_index(data: bytes, extra: bytes) -> bytes:
    """Return a file whose index, which comes last, has one box more."""
    at = data.index(b"moov")
    length = struct.unpack_from(">I", data, at - 4)[0]
    return data[: at - 4] + number(length + len(extra)) + data[at : at - 4 + length] + extra + data[at - 4 + length :]


def tracks(data: bytes, times: int) -> bytes:
    """Return a file with its first track many times over."""
    at = data.index(b"trak")
    length = struct.unpack_from(">I", data, at - 4)[0]
    return with_in_index(data, data[at - 4 : at - 4 + length] * times)


def of_another_file(data: bytes) -> bytes:
    """Return a file whose picture's data are said to be in another one."""
    at = data.index(b"dref")
    length = struct.unpack_from(">I", data, at - 4)[0]
    entry = box(b"url ", number(0), b"file:///etc/passwd\0")
    made = box(b"dref", number(0), number(1), entry)
    grown = len(made) - length
    data = data[: at - 4] + made + data[at - 4 + length :]
    for outer in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = data.rindex(outer, 0, data.index(b"dref")) - 4
        data = data[:place] + number(struct.unpack_from(">I", data, place)[0] + grown) + data[place + 4 :]
    return data


def sound_alone() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as made:
        stream = made.add_stream("aac", rate=48_000, layout="stereo")
        for tone in tones(0.2):
            made.mux(stream.encode(tone))
        made.mux(stream.encode(None))
    return buffer.getvalue()


CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\nfile http://169.254.169.254/latest/meta-data\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "incomplete"),
    "seven bytes": (b"\0\0\0\x18fty", "incomplete"),
    "zeros": (bytes(4096), "not-a-video"),
    "a page": (b"<!DOCTYPE html><html><script>alert(1)</script></html>", "not-a-video"),
    "a drawing": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not-a-video"),
    "a document": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "not-a-video"),
    "a photo": (photo(), "not-a-video"),
    "a picture": (encoded(scene(), "PNG"), "not-a-video"),
    "an archive": (zipped("video.mp4", GOOD), "not-a-video"),
    "a script for the decoder": (CONCAT, "not-a-video"),
    "a playlist": (PLAYLIST, "not-a-video"),
    "another container": (b"\x1aE\xdf\xa3" + bytes(64), "not-a-video"),
    "a still as HEIC": (box(b"ftyp", b"heic", number(0), b"mif1heic") + box(b"meta", bytes(100)), "not-a-video"),
    "a still as AVIF": (box(b"ftyp", b"avif", number(0), b"mif1avif") + box(b"meta", bytes(100)), "not-a-video"),
    "no index": (GOOD[: GOOD.index(b"moov") - 4], "incomplete"),
    "an index that is cut off": (GOOD[:-100], "incomplete"),
    "an index first, and data that are cut off": (FASTSTART[:-3000], "incomplete"),
    "an index alone": (FASTSTART[: FASTSTART.index(b"mdat") - 4], "damaged"),
    "data that are not there, whatever their box says": (
        FASTSTART[: FASTSTART.index(b"mdat") - 4]
        + number(0)
        + b"mdat"
        + FASTSTART[FASTSTART.index(b"mdat") + 4 :][:900],
        "damaged",
    ),
    "data in another file": (of_another_file(GOOD), "refers-elsewhere"),
    "a packed index": (with_in_index(GOOD, box(b"cmov", bytes(40))), "refers-elsewhere"),
    "an index elsewhere": (with_in_index(GOOD, box(b"rmra", bytes(40))), "refers-elsewhere"),
    "a thousand tracks": (tracks(SILENT, 1000), "too-complex"),
    "samples by the billion": (table(GOOD, b"stsz", 8, 0xFFFFFFF0), "too-complex"),
    "samples of one size by the billion": (table(table(GOOD, b"stsz", 4, 1), b"stsz", 8, 0x0FFFFFFF), "too-complex"),
    "times by the billion": (table(GOOD, b"stts", 8, 0xFFFFFFFF), "too-complex"),
    "a chunk of a billion samples": (table(GOOD, b"stsc", 12, 0x7FFFFFFF), "too-complex"),
    "a chunk of sound without end": (table(SOUND_OF_PCM, b"stsc", 12, 0x7FFFFFFF, which=1), "too-complex"),
    "a fragment of a billion samples": (table(FRAGMENTS, b"trun", 4, 0x7FFFFFFF), "too-complex"),
    "an index of a gigabyte": (box(b"ftyp", b"isom") + number(0x40000000) + b"moov" + bytes(100), "incomplete"),
    "a table in a title": (
        with_in_index(GOOD, box(b"udta", box(b"name", box(b"stsz", number(0), number(1), number(0xFFFFFFF0))))),
        "damaged",
    ),
    "a track in a title": (with_in_index(GOOD, box(b"udta", box(b"trak", bytes(16)))), "damaged"),
    "boxes in boxes": (
        with_in_index(GOOD, box(b"trak", functools.reduce(lambda inner, _: box(b"mdia", inner), range(50), b""))),
        "too-complex",
    ),
    "sound alone": (sound_alone(), "no-picture"),
    "an unknown codec": (SILENT.replace(b"avc1", b"zzzz"), "unsupported-codec"),
    "an hour and a half": (
        table(table(table(UNCUT, b"mdhd", 12, 1), b"stts", 12, 180), b"mdhd", 16, 5400),
        "too-long",
    ),
    "no duration": (table(table(UNCUT, b"mdhd", 16, 0), b"stts", 12, 0), "no-duration"),
    "noise where the pictures are": (
        replaced(SILENT, b"mdat", lambda body: bytes((7 * n * n + 3) % 256 for n in range(len(body)))),
        "damaged",
    ),
}


def looked_at(data: bytes) -> Clip:
    """Do with a file what the function does with one."""
    deadline = Deadline.within(60)
    with opened(io.BytesIO(data)) as file:
        clip = probing.probe(file, deadline)
        still = previews.still(file, deadline)
        previews.moving(file, still.seconds, deadline)
        return clip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason_and_in_bounded_memory(name: str) -> None:
    data, code = REFUSED[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnfitFile) as refused:
        looked_at(data)
    assert refused.value.code == code, refused.value.detail
    assert refused.value.detail[0].isupper()
    assert refused.value.detail.endswith(".")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


HARMLESS: dict[str, bytes] = {
    "an archive behind it": GOOD + box(b"free", zipped("a.html", b"<script>")),
    "a title that speaks of tracks": video(frames=5, tags={"title": "mein traktor, stsz und trak"}),
    "a matrix of nonsense": replaced(SILENT, b"tkhd", lambda body: body[:40] + b"\x7f\xff\xff\xff" * 9 + body[76:]),
    "a rate of nonsense": table(SILENT, b"mvhd", 20, 0xFFFFFFFF),
    "uncompressed sound": SOUND_OF_PCM,
    "fragments": FRAGMENTS,
    "one frame": video(frames=1),
    "a size of nonsense, beside the codec's own": replaced(
        SILENT, b"avc1", lambda body: body[:24] + struct.pack(">HH", 60000, 60000) + body[28:], which=1
    ),
    "a picture that is called a text": replaced(SILENT, b"hdlr", lambda body: body.replace(b"vide", b"text")),
    "another brand": GOOD.replace(b"isom", b"XXXX", 1),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_it_is_taken_and_does_no_harm(name: str) -> None:
    assert looked_at(HARMLESS[name]).height in (180, 320)


@pytest.mark.parametrize("cut", range(1, 20))
def test_wherever_it_is_cut_off_it_is_refused(cut: int) -> None:
    for whole in (GOOD, FASTSTART):
        with pytest.raises(UnfitFile) as refused:
            looked_at(whole[: len(whole) * cut // 20])
        assert refused.value.code in {"incomplete", "damaged"}


def test_the_data_of_another_file_are_not_opened_even_if_the_boxes_let_it_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The decoder's own guard, without ours before it: by options that any reader of theirs could check."""
    monkeypatch.setattr(boxes, "_check_references", lambda _body: None)
    seen: list[Any] = []
    sys.addaudithook(
        lambda event, given: seen.append(given) if event == "open" and b"passwd" in str(given).encode() else None
    )
    with opened(io.BytesIO(of_another_file(GOOD))) as file:
        probing.probe(file, Deadline.within(10))  # its own data are read instead
    assert seen == []


def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_PIXELS", 320 * 180 - 1)
    with pytest.raises(UnfitFile, match="320 by 180") as refused:
        looked_at(GOOD)
    assert refused.value.code == "too-many-pixels"


def test_the_decoder_itself_allocates_no_larger_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_check_size", lambda _width, _height: None)
    monkeypatch.setattr(opening, "MAX_PIXELS", 1000)
    with pytest.raises(UnfitFile) as refused:
        looked_at(GOOD)
    assert refused.value.code == "damaged"


def test_time_is_looked_at_between_frames() -> None:
    with opened(io.BytesIO(GOOD)) as file, pytest.raises(TooSlow):
        probing.probe(file, Deadline.within(-1))


def test_an_hour_of_a_phone_and_of_an_editor_is_within_the_count() -> None:
    hour_of_pictures, hour_of_aac = 3600 * 60, 3600 * 48_000 // 1024
    assert 2 * (hour_of_pictures + hour_of_aac) < MAX_ENTRIES  # with an edit, as of a video that was trimmed
    long = table(SOUND_OF_PCM, b"stsz", 8, 3600 * 48_000, which=1)
    assert boxes.inspect(io.BytesIO(long), len(long)).is_quicktime


def test_a_name_that_says_mp4_does_not_make_the_decoder_guess() -> None:
    """What is pinned here: without it, FFmpeg takes a photo for a video of one frame."""
    with av.open(io.BytesIO(photo())) as guessed:
        assert guessed.format.name != "mov,mp4,m4a,3gp,3g2,mj2"
    with pytest.raises(UnfitFile):
        looked_at(photo())
