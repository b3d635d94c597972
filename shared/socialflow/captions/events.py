"""Facts about captions; the subject is the media item."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class CaptionRequested(Fact):
    """A person asked for another caption; its workflow is due."""

    type: ClassVar[str] = "caption.requested"
    aggregate: ClassVar[str] = "media"

    request_id: UUID
    by: UUID


@dataclass(frozen=True, kw_only=True)
class CaptionGenerated(Fact):
    """The captioner wrote a version."""

    type: ClassVar[str] = "caption.generated"
    aggregate: ClassVar[str] = "media"

    caption_id: UUID
    version: int
    model: str


@dataclass(frozen=True, kw_only=True)
class CaptionEdited(Fact):
    """A person, or a person's device, wrote a version."""

    type: ClassVar[str] = "caption.edited"
    aggregate: ClassVar[str] = "media"

    caption_id: UUID
    version: int
    by: UUID
