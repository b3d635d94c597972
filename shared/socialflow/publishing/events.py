"""What happens to a post. Facts carry ids and codes: no text, no secrets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class PostFact(Fact):
    """A fact about a post; `subject_id` is the post's."""

    aggregate: ClassVar[str] = "post"


@dataclass(frozen=True, kw_only=True)
class PostScheduled(PostFact):
    """A post got a time."""

    type: ClassVar[str] = "post.scheduled"
    due_at: datetime
    approval_required: bool


@dataclass(frozen=True, kw_only=True)
class PostRescheduled(PostFact):
    """A post's time has changed, or a part of it goes out again."""

    type: ClassVar[str] = "post.rescheduled"
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PostApproved(PostFact):
    """Somebody approved what goes out."""

    type: ClassVar[str] = "post.approved"
    by: UUID
    content_hash: str


@dataclass(frozen=True, kw_only=True)
class PostRejected(PostFact):
    """Somebody said no: the post is a draft again."""

    type: ClassVar[str] = "post.rejected"
    by: UUID


@dataclass(frozen=True, kw_only=True)
class PostCancelled(PostFact):
    """Nothing more of the post goes out."""

    type: ClassVar[str] = "post.cancelled"


@dataclass(frozen=True, kw_only=True)
class PostTakenDown(PostFact):
    """What was out at one network is deleted there."""

    type: ClassVar[str] = "post.taken_down"
    target_id: UUID
    network: str
    by: UUID


@dataclass(frozen=True, kw_only=True)
class PostReported(PostFact):
    """Somebody between us and a network has told of the outcome of a part of it: it is asked for."""

    type: ClassVar[str] = "post.reported"


@dataclass(frozen=True, kw_only=True)
class PostStarted(PostFact):
    """The first attempt at any of the post's targets begins."""

    type: ClassVar[str] = "post.started"


@dataclass(frozen=True, kw_only=True)
class PostSettled(PostFact):
    """How a post ended; `targets` are `{id, state, remote_id, code}` each."""

    targets: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class PostPublished(PostSettled):
    """All of it is out."""

    type: ClassVar[str] = "post.published"


@dataclass(frozen=True, kw_only=True)
class PostPartial(PostSettled):
    """Some of it is out, some of it will not be."""

    type: ClassVar[str] = "post.partial"


@dataclass(frozen=True, kw_only=True)
class PostFailed(PostSettled):
    """None of it is out."""

    type: ClassVar[str] = "post.failed"


@dataclass(frozen=True, kw_only=True)
class PostUnconfirmed(PostSettled):
    """A person has to look whether some of it is out."""

    type: ClassVar[str] = "post.unconfirmed"


@dataclass(frozen=True, kw_only=True)
class SeriesRefused(Fact):
    """The next post of a series cannot be made; `subject_id` is the series'."""

    aggregate: ClassVar[str] = "series"
    type: ClassVar[str] = "series.refused"
    code: str


SETTLED: dict[str, type[PostSettled]] = {
    "published": PostPublished,
    "partial": PostPartial,
    "failed": PostFailed,
    "unconfirmed": PostUnconfirmed,
}
