"""What differs between two versions of a text, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Change:
    """A part of the older text that stayed or went, or of the newer one that came."""

    op: Literal["equal", "delete", "insert"]
    text: str


def changes(before: str, after: str) -> list[Change]:
    """Return the parts in order: without what came they are the older text, without what went the newer."""
    return list(_changes(_WORDS.findall(before), _WORDS.findall(after)))


def _changes(before: list[str], after: list[str]) -> Iterator[Change]:
    for op, i, j, k, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            yield Change("equal", "".join(before[i:j]))
            continue
        if i < j:
            yield Change("delete", "".join(before[i:j]))
        if k < end:
            yield Change("insert", "".join(after[k:end]))
