"""A machine's caption cut to what a network takes. Counted never shorter than the network counts."""

import re
from dataclasses import replace

from socialflow.captions.model import Draft, rendered
from socialflow.limits import Texts, measuring, texts

SHORTENED = "shortened"
_SENTENCE = re.compile(r".*[.!?…。!?](?=\s|$)", re.DOTALL)
_TAGS_PART = 3
"""Hashtags take a third of the room at the most."""


def fitted(draft: Draft, network: str) -> Draft:
    """Return a draft that fits a network with its hashtags: sentences are left out before words are cut."""
    room = texts(network)
    tags = draft.hashtags[: room.max_hashtags]
    while tags and measuring.measured(rendered("", tags), room) * _TAGS_PART > room.max_characters:
        tags = tags[:-1]
    text = draft.text
    if not measuring.fits(rendered(text, tags), room):
        text = _shortened(text, tags, room)
    if (text, tags) == (draft.text, draft.hashtags):
        return draft
    return replace(draft, text=text, hashtags=tags, notes=(*draft.notes, SHORTENED))


def _shortened(text: str, tags: tuple[str, ...], room: Texts) -> str:
    """Return the longest beginning that fits: whole sentences where at least a third is left of them, else words."""

    def fits(much: int) -> bool:
        return measuring.fits(rendered(text[:much].rstrip() + "…", tags), room)

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
