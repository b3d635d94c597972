"""The wire shapes of media items."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import Caption, CaptionRequest
from socialflow.media.model import Derivative, MediaItem


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

    variant: Annotated[str, Field(description="An open list: thumb, small, medium, large, square, gif, preview.")]
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


class FocalPoint(BaseModel):
    """What a crop keeps in sight, as parts of the width from the left and of the height from the top."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]


class MediaOut(BaseModel):
    """A media item: where it stands, and what is known of it."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: awaiting_upload, processing, in_review, approved, …")]
    stage: Annotated[str, Field(description="An open list: uploaded, inspecting, processing, captioning, …")]
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]
    kind: Annotated[str, Field(description="An open list: image, video.")]
    file_name: str
    title: str
    alt_text: Annotated[str, Field(description="What a new post takes, before the caption's; posts keep their own.")]
    tags: list[str]
    focal_point: FocalPoint | None
    content_type: str
    size: int
    sha256: str | None
    width: int | None
    height: int | None
    animated: bool
    duration_ms: Annotated[int | None, Field(description="Of a video.")]
    video_codec: str | None
    audio_codec: Annotated[str | None, Field(description="Null: it is silent.")]
    frame_rate: float | None
    blurhash: Annotated[str | None, Field(description="What to show until the thumb is there.")]
    colours: Annotated[list[str], Field(description="#rrggbb, the most of it first.")]
    colour_names: Annotated[list[str], Field(description="The same in words, to filter by.")]
    captured_at: Annotated[datetime | None, Field(description="The camera's wall clock; it has no zone.")]
    camera: str | None
    used: Annotated[bool, Field(description="Whether it is in a post that is not cancelled.")]
    refusal: RefusalOut | None
    caption: CaptionOut | None
    caption_request: CaptionRequestOut | None
    derivatives: list[DerivativeOut]
    created_by: Annotated[UUID, Field(description="Who uploaded it.")]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(
        cls,
        item: MediaItem,
        caption: Caption | None,
        request: CaptionRequest | None,
        derivatives: list[DerivativeOut],
        *,
        used: bool,
    ) -> Self:
        """Shape a media item with what other contexts know of it."""
        refused = item.refusal_code is not None
        focal_point = None
        if item.focal_x is not None and item.focal_y is not None:
            focal_point = FocalPoint(x=item.focal_x, y=item.focal_y)
        return cls(
            id=item.id,
            version=item.version,
            state=item.state,
            stage=item.stage,
            percent=item.percent,
            kind=item.kind,
            file_name=item.file_name,
            title=item.title,
            alt_text=item.alt_text,
            tags=item.tags,
            focal_point=focal_point,
            content_type=item.content_type or item.declared_type,
            size=item.size or item.declared_size,
            sha256=item.sha256.hex() if item.sha256 else None,
            width=item.width,
            height=item.height,
            animated=item.animated,
            duration_ms=item.duration_ms,
            video_codec=item.video_codec,
            audio_codec=item.audio_codec,
            frame_rate=item.frame_rate,
            blurhash=item.blurhash,
            colours=item.colours,
            colour_names=item.colour_names,
            captured_at=item.captured_at,
            camera=item.camera,
            used=used,
            refusal=RefusalOut(code=item.refusal_code or "", detail=item.refusal_detail or "") if refused else None,
            caption=CaptionOut.of(caption) if caption else None,
            caption_request=CaptionRequestOut.of(request) if request else None,
            derivatives=derivatives,
            created_by=item.created_by,
            created_at=item.created_at,
            updated_at=item.updated_at,
            deleted_at=item.deleted_at,
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
