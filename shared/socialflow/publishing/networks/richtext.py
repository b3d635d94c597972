"""What in a text is a link, a mention or a hashtag, and where: Bluesky is told, and finds none by itself.

Places are counted in bytes of UTF-8. Facts: https://docs.bsky.app/docs/advanced-guides/post-richtext.
"""

import re
from dataclasses import dataclass
from typing import Literal

import regex

from socialflow.limits.measuring import graphemes

_LINK = re.compile(r"https?://[^\s<>\"]+")
_CLOSING = ".,;:!?)]}'"
_HANDLE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HANDLE = re.compile(_HANDLE)
LONGEST_HANDLE = 253
LONGEST_TAG = 64
"""Characters as a person sees them; a longer hashtag stays plain text."""
_MENTION = re.compile(r"(?<![^\s(\[\"'])@(" + _HANDLE + r")(?![\w-])")
# A hashtag, whose sign may be of full width, has something in it besides digits, marks and joiners.
_BREAK = r"\s\u00ad\u2060\u200a-\u200d\u20e2"
_TAG = regex.compile(rf"(?<!\S)[#\uff03]((?!\ufe0f)[^{_BREAK}]*[^\d{_BREAK}\p{{P}}][^{_BREAK}]*)")
_TRAILING = regex.compile(r"\p{P}+$")


@dataclass(frozen=True)
class Span:
    """A stretch of a text, from byte `start` up to before byte `end`; `value` is the link, the handle or the tag."""

    kind: Literal["link", "mention", "tag"]
    start: int
    end: int
    value: str


def spans(text: str) -> list[Span]:
    """Return the links, mentions and hashtags of a text, in order; none overlaps another."""
    found: list[tuple[int, int, Literal["link", "mention", "tag"], str]] = []
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_CLOSING)
        found.append((match.start(), match.start() + len(link), "link", link))
    found.extend((match.start(), match.end(), "mention", match[1].lower()) for match in _MENTION.finditer(text))
    for tagged in _TAG.finditer(text):
        tag = _TRAILING.sub("", tagged[1])
        if tag and graphemes(tag) <= LONGEST_TAG:
            found.append((tagged.start(), tagged.start(1) + len(tag), "tag", tag))
    placed: list[Span] = []
    free_from = 0
    for start, end, kind, value in sorted(found):
        if start >= free_from and not (kind == "mention" and len(value) > LONGEST_HANDLE):
            placed.append(Span(kind, _bytes(text[:start]), _bytes(text[:end]), value))
            free_from = end
    return placed


def _bytes(text: str) -> int:
    return len(text.encode())
