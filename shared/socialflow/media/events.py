"""Facts about media items."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class MediaFact(Fact):
    """Something that happened to a media item; the subject is its id."""

    aggregate: ClassVar[str] = "media"


@dataclass(frozen=True, kw_only=True)
class MediaUploaded(MediaFact):
    """The file has arrived."""

    type: ClassVar[str] = "media.uploaded"

    by: UUID


@dataclass(frozen=True, kw_only=True)
class MediaProcessed(MediaFact):
    """The file was inspected, pinned, and its derivatives made."""

    type: ClassVar[str] = "media.processed"

    sha256: str


@dataclass(frozen=True, kw_only=True)
class MediaRefused(MediaFact):
    """The file cannot be taken."""

    type: ClassVar[str] = "media.refused"

    code: str


@dataclass(frozen=True, kw_only=True)
class MediaApproved(MediaFact):
    """The media item may be published."""

    type: ClassVar[str] = "media.approved"


@dataclass(frozen=True, kw_only=True)
class MediaRejected(MediaFact):
    """The media item must not be published."""

    type: ClassVar[str] = "media.rejected"


@dataclass(frozen=True, kw_only=True)
class MediaExpired(MediaFact):
    """Nobody decided in time."""

    type: ClassVar[str] = "media.expired"
