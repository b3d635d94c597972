"""The wire shapes of captions: wishes, versions, differences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.comparing import Change
from socialflow.captions.model import MAX_PROMPT, Caption, CaptionRequest
from socialflow.captions.style import MAX_ALTERNATIVES, Length, Style, Tone


class CaptionWishIn(BaseModel):
    """How the caption is wished for; what is left out is the captioner's choice."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(max_length=MAX_PROMPT, description="In your own words.")] = ""
    tone: Tone | None = None
    length: Length | None = None
    language: Annotated[
        str | None, Field(max_length=40, description="A BCP 47 tag; by default the first of the tenant's languages.")
    ] = None
    network: Annotated[
        str | None,
        Field(max_length=40, description="A variant within that network's limits. It is no caption to be reviewed."),
    ] = None
    alternatives: Annotated[
        int, Field(strict=True, ge=1, le=MAX_ALTERNATIVES, description="How many to choose from.")
    ] = 1

    @property
    def style(self) -> Style:
        """What the captions context is told."""
        return Style(self.tone, self.length, self.language, self.network, self.alternatives)


class CaptionVersionOut(BaseModel):
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
    network: Annotated[str | None, Field(description="The network that it was cut for; null: the one under review.")]
    alternative: int
    notes: Annotated[
        list[str],
        Field(
            description="What was changed in a model's answer. An open list: link-removed, mention-removed,"
            " hidden-characters-removed, shortened. Read such a caption with care."
        ),
    ]
    created_at: datetime

    @classmethod
    def of(cls, caption: Caption) -> Self:
        """Shape a version."""
        return cls.model_validate(caption, from_attributes=True)


class CaptionVersionsOut(BaseModel):
    """Versions of a caption, the oldest first."""

    items: list[CaptionVersionOut]
    next_cursor: str | None


class CaptionAskedOut(BaseModel):
    """A wish for a caption, what became of it, and the versions that were written for it."""

    id: UUID
    media_id: UUID
    state: Annotated[str, Field(description="An open list: open, written, skipped.")]
    reason: Annotated[str | None, Field(description="Why it was skipped: budget-exceeded, content-policy, …")]
    detail: str | None
    turn_at: Annotated[datetime | None, Field(description="When it is its turn, where many are asked for at once.")]
    requested_by: UUID
    requested_at: datetime
    captions: list[CaptionVersionOut]

    @classmethod
    def of(cls, request: CaptionRequest, written: Sequence[Caption]) -> Self:
        """Shape a wish."""
        return cls(
            id=request.id,
            media_id=request.media_id,
            state=request.state,
            reason=request.reason,
            detail=request.reason_detail,
            turn_at=request.turn_at,
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            captions=[CaptionVersionOut.of(caption) for caption in written],
        )


class ChangeOut(BaseModel):
    """A part of a text that stayed, went or came."""

    op: Annotated[str, Field(description="equal, delete or insert.")]
    text: str

    @classmethod
    def of(cls, change: Change) -> Self:
        """Shape a part."""
        return cls(op=change.op, text=change.text)


class CaptionDiffOut(BaseModel):
    """What differs between two versions, word by word."""

    from_version: int
    to_version: int
    text: list[ChangeOut]
    alt_text: list[ChangeOut]
    hashtags_removed: list[str]
    hashtags_added: list[str]
