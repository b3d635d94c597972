"""The wire shapes of uploads."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import MAX_PROMPT
from socialflow.media.model import MAX_FILE_NAME, Announcement, MediaItem


class CaptionWish(BaseModel):
    """Whether the captioner is asked, and with which wish of the uploader's."""

    model_config = ConfigDict(extra="forbid")

    skip: Annotated[bool, Field(strict=True)] = False
    prompt: Annotated[str, Field(max_length=MAX_PROMPT, description="Tone, length, language: what you wish for.")] = ""


class UploadIn(BaseModel):
    """What is about to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID | None, Field(description="Your own UUIDv7; the same upload announced twice is one.")] = None
    file_name: Annotated[str, Field(min_length=1, max_length=MAX_FILE_NAME)]
    content_type: Annotated[str, Field(max_length=100, description="image/jpeg, image/png or image/webp.")]
    size: Annotated[int, Field(strict=True, ge=1, description="Bytes; at most 100 MB.")]
    caption: CaptionWish = CaptionWish()

    @property
    def announcement(self) -> Announcement:
        """What the media context is told."""
        return Announcement(self.file_name, self.content_type.strip().lower(), self.size)


class UploadKept(BaseModel):
    """What is kept of an upload's answer: all but the signed address, which is made anew each time."""

    id: UUID
    object_key: str
    content_type: str
    size: int

    @classmethod
    def of(cls, item: MediaItem) -> Self:
        """Shape a media item whose file is awaited."""
        return cls(id=item.id, object_key=item.object_key, content_type=item.declared_type, size=item.declared_size)


class UploadOut(BaseModel):
    """Send the file by `method` to `url` with exactly these headers, before `expires_at`."""

    id: UUID
    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class ArrivalOut(BaseModel):
    """How far the workflow of a file that has come is; GET /v1/media/{id} tells all of it."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: processing, in_review, approved, refused, …")]
    stage: Annotated[str, Field(description="An open list: uploaded, inspecting, processing, captioning, …")]
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]

    @classmethod
    def of(cls, item: MediaItem) -> Self:
        """Shape a media item whose file has come."""
        return cls(id=item.id, version=item.version, state=item.state, stage=item.stage, percent=item.percent)
