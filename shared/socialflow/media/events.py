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
    """The file was inspected, pinned, and its derivatives made; `sha256` empty: a video's comes with `media.hashed`."""

    type: ClassVar[str] = "media.processed"

    sha256: str


@dataclass(frozen=True, kw_only=True)
class MediaHashed(MediaFact):
    """All of a video was read, and the digest of its content is known."""

    type: ClassVar[str] = "media.hashed"

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
class MediaDeleted(MediaFact):
    """Somebody has deleted the media item; `posts` that were planned with it are drafts again."""

    type: ClassVar[str] = "media.deleted"

    by: UUID
    posts: list[str]


@dataclass(frozen=True, kw_only=True)
class MediaExpired(MediaFact):
    """Nobody decided in time."""

    type: ClassVar[str] = "media.expired"


@dataclass(frozen=True, kw_only=True)
class RenditionFact(Fact):
    """Something that happened to a rendition; the subject is its id."""

    aggregate: ClassVar[str] = "rendition"

    media_id: UUID
    network: str


@dataclass(frozen=True, kw_only=True)
class RenditionRequested(RenditionFact):
    """Somebody wishes for a media item as a network takes it."""

    type: ClassVar[str] = "rendition.requested"

    by: UUID


@dataclass(frozen=True, kw_only=True)
class RenditionReady(RenditionFact):
    """The media item is there as the network takes it."""

    type: ClassVar[str] = "rendition.ready"


@dataclass(frozen=True, kw_only=True)
class RenditionRefused(RenditionFact):
    """The media item cannot be had as the network takes it."""

    type: ClassVar[str] = "rendition.refused"

    code: str
