"""Texts are counted as their networks count: against twitter-text's own data, and whatever Unicode holds."""

import json
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from socialflow.limits import NETWORKS, texts
from socialflow.limits.links import links
from socialflow.limits.little_text import escaped, unescaped
from socialflow.limits.measuring import fits, graphemes, in_bytes, measured, on_mastodon
from socialflow.limits.weighing import weighed

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent.parent / "files" / "twitter_text.json").read_text("utf-8")
)
FAMILY, SCOTLAND = "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"
PARTS = "http:// https:// t.co/ a . .com / ( ) ? # @ $ _ - 日 é xn-- 👍🏽 🇩🇪 &= 1️⃣ \\ [ *"
JOINING = [FAMILY, " ", "\n", "\u202a", "e\u0301", "\ufeff", "\u200d"]
ANYTHING = st.text(max_size=300) | st.lists(st.sampled_from([*PARTS.split(), *JOINING]), max_size=40).map("".join)


@pytest.mark.parametrize(("what", "text", "length"), PUBLISHED["lengths"])
def test_x_is_counted_as_twitter_text_counts(what: str, text: str, length: int) -> None:
    assert weighed(text) == length


@pytest.mark.parametrize(("what", "text", "expected"), PUBLISHED["links"])
def test_links_are_those_that_twitter_text_finds(what: str, text: str, expected: list[str]) -> None:
    assert [text[begin:end] for begin, end in links(text)] == expected


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("日本語", 6),
        (FAMILY, 2),
        (SCOTLAND, 2),
        ("👩‍🐶", 5),  # composed of what is no emoji together
        ("🇦🇦", 4),  # no flag
        ("see https://example.org/a/very/long/address?of=a&page=1", 4 + 23),
        ("e\u0301", 1),  # composed before it is counted
        ("“quoted”", 8),
        ("\xe9b1.みんな#", 25),  # the first letter is taken for what precedes a link
        ("http://xn--ae\u0301.moscow", 23),
    ],
)
def test_what_the_published_data_leaves_out_is_counted_as_the_published_code_does(text: str, length: int) -> None:
    assert weighed(text) == length


@given(ANYTHING)
def test_links_are_in_order_and_apart(text: str) -> None:
    end = 0
    for begin, after in links(text):
        assert end <= begin < after <= len(text)
        end = after


@given(ANYTHING, st.sampled_from(NETWORKS))
def test_any_text_has_a_length_that_more_text_does_not_undo(text: str, network: str) -> None:
    room = texts(network)
    assert measured(text, room) >= 0
    assert measured(text + "\n" + text, room) >= measured(text, room)
    assert fits(text, room) == (
        measured(text, room) <= room.max_characters and in_bytes(text) <= (room.max_bytes or 10**9)
    )


@given(ANYTHING)
def test_no_unit_is_smaller_than_what_a_person_sees(text: str) -> None:
    assert graphemes(text) <= len(text)
    for network in ("instagram", "facebook", "linkedin", "tiktok", "threads"):
        assert len(text) <= measured(text, texts(network))


@given(ANYTHING | st.text("🇩🇪👩\u200d\u0301ka", max_size=60))
def test_a_character_that_a_person_sees_is_what_unicode_says_that_it_is(text: str) -> None:
    assert graphemes(text) == len(regex.findall(r"\X", text))


@pytest.mark.parametrize(
    ("network", "text", "length"),
    [
        ("bluesky", FAMILY, 1),
        ("bluesky", "e\u0301🇩🇪", 2),
        ("bluesky", "🇩🇪🇫🇷🇩", 3),
        ("bluesky", "🇩🇪\u0301🇫🇷", 2),
        ("bluesky", "https://example.org", 19),
        ("threads", "a日", 2),
        ("threads", "👍", 4),
        ("threads", FAMILY, 25),
        ("threads", "🇩🇪🇫🇷a", 17),
        ("tiktok", "👍日", 3),
        ("mastodon", FAMILY, 1),
        ("mastodon", "@ada@example.social, hello", len("@ada, hello")),
        ("mastodon", "mail ada@example.social", len("mail ada@example.social")),
        ("mastodon", "(https://example.com/" + "x" * 200 + ").", 26),
    ],
)
def test_every_network_counts_in_its_own_way(network: str, text: str, length: int) -> None:
    assert measured(text, texts(network)) == length


def test_bytes_are_limited_where_characters_alone_would_not_be() -> None:
    crowded = "a" + "\u0301" * 1500
    assert measured(crowded, texts("bluesky")) == 1
    assert not fits(crowded, texts("bluesky"))


def test_an_instance_says_what_a_link_counts() -> None:
    assert on_mastodon("http://a.b", per_link=30) == 30


@given(ANYTHING)
def test_what_linkedin_is_given_is_what_it_shows(text: str) -> None:
    assert unescaped(escaped(text)) == text


def test_everything_that_linkedin_reserves_is_escaped() -> None:
    assert escaped("a (b) @c #d_e {f|g} <h> [i] *j* ~k \\") == (
        r"a \(b\) \@c \#d\_e \{f\|g\} \<h\> \[i\] \*j\* \~k " + "\\\\"
    )
