"""How posts are shown."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.publishing.content import Piece, Reply
from socialflow.publishing.model import Attempt, Post, Target
from socialflow.publishing.service import Detail

M = TypeVar("M", bound=BaseModel)
MOST_SHOWN = 1_500_000
"""Bytes of a page as JSON: an answer of Lambda's has six million, with all that is escaped in it."""


class PostMediaOut(BaseModel):
    """A media item in its place, pinned to its content."""

    id: UUID
    alt_text: str
    sha256: str

    @classmethod
    def of(cls, piece: Piece) -> Self:
        """Shape a medium."""
        return cls(id=piece.id, alt_text=piece.alt_text, sha256=piece.sha256)


class ReplyOut(BaseModel):
    """What follows the post under it."""

    text: str
    media: list[PostMediaOut]

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Shape a reply."""
        return cls(text=reply.text, media=[PostMediaOut.of(piece) for piece in reply.media])


class VariantOut(BaseModel):
    """What one network gets instead."""

    text: str | None
    media: list[PostMediaOut] | None
    options: dict[str, Any]
    replies: list[ReplyOut] | None


class AttemptOut(BaseModel):
    """One time that publishing was begun."""

    attempt: int
    started_at: datetime
    outcome: Annotated[str | None, Field(description="An open list: published, failed, unconfirmed; null: under way.")]
    remote_id: str | None
    finished_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Shape an attempt."""
        return cls(
            attempt=attempt.attempt,
            started_at=attempt.started_at,
            outcome=attempt.outcome,
            remote_id=attempt.remote_id,
            finished_at=attempt.finished_at,
        )


class ReceiptOut(BaseModel):
    """What the network gave for a published target."""

    remote_id: str
    url: str | None
    published_at: datetime | None
    deleted_at: Annotated[datetime | None, Field(description="Since when we know that it is there no more.")]


class TargetProblemOut(BaseModel):
    """Why a target is not out, and what to do."""

    code: str
    detail: str


class TargetOut(BaseModel):
    """One destination of a post, or of one of its replies."""

    id: UUID
    account_id: UUID
    network: str
    position: Annotated[int, Field(description="0: the post itself; from 1: its replies, each to the one before.")]
    state: Annotated[str, Field(description="An open list: scheduled, preparing, prepared, attempting, published, …")]
    cancel_requested: bool
    receipt: ReceiptOut | None
    problem: TargetProblemOut | None
    attempts: int
    attempted: list[AttemptOut]

    @classmethod
    def of(cls, target: Target, attempts: list[Attempt]) -> Self:
        """Shape a target with the attempts at it."""
        receipt = problem = None
        if target.remote_id is not None:
            receipt = ReceiptOut(
                remote_id=target.remote_id,
                url=target.remote_url,
                published_at=target.published_at,
                deleted_at=target.deleted_at,
            )
        if target.error_code is not None:
            problem = TargetProblemOut(code=target.error_code, detail=target.error_detail or "")
        return cls(
            id=target.id,
            account_id=target.account_id,
            network=target.network,
            position=target.position,
            state=target.state,
            cancel_requested=target.request == "cancel",
            receipt=receipt,
            problem=problem,
            attempts=target.attempt,
            attempted=[AttemptOut.of(attempt) for attempt in attempts if attempt.target_id == target.id],
        )


class PostApprovalOut(BaseModel):
    """Whether somebody must approve, and who has."""

    required: bool
    approved: bool
    by: UUID | None
    at: datetime | None


class PostOut(BaseModel):
    """A post with its targets. `content_hash` is what an approval names."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: draft, awaiting_approval, scheduled, publishing, …")]
    text: str
    media: list[PostMediaOut]
    variants: dict[str, VariantOut]
    replies: list[ReplyOut]
    due_at: Annotated[datetime | None, Field(description="UTC; null: a draft.")]
    due_local: Annotated[datetime | None, Field(description="The wall clock that was meant, in due_zone.")]
    due_zone: str | None
    slot: Annotated[str | None, Field(description="The slot of the queue that its time is of.")]
    series_id: Annotated[UUID | None, Field(description="The series that it was made of.")]
    approval: PostApprovalOut
    content_hash: str
    reason: str | None
    targets: list[TargetOut]
    created_by: UUID
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, detail: Detail) -> Self:
        """Shape a post."""
        post, attempts = detail.post, list(detail.attempts)
        return cls(
            id=post.id,
            version=post.version,
            state=post.state,
            text=post.content.text,
            media=[PostMediaOut.of(piece) for piece in post.content.media],
            variants=_variants(post),
            replies=[ReplyOut.of(reply) for reply in post.content.replies],
            due_at=post.due_at,
            due_local=post.due_local,
            due_zone=post.due_zone,
            slot=post.slot,
            series_id=post.series_id,
            approval=PostApprovalOut(
                required=post.approval_required,
                approved=post.approval_required and post.approved,
                by=post.approved_by,
                at=post.approved_at,
            ),
            content_hash=post.content_hash.hex(),
            reason=post.reason,
            targets=[TargetOut.of(target, attempts) for target in detail.targets],
            created_by=post.created_by,
            created_at=post.created_at,
            updated_at=post.updated_at,
        )


def fitting(items: Iterable[M]) -> list[M]:
    """Return the first of a page's items that one answer has room for: one always, and all unless they are long."""
    kept: list[M] = []
    room = MOST_SHOWN
    for item in items:
        room -= len(item.model_dump_json().encode())
        if room < 0 and kept:
            break
        kept.append(item)
    return kept


class PostPageOut(BaseModel):
    """Posts, the newest first, without the single attempts."""

    items: list[PostOut]
    next_cursor: str | None


def _variants(post: Post) -> dict[str, VariantOut]:
    return {
        network: VariantOut(
            text=variant.text,
            media=None if variant.media is None else [PostMediaOut.of(piece) for piece in variant.media],
            options=dict(variant.options),
            replies=None if variant.replies is None else [ReplyOut.of(reply) for reply in variant.replies],
        )
        for network, variant in post.content.variants.items()
    }
