"""A file in the bucket, read by ranges: what is fetched, what is kept, and what goes wrong on the way."""

import contextlib
import io

import pytest

from socialflow.media.video.opening import Deadline, opened, refusing_damage
from socialflow.media.video.probing import probe
from socialflow.media.video.source import Source, exactly, size_of
from tests.videos import video

DATA = bytes(at * at % 251 for at in range(10_000))


class Bucket:
    """Bytes that remember what was asked for."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def part(self, start: int, size: int) -> bytes:
        """Return a range that is there."""
        assert 0 <= start < start + size <= len(self.data)
        self.asked.append((start, size))
        return self.data[start : start + size]


def source(bucket: Bucket, *, block: int = 1000, kept: int = 3) -> Source:
    return Source(len(bucket.data), bucket.part, block=block, kept=kept)


def test_it_reads_as_any_file_does() -> None:
    bucket, file = Bucket(), io.BytesIO(DATA)
    read = source(bucket)
    for step in range(500):
        at, size = step * 7919 % 12_000, step * 104_729 % 2_500
        assert exactly(read, at, size) == exactly(file, at, size)
    assert size_of(read) == len(DATA)
    assert (read.seek(-10, io.SEEK_END), read.seek(4, io.SEEK_CUR)) == (9_990, 9_994)
    assert read.read() == DATA[9_994:]
    assert read.read() == b""
    with pytest.raises(ValueError, match="before the beginning"):
        read.seek(-1)


def test_a_few_blocks_are_kept_and_no_more() -> None:
    bucket = Bucket()
    read = source(bucket)
    for at in (0, 10, 999, 1_000, 2_500, 0):
        exactly(read, at, 1)
    assert bucket.asked == [(0, 1000), (1000, 1000), (2000, 1000)]
    exactly(read, 9_999, 1)  # the fourth: the one that was used longest ago goes
    exactly(read, 1_000, 1)
    assert bucket.asked[3:] == [(9000, 1000), (1000, 1000)]
    assert read.fetched == 5_000


def test_of_a_large_video_the_beginning_and_the_end_are_fetched_and_not_the_middle() -> None:
    bucket = Bucket(video(320, 180, frames=600, options={"g": "30", "b": "4000000", "crf": "1"}))
    read = source(bucket, block=8_192, kept=8)
    with opened(read) as file:
        probe(file, Deadline.within(60))
    assert read.fetched < len(bucket.data) / 3


def test_what_goes_wrong_on_the_way_is_not_the_files_fault() -> None:
    bucket = Bucket(video(frames=30))
    fetched = bucket.part

    def broken(start: int, size: int) -> bytes:
        if len(bucket.asked) > 3:
            raise TimeoutError("the bucket does not answer")
        return fetched(start, size)

    read = Source(len(bucket.data), broken, block=1_024, kept=2)
    with pytest.raises(TimeoutError), opened(read) as file:
        probe(file, Deadline.within(60))


def test_a_failure_that_a_decoder_takes_for_the_end_comes_out_all_the_same() -> None:
    def broken(_start: int, _size: int) -> bytes:
        raise TimeoutError

    read = Source(10, broken)
    with pytest.raises(TimeoutError), refusing_damage(read), contextlib.suppress(TimeoutError):
        read.read(1)  # as a decoder does that has enough
