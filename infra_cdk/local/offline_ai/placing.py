"""Texts as points, by the words and parts of words that they share, and by nothing that they mean.

Each word and each three letters of it add to one of the vector's numbers, which their hash names ("feature hashing").
"harbour" and "harbours" lie near; "boat" and "ship" do not.
"""

import hashlib
import math
import re
from collections.abc import Iterator

DIMENSION = 256
_WORD = re.compile(r"\w+")


def placed(text: str) -> list[float]:
    """Return a vector of length one; of a text without a word one that is near to no other's."""
    vector = [0.0] * DIMENSION
    for part in _parts(text):
        at = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=4).digest())
        vector[at % DIMENSION] += 1.0 if at & 0x8000_0000 else -1.0
    length = math.hypot(*vector)
    return [each / length for each in vector] if length else [1.0, *[0.0] * (DIMENSION - 1)]


def _parts(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.casefold()):
        yield word
        framed = f"<{word}>"
        yield from (framed[at : at + 3] for at in range(len(framed) - 2))
