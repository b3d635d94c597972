"""A place in a model's space, what it was made of, and how far a tenant's media items are in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID

Aspect = Literal["picture", "text"]


@dataclass(frozen=True)
class Space:
    """Where vectors can be compared: those of one model, of one size."""

    model: str
    dimension: int
    sees: bool
    """Whether pictures have a place in it too."""

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """What of a media item has a place in it."""
        return ("picture", "text") if self.sees else ("text",)


@dataclass(frozen=True)
class Source:
    """What a vector is made of: a picture's bytes or a text."""

    aspect: Aspect
    of: bytes | str

    @property
    def sha256(self) -> bytes:
        """What tells whether it has changed."""
        return sha256(self.of.encode() if isinstance(self.of, str) else self.of).digest()


@dataclass(frozen=True)
class Kept:
    """A vector that is stored, without its numbers."""

    aspect: Aspect
    model: str
    dimension: int
    of_sha256: bytes

    def is_of(self, source: Source, space: Space) -> bool:
        """Tell whether it is this source's place in this space."""
        there = (self.aspect, self.model, self.dimension, self.of_sha256)
        return there == (source.aspect, space.model, space.dimension, source.sha256)


@dataclass(frozen=True)
class Placed:
    """A source's place in a space."""

    source: Source
    space: Space
    values: Sequence[float]


@dataclass(frozen=True)
class Progress:
    """How many media items there are to find, and how many of them have their places in a space."""

    media: int
    placed: int


@dataclass(frozen=True)
class Neighbour:
    """A media item that lies near: 1 is the same direction, 0 none in common."""

    media_id: UUID
    similarity: float


def said_of(*, file_name: str, title: str, caption: str, alt_text: str, tags: Sequence[str]) -> str:
    """Return what is said of a media item as one text: its own file's name, where that is all."""
    parts = [title, caption, alt_text, " ".join(tags)]
    return "\n".join(part for part in parts if part.strip()) or file_name
