"""What people may write on a media item: title, alt text, tags, focal point."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from socialflow.errors import FieldError, Invalid
from socialflow.media.model import MediaItem
from socialflow.media.texts import is_plain

MAX_TITLE = 200
MAX_ALT_TEXT = 1_500
"""What a caption's alt text may have too."""
MAX_TAGS = 50
MAX_TAG = 50


class DescriptionInvalid(Invalid):
    """A text cannot be shown or stored."""

    code, title = "description-invalid", "The description cannot be used"


class TooManyTags(Invalid):
    """A media item would have more tags than it may."""

    code, title = "too-many-tags", "Too many tags"


@dataclass(frozen=True)
class Changes:
    """What a person wants changed; None: as it is. `focal_point` is of x and y, `unset` takes it away."""

    title: str | None = None
    alt_text: str | None = None
    tags: Sequence[str] | None = None
    focal_point: tuple[float, float] | Literal["unset"] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is to be changed."""
        return self == Changes()

    def made_to(self, item: MediaItem) -> MediaItem:
        """Return the media item with the changes; raises `DescriptionInvalid` and `TooManyTags`."""
        made = item
        if self.title is not None:
            made = replace(made, title=_text(self.title, "/title", MAX_TITLE))
        if self.alt_text is not None:
            made = replace(made, alt_text=_text(self.alt_text, "/alt_text", MAX_ALT_TEXT, lines=True))
        if self.tags is not None:
            made = replace(made, tags=checked_count(normalized(self.tags, "/tags")))
        if self.focal_point is not None:
            x, y = (None, None) if self.focal_point == "unset" else self.focal_point
            made = replace(made, focal_x=x, focal_y=y)
        return made


@dataclass(frozen=True)
class Retagging:
    """Tags that many media items get, and tags that they lose, normalized."""

    add: Sequence[str]
    remove: Sequence[str]

    @classmethod
    def of(cls, add: Sequence[str], remove: Sequence[str]) -> "Retagging":
        """Check what a person sends; raises `DescriptionInvalid`."""
        made = cls(normalized(add, "/add"), normalized(remove, "/remove"))
        both = set(made.add) & set(made.remove)
        if both:
            detail = f"{min(both)!r} cannot be added and removed at once."
            raise DescriptionInvalid(detail, errors=[FieldError("/remove", "tag-contradictory", detail)])
        return made

    def made_to(self, tags: Sequence[str]) -> list[str]:
        """Return tags after it, in their order; raises `TooManyTags`."""
        kept = [tag for tag in tags if tag not in self.remove]
        return checked_count([*kept, *(tag for tag in self.add if tag not in kept)])


def normal(tag: str) -> str:
    """Return a tag in the one form in which it is kept: case, a hash sign and blanks make no other."""
    plain = unicodedata.normalize("NFKC", tag).strip().lstrip("#").casefold()
    return " ".join(unicodedata.normalize("NFC", plain).split())


def normalized(tags: Iterable[str], pointer: str) -> list[str]:
    """Return tags in their normal form, each once; raises `DescriptionInvalid`."""
    found: dict[str, None] = {}
    for index, given in enumerate(tags):
        tag = normal(given)
        # A comma parts tags where they are asked for.
        if not 1 <= len(tag) <= MAX_TAG or "," in tag or not is_plain(tag):
            detail = f"A tag has 1 to {MAX_TAG} characters, no comma and no control characters."
            raise DescriptionInvalid(detail, errors=[FieldError(f"{pointer}/{index}", "tag-invalid", detail)])
        found[tag] = None
    return list(found)


def checked_count(tags: list[str]) -> list[str]:
    """Return tags of which there are not too many; raises `TooManyTags`."""
    if len(tags) > MAX_TAGS:
        detail = f"A media item has up to {MAX_TAGS} tags; these would be {len(tags)}. Remove some."
        raise TooManyTags(detail, errors=[FieldError("/tags", "too-many-tags", detail)], limit=MAX_TAGS)
    return tags


def _text(given: str, pointer: str, longest: int, *, lines: bool = False) -> str:
    text = given.strip()
    if len(text) > longest:
        detail = f"It has {len(text)} characters; {longest} are the most."
        raise DescriptionInvalid(detail, errors=[FieldError(pointer, "too-long", detail)])
    if not is_plain(text, lines=lines):
        detail = "It has no control characters" + (" but the ends of lines." if lines else ", and is one line.")
        raise DescriptionInvalid(detail, errors=[FieldError(pointer, "text-invalid", detail)])
    return text
