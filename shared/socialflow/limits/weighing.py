"""How X counts: letters weigh one or two, an emoji two however it is composed, a link 23. As twitter-text 3 does."""

import unicodedata
from functools import cache, lru_cache

from socialflow.limits.links import links, weights

LINK = 23
EMOJI = 2
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""The letters that weigh one; every other one weighs two."""


@cache
def _emoji() -> tuple[frozenset[str], tuple[int, ...], frozenset[str]]:
    """Return the emoji of several letters, their lengths from the longest, and the letters that they begin with."""
    known = frozenset(weights()["emoji"].split(" "))
    lengths = sorted({len(one) for one in known}, reverse=True)
    return known, tuple(lengths), frozenset(one[0] for one in known)


def weighed(text: str) -> int:
    """Return the weighted length of a text."""
    text = unicodedata.normalize("NFC", text)
    found = dict(links(text))
    weight = at = 0
    while at < len(text):
        if at in found:
            weight, at = weight + LINK, found[at]
            continue
        emoji = _emoji_at(text, at)
        weight += EMOJI if emoji else _weight(ord(text[at]))
        at += emoji or 1
    return weight


def _emoji_at(text: str, at: int) -> int:
    known, lengths, beginnings = _emoji()
    if text[at] not in beginnings:
        return 0
    return next((length for length in lengths if text[at : at + length] in known), 0)


@lru_cache(maxsize=4_096)
def _weight(letter: int) -> int:
    return 1 if any(first <= letter <= last for first, last in _LIGHT) else 2
