"""A machine's caption fits the network that it was cut for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.captions.comparing import changes
from socialflow.captions.fitting import SHORTENED, fitted
from socialflow.captions.model import CaptionInvalid, Draft, rendered
from socialflow.captions.style import Style
from socialflow.limits import NETWORKS, measuring, texts


def test_what_fits_stays_as_it_is() -> None:
    draft = Draft("Dawn over the harbour.", "alt", ("sea", "sky"))
    assert fitted(draft, "x") is draft


def test_whole_sentences_are_kept_before_words_are_cut() -> None:
    made = fitted(Draft("A first sentence that stays whole. " * 12), "x")
    assert made.text.endswith("whole.")
    assert made.notes == (SHORTENED,)
    words = fitted(Draft("word " * 100), "x")
    assert words.text.endswith("word…")


def test_hashtags_are_as_many_as_a_network_takes() -> None:
    assert fitted(Draft("A", hashtags=("a", "b", "c", "d")), "x").hashtags == ("a", "b", "c")
    assert fitted(Draft("A", hashtags=("a", "b")), "threads").hashtags == ("a",)


@given(
    st.text(min_size=1, max_size=50).filter(str.strip),
    st.integers(1, 80),
    st.lists(st.integers(1, 100), max_size=30),
    st.sampled_from(NETWORKS),
)
def test_whatever_it_was_it_fits(text: str, times: int, tags: list[int], network: str) -> None:
    made = fitted(Draft((text.strip() + " ") * times, hashtags=tuple("日" * length for length in tags)), network)
    room = texts(network)
    assert measuring.fits(rendered(made.text, made.hashtags), room)
    assert len(made.hashtags) <= room.max_hashtags
    assert made.text


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_difference_is_both_texts(before: str, after: str) -> None:
    parts = changes(before, after)
    assert "".join(part.text for part in parts if part.op != "insert") == before
    assert "".join(part.text for part in parts if part.op != "delete") == after
    assert all(part.text for part in parts)


def test_a_difference_names_words() -> None:
    told = [(part.op, part.text) for part in changes("A red boat.", "A blue boat!")]
    assert told == [
        ("equal", "A "),
        ("delete", "red"),
        ("insert", "blue"),
        ("equal", " boat"),
        ("delete", "."),
        ("insert", "!"),
    ]


def test_a_style_is_kept_as_its_names_are_written() -> None:
    style = Style("playful", "short", "de-at", "Twitter", 2).checked()
    assert (style.network, style.language) == ("x", "de-AT")
    assert Style.of({**style.stored(), "from_the_future": 1}) == style
    assert Style.of({}) == Style()


@pytest.mark.parametrize(
    ("style", "pointer"), [(Style(network="myspace"), "/network"), (Style(language="x_y"), "/language")]
)
def test_a_style_that_nobody_knows_is_told(style: Style, pointer: str) -> None:
    with pytest.raises(CaptionInvalid) as refused:
        style.checked()
    assert [error.pointer for error in refused.value.errors] == [pointer]
