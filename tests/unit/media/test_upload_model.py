"""What may be announced, and how a file is cut into parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.media.model import EXTENSIONS, MAX_SIZES
from socialflow.media.upload_model import (
    MIB,
    MOST_PARTS,
    MOST_SIGNED,
    SMALLEST_PART,
    Announcement,
    Part,
    Parts,
    UploadIncomplete,
    UploadTooLarge,
    UploadTypeRefused,
    part_size,
)

LARGEST = 5 * 1024**4
"""Bytes that an object of S3 may have."""


@pytest.mark.parametrize("content_type", sorted(EXTENSIONS))
def test_each_type_has_its_limit(content_type: str) -> None:
    announced = Announcement("x.bin", content_type, 1)
    most = MAX_SIZES[announced.kind]
    Announcement("x.bin", content_type, most).check()
    with pytest.raises(UploadTooLarge) as refused:
        Announcement("x.bin", content_type, most + 1).check()
    assert refused.value.facts == {"limit": most}


@pytest.mark.parametrize("content_type", ["image/svg+xml", "video/webm", "application/pdf", "image/jpeg ", ""])
def test_other_types_are_refused_with_those_that_are_taken(content_type: str) -> None:
    with pytest.raises(UploadTypeRefused) as refused:
        Announcement("x.bin", content_type, 1).check()
    assert refused.value.facts == {"allowed": sorted(EXTENSIONS)}


@given(st.integers(min_value=1, max_value=LARGEST))
def test_parts_are_those_that_s3_takes_and_together_they_are_the_file(size: int) -> None:
    parts = Parts(size, part_size(size))
    assert parts.part_size % MIB == 0
    assert SMALLEST_PART <= parts.part_size <= 5 * 1024**3
    assert 1 <= parts.count <= MOST_PARTS
    sizes = parts.part_size * (parts.count - 1) + parts.size_of(parts.count)
    assert sizes == size
    assert 1 <= parts.size_of(parts.count) <= parts.part_size


def _sound(parts: Parts, *numbers: int) -> dict[int, Part]:
    return {number: Part(number, parts.size_of(number), f"etag-{number}") for number in numbers}


def test_what_is_missing_is_named_and_so_is_what_has_another_size() -> None:
    parts = Parts(10 * SMALLEST_PART + 1, SMALLEST_PART)
    found = _sound(parts, *range(1, 12)) | {3: Part(3, 5, "short"), 11: Part(11, 2, "long")}
    del found[7]
    assert parts.received(found) == [1, 2, 4, 5, 6, 8, 9, 10]
    assert parts.missing(found) == [3, 7, 11]
    assert parts.missing(found, after=3, most=1) == [7]
    with pytest.raises(UploadIncomplete) as refused:
        parts.check(found)
    wrong = {"3": {"size": 5, "wanted": SMALLEST_PART}, "11": {"size": 2, "wanted": 1}}
    assert refused.value.facts == {"missing": [7], "wrong_size": wrong}


def test_parts_beyond_the_file_are_left_out_and_answers_stay_bounded() -> None:
    parts = Parts(400 * SMALLEST_PART, SMALLEST_PART)
    assert len(parts.missing({})) == MOST_SIGNED
    every = _sound(parts, *range(1, 401))
    assert [part.number for part in parts.check(every | {401: Part(401, 9, "extra")})] == list(range(1, 401))
    with pytest.raises(UploadIncomplete) as refused:
        parts.check({})
    missing = refused.value.facts["missing"]
    assert isinstance(missing, list)
    assert len(missing) == 100
