"""The wire shapes of uploads and media items."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import MAX_PROMPT, Caption, CaptionRequest
from socialflow.media.model import MAX_FILE_NAME, Announcement, Derivative, MediaItem


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


class RefusalOut(BaseModel):
    """Why a file cannot be taken, and what to do."""

    code: str
    detail: str


class CaptionOut(BaseModel):
    """One version of a caption. `rendered` is the text as it would be published."""

    id: UUID
    version: int
    text: str
    alt_text: str
    hashtags: list[str]
    description: str
    rendered: str
    source: Annotated[str, Field(description="An open list: ai, person, device.")]
    model: str | None
    author: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, caption: Caption) -> Self:
        """Shape a version."""
        return cls.model_validate(caption, from_attributes=True)


class CaptionRequestOut(BaseModel):
    """What became of the wish for a caption; a skipped one says why."""

    state: Annotated[str, Field(description="An open list: open, written, skipped.")]
    reason: str | None
    detail: str | None

    @classmethod
    def of(cls, request: CaptionRequest) -> Self:
        """Shape a wish."""
        return cls(state=request.state, reason=request.reason, detail=request.reason_detail)


class DerivativeOut(BaseModel):
    """A picture made from the original; `url` is good for a quarter of an hour."""

    variant: Annotated[str, Field(description="An open list: thumb, small, medium, large.")]
    url: str
    content_type: str
    width: int
    height: int
    size: int

    @classmethod
    def of(cls, made: Derivative, url: str) -> Self:
        """Shape a derivative with a signed address."""
        return cls(
            variant=made.variant,
            url=url,
            content_type=made.content_type,
            width=made.width,
            height=made.height,
            size=made.size,
        )


class MediaOut(BaseModel):
    """A media item: where it stands, and what is known of it."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: awaiting_upload, processing, in_review, approved, …")]
    stage: Annotated[str, Field(description="An open list: uploaded, inspecting, processing, captioning, …")]
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]
    file_name: str
    content_type: str
    size: int
    sha256: str | None
    width: int | None
    height: int | None
    captured_at: Annotated[datetime | None, Field(description="The camera's wall clock; it has no zone.")]
    camera: str | None
    refusal: RefusalOut | None
    caption: CaptionOut | None
    caption_request: CaptionRequestOut | None
    derivatives: list[DerivativeOut]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls,
        item: MediaItem,
        caption: Caption | None,
        request: CaptionRequest | None,
        derivatives: list[DerivativeOut],
    ) -> Self:
        """Shape a media item with what other contexts know of it."""
        refused = item.refusal_code is not None
        return cls(
            id=item.id,
            version=item.version,
            state=item.state,
            stage=item.stage,
            percent=item.percent,
            file_name=item.file_name,
            content_type=item.content_type or item.declared_type,
            size=item.size or item.declared_size,
            sha256=item.sha256.hex() if item.sha256 else None,
            width=item.width,
            height=item.height,
            captured_at=item.captured_at,
            camera=item.camera,
            refusal=RefusalOut(code=item.refusal_code or "", detail=item.refusal_detail or "") if refused else None,
            caption=CaptionOut.of(caption) if caption else None,
            caption_request=CaptionRequestOut.of(request) if request else None,
            derivatives=derivatives,
            created_at=item.created_at,
            updated_at=item.updated_at,
        )


class MediaPageOut(BaseModel):
    """Media items, the newest first, each with its thumb alone."""

    items: list[MediaOut]
    next_cursor: str | None


class DownloadOut(BaseModel):
    """An address to download from, without your token."""

    url: str
    expires_at: datetime


class CaptionVersionsOut(BaseModel):
    """Every version of a caption, the oldest first."""

    items: list[CaptionOut]
