"""A machine's caption cut to what a network takes. Counted never shorter than the network counts."""

import re
import unicodedata
from dataclasses import replace

from socialflow.captions.model import Draft, rendered
from socialflow.limits import Texts, texts

SHORTENED = "shortened"
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""The letters that X counts once; every other one counts twice."""
_SENTENCE = re.compile(r".*[.!?…。!?](?=\s|$)", re.DOTALL)
_LINK_COUNTS = 23
_LINK = re.compile(r"https?://\S+")
_TAGS_PART = 3
"""Hashtags take a third of the room at the most."""


def counted(text: str, by: Texts) -> int:
    """Return how much a text counts at a network."""
    text = unicodedata.normalize("NFC", text)
    if by.counted != "weighted":
        return len(text)
    links = _LINK.findall(text)
    rest = _LINK.sub("", text)
    return _LINK_COUNTS * len(links) + sum(1 if _is_light(ord(letter)) else 2 for letter in rest)


def fitted(draft: Draft, network: str) -> Draft:
    """Return a draft that fits a network with its hashtags: sentences are left out before words are cut."""
    room = texts(network)
    tags = draft.hashtags[: room.max_hashtags]
    while tags and counted(rendered("", tags), room) * _TAGS_PART > room.max_characters:
        tags = tags[:-1]
    text = draft.text
    if counted(rendered(text, tags), room) > room.max_characters:
        text = _shortened(text, tags, room)
    if (text, tags) == (draft.text, draft.hashtags):
        return draft
    return replace(draft, text=text, hashtags=tags, notes=(*draft.notes, SHORTENED))


def _shortened(text: str, tags: tuple[str, ...], room: Texts) -> str:
    """Return the longest beginning that fits: whole sentences where at least a third is left of them, else words."""

    def fits(much: int) -> bool:
        return counted(rendered(text[:much].rstrip() + "…", tags), room) <= room.max_characters

    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    head = text[:low]
    whole = _SENTENCE.match(head)
    if whole and len(whole[0]) * 3 >= len(head):
        return whole[0].rstrip()
    words = head.rsplit(None, 1)[0] if len(head) < len(text) and " " in head.strip() else head
    return words.rstrip(" ,;:-\n") + "…"


def _is_light(letter: int) -> bool:
    return any(first <= letter <= last for first, last in _LIGHT)
