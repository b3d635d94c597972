"""The wire shapes of posts."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.errors import FieldError
from socialflow.publishing.content import Piece
from socialflow.publishing.editing import Changes
from socialflow.publishing.model import Attempt, Post, Target
from socialflow.publishing.planning import Wanted, WantedVariant, Written
from socialflow.publishing.service import Detail, Order
from socialflow.publishing.timing import UnusableTime, WallClock, Wish, due

MOST_TEXT = 10_000
Text = Annotated[str, Field(max_length=MOST_TEXT)]
AltText = Annotated[str, Field(max_length=1_500)]
Network = Annotated[str, Field(min_length=1, max_length=40)]
Options = Annotated[dict[str, str | bool], Field(max_length=20)]
_FORBID = ConfigDict(extra="forbid")


class WallClockIn(BaseModel):
    """A time as a clock on the wall shows it, in a zone."""

    model_config = _FORBID

    local: Annotated[str, Field(max_length=40, description="2027-03-01T09:00:00, without an offset.")]
    zone: Annotated[str, Field(max_length=64, description="An IANA name: Europe/Berlin.")]
    on_ambiguous: Annotated[
        Literal["earlier", "later", "refuse"], Field(description="Which one, where clocks go back over that time.")
    ] = "refuse"


Time = Annotated[
    WallClockIn | str | None,
    Field(description='RFC 3339 with an offset, a local time with its zone, "now", "next_slot", or null: a draft.'),
]


class PostMediaIn(BaseModel):
    """A media item in its place. Without `alt_text` it has that of its caption."""

    model_config = _FORBID

    id: UUID
    alt_text: AltText | None = None
    rendition_id: Annotated[
        UUID | None, Field(description="A ready rendition of it for the variant's network: that goes out instead.")
    ] = None

    def wanted(self) -> Wanted:
        """Return what the publishing context is told."""
        return Wanted(self.id, self.alt_text, self.rendition_id)


MediaList = Annotated[list[PostMediaIn], Field(max_length=20)]


class VariantIn(BaseModel):
    """What one network gets instead; what is left out is the post's own."""

    model_config = _FORBID

    text: Text | None = None
    media: MediaList | None = None
    options: Options = {}

    def wanted(self) -> WantedVariant:
        """Return what the publishing context is told."""
        media = None if self.media is None else tuple(medium.wanted() for medium in self.media)
        return WantedVariant(self.text, media, dict(self.options))


Variants = Annotated[dict[Network, VariantIn], Field(max_length=20)]


class TargetIn(BaseModel):
    """Where a post goes."""

    model_config = _FORBID

    account_id: UUID


Targets = Annotated[list[TargetIn], Field(max_length=25)]


class PostIn(BaseModel):
    """A post to make."""

    model_config = _FORBID

    id: Annotated[UUID | None, Field(description="Your own UUIDv7; the same post sent twice is one.")] = None
    text: Text = ""
    media: MediaList = []
    variants: Variants = {}
    targets: Targets = []
    publish_at: Time = None

    def order(self, at: datetime, body: object) -> Order:
        """Return what the publishing context is told; `body` is the request as it came."""
        asked = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return Order(
            id=self.id,
            written=Written(
                self.text,
                tuple(medium.wanted() for medium in self.media),
                {name: variant.wanted() for name, variant in self.variants.items()},
            ),
            accounts=tuple(target.account_id for target in self.targets),
            due=due_of(self.publish_at, at),
            sha256=hashlib.sha256(asked.encode()).digest(),
        )


class PatchPost(BaseModel):
    """What to change; what is left out stays. `publish_at: null` makes it a draft."""

    model_config = _FORBID

    text: Text | None = None
    media: MediaList | None = None
    variants: Variants | None = None
    targets: Targets | None = None
    publish_at: Time = None

    def changes(self, version: int | None, at: datetime) -> Changes:
        """Return what the publishing context is told."""
        timed = "publish_at" in self.model_fields_set
        return Changes(
            version=version,
            text=self.text,
            media=None if self.media is None else tuple(medium.wanted() for medium in self.media),
            variants=None if self.variants is None else {name: one.wanted() for name, one in self.variants.items()},
            accounts=None if self.targets is None else tuple(target.account_id for target in self.targets),
            due=due_of(self.publish_at, at),
            unschedule=timed and self.publish_at is None,
        )


class DuplicatePost(BaseModel):
    """What the draft is to be."""

    model_config = _FORBID

    id: Annotated[UUID | None, Field(description="Its own UUIDv7; the same one sent twice makes one draft.")] = None


class ApprovePost(BaseModel):
    """What was decided about: name the content hash, the version, or send If-Match."""

    model_config = _FORBID

    content_hash: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    version: Annotated[int | None, Field(strict=True, ge=1)] = None


class RejectPost(ApprovePost):
    """Why it does not go out like this."""

    reason: Annotated[str, Field(max_length=2_000)] = ""


class ResolveTarget(BaseModel):
    """What a person has found on the network: one of the two."""

    model_config = _FORBID

    it_is_there: Annotated[bool, Field(strict=True)] = False
    post_again: Annotated[bool, Field(strict=True)] = False
    remote_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    url: Annotated[str | None, Field(min_length=1, max_length=500, pattern=r"^https?://\S+$")] = None


def due_of(wish: WallClockIn | str | None, at: datetime) -> Wish | None:
    """Return when a wish falls, None for a draft; raises refusals in words."""
    if wish is None:
        return None
    if isinstance(wish, WallClockIn):
        return due(WallClock(_parsed(wish.local, "/publish_at/local"), wish.zone, wish.on_ambiguous), at=at)
    if wish == "next_slot":
        return "next_slot"
    return due("now" if wish == "now" else _parsed(wish, "/publish_at"), at=at)


def _parsed(text: str, pointer: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        detail = f"{text!r} is no time. Write 2027-03-01T09:00:00+01:00."
        raise UnusableTime(detail, errors=[FieldError(pointer, "not-a-time", detail)]) from None


class PostMediaOut(BaseModel):
    """A media item in its place, pinned to its content."""

    id: UUID
    alt_text: str
    sha256: str

    @classmethod
    def of(cls, piece: Piece) -> Self:
        """Shape a medium."""
        return cls(id=piece.id, alt_text=piece.alt_text, sha256=piece.sha256)


class VariantOut(BaseModel):
    """What one network gets instead."""

    text: str | None
    media: list[PostMediaOut] | None
    options: dict[str, Any]


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
    """One destination of a post."""

    id: UUID
    account_id: UUID
    network: str
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
    due_at: Annotated[datetime | None, Field(description="UTC; null: a draft.")]
    due_local: Annotated[datetime | None, Field(description="The wall clock that was meant, in due_zone.")]
    due_zone: str | None
    slot: Annotated[str | None, Field(description="The slot of the queue that its time is of.")]
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
            due_at=post.due_at,
            due_local=post.due_local,
            due_zone=post.due_zone,
            slot=post.slot,
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
        )
        for network, variant in post.content.variants.items()
    }
