"""The wire shapes of posts."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.errors import FieldError
from socialflow.publishing.editing import Changes
from socialflow.publishing.planning import Wanted, WantedReply, WantedVariant, Written
from socialflow.publishing.service import Order
from socialflow.publishing.timing import UnusableTime, WallClock, Wish, due

MOST_TEXT = 63_206
"""Characters: what the network with the most room takes (Facebook)."""
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


class ReplyIn(BaseModel):
    """What follows the post under it, at once: a thread's next part, or the first comment (text alone)."""

    model_config = _FORBID

    text: Text = ""
    media: MediaList = []

    def wanted(self) -> WantedReply:
        """Return what the publishing context is told."""
        return WantedReply(self.text, tuple(medium.wanted() for medium in self.media))


MOST_REPLIES = 15
Replies = Annotated[list[ReplyIn], Field(max_length=MOST_REPLIES)]


class VariantIn(BaseModel):
    """What one network gets instead; what is left out is the post's own. `replies: []` are none."""

    model_config = _FORBID

    text: Text | None = None
    media: MediaList | None = None
    options: Options = {}
    replies: Replies | None = None

    def wanted(self) -> WantedVariant:
        """Return what the publishing context is told."""
        media = None if self.media is None else tuple(medium.wanted() for medium in self.media)
        replies = None if self.replies is None else tuple(reply.wanted() for reply in self.replies)
        return WantedVariant(self.text, media, dict(self.options), replies)


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
    replies: Replies = []
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
                tuple(reply.wanted() for reply in self.replies),
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
    replies: Replies | None = None
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
            replies=None if self.replies is None else tuple(reply.wanted() for reply in self.replies),
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
