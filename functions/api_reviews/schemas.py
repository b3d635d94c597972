"""The wire shapes of reviews."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import Caption, Edit
from socialflow.media.model import MediaItem
from socialflow.review.model import MAX_REASON, Review

VERSION_SEEN = "The caption's number that you have read; if another one stands there by now, nothing is done (412)."


class CaptionChange(BaseModel):
    """What of a caption is changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    caption: Annotated[str | None, Field(description="The text, without hashtags; at most 2,200 characters.")] = None
    alt_text: Annotated[str | None, Field(description="At most 1,500 characters.")] = None
    hashtags: Annotated[list[str] | None, Field(description="At most 30, with or without #.", max_length=100)] = None

    @property
    def edit(self) -> Edit:
        """What the captions context is told."""
        hashtags = None if self.hashtags is None else tuple(self.hashtags)
        return Edit(self.caption, self.alt_text, hashtags)


class PatchReview(CaptionChange):
    """A new version of the caption, by a person or by a model on the person's own device."""

    source: Literal["person", "device"] = "person"
    model: Annotated[str | None, Field(max_length=100, description="Which model on the device wrote it.")] = None


class ApproveReview(CaptionChange):
    """An approval, with or without an edit of the caption."""

    caption_version: Annotated[int | None, Field(strict=True, ge=1, description=VERSION_SEEN)] = None


class RejectReview(BaseModel):
    """A rejection."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=MAX_REASON, description="What the uploader is told.")] = ""
    caption_version: Annotated[int | None, Field(strict=True, ge=1, description=VERSION_SEEN)] = None


class RequestChanges(BaseModel):
    """A wish for another caption; an edit opens the review again."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON, description="What should be changed.")]
    caption_version: Annotated[int | None, Field(strict=True, ge=1, description=VERSION_SEEN)] = None


class ReviewCaptionOut(BaseModel):
    """The caption that the review is about. `rendered` is the text as it would be published."""

    id: UUID
    version: int
    text: str
    alt_text: str
    hashtags: list[str]
    rendered: str
    source: Annotated[str, Field(description="An open list: ai, person, device.")]
    model: str | None


class ReviewOut(BaseModel):
    """A review. After `expires_at` nobody can decide it any more."""

    media_id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: open, changes_requested, approved, rejected, expired.")]
    caption: ReviewCaptionOut | None
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    decided_by_name: str | None
    reason: str | None

    @classmethod
    def of(cls, review: Review, caption: Caption | None, *, at: datetime) -> Self:
        """Shape a review as it is at a moment: one whose time is over is expired, whoever has noted it yet."""
        shaped = ReviewCaptionOut.model_validate(caption, from_attributes=True) if caption else None
        return cls(
            media_id=review.media_id,
            version=review.version,
            state="expired" if review.overdue(at) else review.state,
            caption=shaped,
            requested_at=review.requested_at,
            expires_at=review.expires_at,
            decided_at=review.decided_at,
            decided_by=review.decided_by,
            decided_by_name=review.decided_by_name,
            reason=review.reason,
        )


class ReviewedMediaOut(BaseModel):
    """What a reviewer sees of the media item; `thumb_url` is good for a quarter of an hour."""

    file_name: str
    state: str
    width: int | None
    height: int | None
    captured_at: datetime | None
    thumb_url: str | None

    @classmethod
    def of(cls, item: MediaItem, thumb_url: str | None) -> Self:
        """Shape a media item with its thumb's signed address."""
        return cls(
            file_name=item.file_name,
            state=item.state,
            width=item.width,
            height=item.height,
            captured_at=item.captured_at,
            thumb_url=thumb_url,
        )


class QueuedReviewOut(BaseModel):
    """A review with its media item."""

    review: ReviewOut
    media: ReviewedMediaOut


class ReviewPageOut(BaseModel):
    """Reviews, the oldest first."""

    items: list[QueuedReviewOut]
    next_cursor: str | None
