"""What people may write on a media item."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

import pytest

from socialflow.media.changes import Changes, DescriptionInvalid, Retagging, TooManyTags, normalized
from socialflow.media.model import MediaItem, Stage, State

NOBODY = UUID(int=0)
THEN = datetime(2026, 6, 1, tzinfo=UTC)
ITEM = MediaItem(
    id=NOBODY,
    version=1,
    state=State.APPROVED,
    stage=Stage.DONE,
    percent=100,
    file_name="harbour.jpg",
    declared_type="image/jpeg",
    declared_size=1,
    object_key="key",
    object_version="1",
    content_type="image/jpeg",
    size=1,
    sha256=b"",
    width=1,
    height=1,
    captured_at=None,
    camera=None,
    refusal_code=None,
    refusal_detail=None,
    inspections=0,
    upload_expires_at=THEN,
    created_by=NOBODY,
    created_at=THEN,
    updated_at=THEN,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["Harbour", "#harbour", " HARBOUR "], ["harbour"]),
        (["Straße", "STRASSE"], ["strasse"]),
        (["cafe\u0301", "café"], ["café"]),
        (["\uff57ide", "two   words"], ["wide", "two words"]),
        (["港", "مرفأ", "👨\u200d👩\u200d👧"], ["港", "مرفأ", "👨\u200d👩\u200d👧"]),
        (["x" * 50], ["x" * 50]),
    ],
)
def test_a_tag_has_one_form(given: list[str], kept: list[str]) -> None:
    assert normalized(given, "/tags") == kept


@pytest.mark.parametrize("tag", ["", " ", "#", "x" * 51, "a,b", "a\uff0cb", "a\0b", "a\x1bb", "a\u202eb", "ﷺ" * 3])
def test_what_is_no_tag_is_refused_with_its_place(tag: str) -> None:
    with pytest.raises(DescriptionInvalid) as refused:
        normalized(["fine", tag], "/tags")
    assert refused.value.errors[0].pointer == "/tags/1"


def test_only_what_is_named_is_changed() -> None:
    made = Changes(title=" Dusk ").made_to(dataclasses.replace(ITEM, alt_text="A harbour", tags=["sea"], focal_x=0.5))
    assert (made.title, made.alt_text, made.tags, made.focal_x) == ("Dusk", "A harbour", ["sea"], 0.5)


def test_a_focal_point_is_set_and_taken_away() -> None:
    there = Changes(focal_point=(0.0, 1.0)).made_to(ITEM)
    assert (there.focal_x, there.focal_y) == (0.0, 1.0)
    away = Changes(focal_point="unset").made_to(there)
    assert (away.focal_x, away.focal_y) == (None, None)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (Changes(title="x" * 201), "/title"),
        (Changes(title="one\ntwo"), "/title"),
        (Changes(title="a\u2028b"), "/title"),
        (Changes(title="gpj.\u202eexe"), "/title"),
        (Changes(alt_text="x" * 1_501), "/alt_text"),
        (Changes(alt_text="a\x07b"), "/alt_text"),
        (Changes(alt_text="a\rb"), "/alt_text"),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused(changes: Changes, pointer: str) -> None:
    with pytest.raises(DescriptionInvalid) as refused:
        changes.made_to(ITEM)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_an_alt_text_has_lines_and_every_script() -> None:
    text = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\nsecond line 👨\u200d👩\u200d👧"
    assert Changes(alt_text=text).made_to(ITEM).alt_text == text


def test_tags_are_added_at_the_end_and_removed_wherever_they_are() -> None:
    assert Retagging.of(["#B", "c"], ["A"]).made_to(["a", "c", "d"]) == ["c", "d", "b"]
    with pytest.raises(DescriptionInvalid, match="at once"):
        Retagging.of(["a"], ["A"])


def test_there_are_fifty_tags_at_the_most() -> None:
    full = [f"tag {number}" for number in range(50)]
    assert Retagging.of([], ["tag 1"]).made_to(full) == [tag for tag in full if tag != "tag 1"]
    assert Retagging.of(["new"], ["tag 1"]).made_to(full)[-1] == "new"
    with pytest.raises(TooManyTags):
        Retagging.of(["new"], []).made_to(full)
    with pytest.raises(TooManyTags):
        Changes(tags=[*full, "new"]).made_to(ITEM)
