"""How long a text is, counted as its network counts."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import regex

from socialflow.limits import Texts
from socialflow.limits.weighing import weighed

LINK_ON_MASTODON = 23
_LATELY = 16
"""So many counts are kept: a post that goes to many accounts says to most of them the same."""
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_CLOSING = ".,;:!?)]}'"
_ACCOUNT = re.compile(r"(?<![=/\w])(@[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})@[\w.-]*\w")
_CHARACTER = regex.compile(r"\X")
_FLAG = regex.compile(r"\p{Regional_Indicator}{2}")
_ANY_FLAG = "\N{CHEQUERED FLAG}"
"""Stands in for every flag: the letters of flags in a row are counted back to their first by each of them else."""
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")


def measured(text: str, by: Texts) -> int:
    """Return how much a text counts."""
    return _counted(by.counted, text)


def fits(text: str, by: Texts) -> bool:
    """Tell whether a text is no longer than its network takes, in characters and in bytes."""
    return measured(text, by) <= by.max_characters and (by.max_bytes is None or in_bytes(text) <= by.max_bytes)


def in_bytes(text: str) -> int:
    """Return how many bytes a text has in UTF-8."""
    return len(text.encode())


def graphemes(text: str) -> int:
    """Return how many characters a person sees."""
    return sum(1 for _ in _CHARACTER.finditer(_FLAG.sub("x", text)))


@lru_cache(maxsize=_LATELY)
def on_mastodon(text: str, per_link: int = LINK_ON_MASTODON) -> int:
    """Return what Mastodon counts: what a person sees, a link always as much, an account without its host."""

    def stand_in(found: re.Match[str]) -> str:
        link = found[0].rstrip(_CLOSING)
        return "x" * per_link + found[0][len(link) :]

    return graphemes(_ACCOUNT.sub(r"\1", _ADDRESS.sub(stand_in, text)))


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _emoji_in_bytes(text: str) -> int:
    """Count letters as one and emoji as their bytes, as Threads says that it does."""
    text, flags = _FLAG.subn(_ANY_FLAG, text)
    counted = sum(in_bytes(seen[0]) if _EMOJI.search(seen[0]) else len(seen[0]) for seen in _CHARACTER.finditer(text))
    return counted + flags * in_bytes(_ANY_FLAG)  # a flag has two letters of as many bytes


@lru_cache(maxsize=_LATELY)
def _counted(unit: str, text: str) -> int:
    return _COUNTS[unit](text)


_COUNTS: Mapping[str, Callable[[str], int]] = {
    "weighted": weighed,
    "graphemes": graphemes,
    "mastodon": on_mastodon,
    "utf16": _utf16,
    "emoji_bytes": _emoji_in_bytes,
}
