"""What of a library is listed, and in which order."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from socialflow.errors import FieldError, Invalid
from socialflow.media import colours
from socialflow.media.model import Kind, MediaItem, State

Sort = Literal["created_at", "captured_at", "file_name", "size"]
Direction = Literal["asc", "desc"]

MAX_SEARCH = 100
REMEMBERED = timedelta(days=90)
"""So long a deleted media item is listed for those who ask for what is deleted."""
_LARGEST = 2**63
PRESENT = tuple(state for state in State if state is not State.DELETED)
"""What is listed where no state is asked for."""


@dataclass(frozen=True)
class Filters:
    """What a media item must be to be listed; None asks nothing. Times are from one and before the other."""

    states: tuple[State, ...] = PRESENT
    kind: Kind | None = None
    tags: tuple[str, ...] = ()
    uploaded_from: datetime | None = None
    uploaded_before: datetime | None = None
    captured_from: datetime | None = None
    captured_before: datetime | None = None
    colour: str | None = None
    uploader: UUID | None = None
    used: bool | None = None
    text: str | None = None


@dataclass(frozen=True)
class Ordering:
    """By what a list is ordered; ids decide between equals."""

    sort: Sort = "created_at"
    direction: Direction = "desc"


@dataclass(frozen=True)
class Mark:
    """Where a page ended: the value that it is ordered by, and the id. A picture without a capture date has None."""

    value: datetime | str | int | None
    id: UUID

    @classmethod
    def of(cls, item: MediaItem, sort: Sort) -> Self:
        """Return the mark of a page's last item."""
        value = item.size or item.declared_size if sort == "size" else getattr(item, sort)
        return cls(value, item.id)

    def document(self) -> list[str | int | None]:
        """Return it as JSON values."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return [value, str(self.id)]

    @classmethod
    def read(cls, sort: Sort, value: object, media_id: str) -> Self:
        """Read what `document` gave; raises ValueError or TypeError for anything else."""
        return cls(_READ[sort](value), UUID(media_id))


@dataclass(frozen=True)
class Part:
    """Which part of a list is wanted: what follows a mark, and how much of it."""

    ordering: Ordering
    after: Mark | None
    limit: int


def colour_named(text: str) -> str:
    """Return the word that a colour is listed under; raises `Invalid` for what is none."""
    name = colours.named(text)
    if name is None:
        detail = f"A colour is one of {', '.join(colours.COLOUR_NAMES)}, or #rrggbb."
        raise Invalid(detail, errors=[FieldError("?colour", "colour-unknown", detail)])
    return name


def bound(filters: Filters, ordering: Ordering) -> Mapping[str, Any]:
    """Return everything that makes it this list and no other."""
    return asdict(filters) | asdict(ordering)


def _uploaded(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a moment has a zone")
    return at


def _captured(value: Any) -> datetime | None:
    at = None if value is None else datetime.fromisoformat(value)
    if at is not None and at.tzinfo is not None:
        raise ValueError("a wall clock has no zone")
    return at


def _name(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("a name is text")
    return value


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise TypeError("a size is a whole number")
    return value


_READ: Mapping[Sort, Any] = {"created_at": _uploaded, "captured_at": _captured, "file_name": _name, "size": _size}
