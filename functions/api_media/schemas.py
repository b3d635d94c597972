"""The wire shapes of media items."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import Caption, CaptionRequest
from socialflow.errors import Refusal
from socialflow.media.changes import MAX_ALT_TEXT, MAX_TAG, MAX_TAGS, MAX_TITLE, Changes
from socialflow.media.library import MAX_BATCH, Done
from socialflow.media.library_repository import Counted
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

    x: Annotated[float, Field(strict=True, ge=0, le=1)]
    y: Annotated[float, Field(strict=True, ge=0, le=1)]


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
    duplicates: Annotated[list[UUID], Field(description="Others of exactly this content, the oldest first.")]
    refusal: RefusalOut | None
    caption: CaptionOut | None
    caption_request: CaptionRequestOut | None
    derivatives: list[DerivativeOut]
    created_by: Annotated[UUID, Field(description="Who uploaded it.")]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(  # noqa: PLR0913 # what each context knows of it, by its name
        cls,
        item: MediaItem,
        caption: Caption | None,
        request: CaptionRequest | None,
        derivatives: list[DerivativeOut],
        *,
        used: bool,
        duplicates: list[UUID],
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
            duplicates=duplicates,
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
    """Media items in the order asked for, each with its thumb alone."""

    items: list[MediaOut]
    next_cursor: str | None


class CountOut(BaseModel):
    """So many media items are of a kind and in a state."""

    state: str
    kind: str
    count: int


class CountsOut(BaseModel):
    """How many media items there are; what is deleted is not counted."""

    items: list[CountOut]
    total: int

    @classmethod
    def of(cls, found: Sequence[Counted]) -> Self:
        """Shape counts."""
        items = [CountOut(state=one.state, kind=one.kind, count=one.count) for one in found]
        return cls(items=items, total=sum(one.count for one in found))


class TagOut(BaseModel):
    """A tag, and how many media items have it."""

    tag: str
    count: int


class TagsOut(BaseModel):
    """Tags, the most used first."""

    items: list[TagOut]


class PatchMedia(BaseModel):
    """What people say of a media item; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str | None, Field(description=f"One line, at most {MAX_TITLE} characters.")] = None
    alt_text: Annotated[str | None, Field(description=f"At most {MAX_ALT_TEXT:,} characters.")] = None
    tags: Annotated[
        list[str] | None,
        Field(max_length=MAX_TAGS, description=f"In place of the present ones, each of 1 to {MAX_TAG} characters."),
    ] = None
    focal_point: Annotated[FocalPoint | None, Field(description="Null takes it away.")] = None

    @property
    def changes(self) -> Changes:
        """What the media context is told."""
        point: tuple[float, float] | Literal["unset"] | None = None
        if self.focal_point:
            point = self.focal_point.x, self.focal_point.y
        elif "focal_point" in self.model_fields_set:
            point = "unset"
        return Changes(title=self.title, alt_text=self.alt_text, tags=self.tags, focal_point=point)


Ids = Annotated[list[UUID], Field(min_length=1, max_length=MAX_BATCH, description="Each is answered once.")]


class ProgressIn(BaseModel):
    """Which media items are asked about."""

    model_config = ConfigDict(extra="forbid")

    ids: Ids
    thumbs: Annotated[bool, Field(strict=True, description="Whether addresses of thumbs are wanted.")] = False


class RetagIn(BaseModel):
    """Tags that media items get, and tags that they lose."""

    model_config = ConfigDict(extra="forbid")

    ids: Ids
    add: Annotated[list[str], Field(max_length=MAX_TAGS)] = []
    remove: Annotated[list[str], Field(max_length=MAX_TAGS)] = []


class DeleteIn(BaseModel):
    """Media items that are to be deleted."""

    model_config = ConfigDict(extra="forbid")

    ids: Ids
    force: Annotated[
        bool, Field(strict=True, description="Also what posts need: planned ones become drafts again.")
    ] = False


class NeedingPostOut(BaseModel):
    """A post that needs a media item."""

    id: UUID
    state: str


class ItemProblemOut(BaseModel):
    """Why nothing was done with one of many, and what to do."""

    code: str
    detail: str
    posts: Annotated[list[NeedingPostOut], Field(description="Which stand in the way of a deletion.")] = []

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """Shape a refusal."""
        posts = [NeedingPostOut.model_validate(post) for post in cast("list[Any]", refusal.facts.get("posts", []))]
        return cls(code=refusal.code, detail=refusal.detail, posts=posts)


class ProgressOut(BaseModel):
    """Where a media item stands."""

    version: int
    state: str
    stage: str
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]
    refusal_code: str | None
    thumb_url: Annotated[str | None, Field(description="Where thumbs were asked for; good for a quarter of an hour.")]


class ProgressResultOut(BaseModel):
    """Where one of many stands, or that it is not there (404)."""

    id: UUID
    status: int
    media: ProgressOut | None
    problem: ItemProblemOut | None


class ProgressResultsOut(BaseModel):
    """Each of those that were asked about, in their order."""

    results: list[ProgressResultOut]


class ItemResultOut(BaseModel):
    """What became of one of many: a status as if it had been the only one."""

    id: UUID
    status: int
    version: Annotated[int | None, Field(description="The version that it has now.")]
    problem: ItemProblemOut | None

    @classmethod
    def of(cls, done: Done) -> Self:
        """Shape what became of a media item."""
        refused = done.refusal
        problem = ItemProblemOut.of(refused) if refused else None
        return cls(id=done.id, status=refused.status if refused else 200, version=done.version, problem=problem)


class ItemResultsOut(BaseModel):
    """What became of each, in the order asked for."""

    results: list[ItemResultOut]

    @classmethod
    def of(cls, done: Sequence[Done]) -> Self:
        """Shape what became of media items."""
        return cls(results=[ItemResultOut.of(one) for one in done])


class SimilarOut(BaseModel):
    """A media item that looks like the one that was asked about."""

    id: UUID
    bits: Annotated[int, Field(ge=0, le=64, description="In how many of 64 bits their hashes differ; 0 is the same.")]


class SimilarListOut(BaseModel):
    """What looks like a media item, the nearest first: re-encoded, resized, slightly cropped."""

    items: list[SimilarOut]


class DownloadOut(BaseModel):
    """An address to download from, without your token."""

    url: str
    expires_at: datetime
