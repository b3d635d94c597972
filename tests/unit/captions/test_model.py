"""Captions: a person's are checked and kept as they are, a machine's are made harmless."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.captions.model import (
    MAX_ALT_TEXT,
    MAX_DESCRIPTION,
    MAX_MACHINE_HASHTAGS,
    MAX_TEXT,
    Caption,
    CaptionInvalid,
    Draft,
    Edit,
    edited,
    harmless,
)

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def caption(text: str, *hashtags: str) -> Caption:
    then = datetime(2026, 3, 1, tzinfo=UTC)
    return Caption(ID, ID, 1, text, "alt", list(hashtags), "described", "ai", "m", None, then)


@pytest.mark.parametrize(
    ("text", "hashtags", "rendered"),
    [
        ("Dawn", ["sea", "sky"], "Dawn\n\n#sea #sky"),
        ("Dawn", [], "Dawn"),
        ("", ["sea"], "#sea"),
        ("", [], ""),
    ],
)
def test_hashtags_follow_the_text_after_a_blank_line(text: str, hashtags: list[str], rendered: str) -> None:
    assert caption(text, *hashtags).rendered == rendered


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Visit https://evil.example/x now", "Visit now"),
        ("Visit HTTPS://EVIL.EXAMPLE now", "Visit now"),
        ("javascript://alert now", "now"),
        ("See (https://evil.example/x).", "See"),
        ("me@evil.ex://ample.org here", "here"),
        ("See www.evil.example.", "See"),
        ("Go to evil-site.com/win for more", "Go to for more"),
        ("Thanks @someone and @some.one!", "Thanks and !"),
        ("Write to me@evil.example today", "Write to today"),
        ("Wide \uff20someone here", "Wide here"),
        ("a\x00b\x1b[31mc\u202edcb\u200bx", "ab[31mcdcbx"),
        ("one\n\n\n\n\ntwo  \t three", "one\n\ntwo three"),
        ("Family 👨\u200d👩\u200d👧 नमस्\u200dते", "Family 👨\u200d👩\u200d👧 नमस्\u200dते"),
        ("At 7.30 a.m. it costs 3.50", "At 7.30 a.m. it costs 3.50"),
    ],
)
def test_what_a_model_may_have_been_talked_into_is_taken_out(said: str, left: str) -> None:
    assert harmless(Draft(said, said), given="").text == left
    assert harmless(Draft("x", said), given="").alt_text == left


def test_what_the_person_asked_for_may_stay() -> None:
    wish = "Mention @our_shop and https://shop.example/sale"
    made = harmless(Draft("By @our_shop, https://shop.example/sale and @other"), given=wish)
    assert "@other" not in made.text
    assert "https://shop.example/sale" in made.text


def test_hashtags_of_a_model_are_words_and_few() -> None:
    tags = ("#sea", "Sea", "two words", "https://evil.example", "42", "", "ö", *(f"t{i}x" for i in range(20)))
    made = harmless(Draft("x", hashtags=tags), given="").hashtags
    assert made[:4] == ("sea", "twowords", "httpsevilexample", "ö")
    assert len(made) == MAX_MACHINE_HASHTAGS


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b\u202e", "@only https://links.example"])
def test_an_answer_without_text_is_none(nothing: str) -> None:
    with pytest.raises(ValueError, match="no text"):
        harmless(Draft(nothing), given="")


@given(st.text(max_size=5000), st.lists(st.text(max_size=200), max_size=40))
def test_whatever_a_model_says_its_answer_is_within_the_limits(text: str, tags: list[str]) -> None:
    made = harmless(Draft("x " + text, text, tuple(tags), text), given="")
    assert 1 <= len(made.text) <= MAX_TEXT
    assert len(made.alt_text) <= MAX_ALT_TEXT
    assert len(made.description) <= MAX_DESCRIPTION
    for part in (made.text, made.alt_text, made.description):
        assert "@" not in part
        assert "://" not in part
        assert "\x00" not in part
        part.encode()  # no half of a surrogate pair
    edited(None, Edit(made.text, made.alt_text, made.hashtags))  # a person may send it back as it is


def test_an_edit_changes_what_it_names() -> None:
    made = edited(caption("Dawn", "sea"), Edit(alt_text=" A boat. "))
    assert made == Draft("Dawn", "A boat.", ("sea",), "described")
    assert edited(None, Edit(text="New")) == Draft("New")


def test_a_persons_links_and_mentions_are_their_own() -> None:
    text = "Thanks @crew! https://example.org"
    assert edited(None, Edit(text=text)).text == text


def test_every_fault_of_an_edit_is_told_at_once() -> None:
    with pytest.raises(CaptionInvalid) as refused:
        edited(None, Edit("x" * 2201, "a\x00", ("good", "not good", "#")))
    assert [error.pointer for error in refused.value.errors] == ["/caption", "/alt_text", "/hashtags/1", "/hashtags/2"]
