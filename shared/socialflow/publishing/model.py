"""Posts and their targets: what they are, and what may happen to them next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from socialflow.platform.settings import PublishSettings
from socialflow.publishing.content import Content, Rendering, Route, idempotency_key

PostState = Literal[
    "draft",
    "awaiting_approval",
    "scheduled",
    "publishing",
    "published",
    "partial",
    "failed",
    "unconfirmed",
    "held",
    "cancelled",
]
TargetState = Literal[
    "scheduled", "preparing", "prepared", "attempting", "published", "failed", "unconfirmed", "cancelled"
]
AttemptOutcome = Literal["published", "failed", "unconfirmed"]

PLANNED: tuple[TargetState, ...] = ("scheduled", "preparing", "prepared")
"""The mutation has not begun: content may change, and a cancel is final at once."""
OPEN: tuple[TargetState, ...] = (*PLANNED, "attempting")
"""The workflow has something left to do."""

HEAD_START = timedelta(seconds=3)
"""How long before its due time a target's publisher is called: a function may need a second or two to start, and waits
inside for the rest. The right to publish is claimed when it is due, not before."""
KEEPS = timedelta(minutes=40)
"""How long what was prepared is used: media's addresses are signed for an hour, and networks throw uploads away in a
day. A post that was stopped for longer is prepared anew."""
PREPARED_AT = "prepared_at"
RETRIES = 5
"""A step that is safe to repeat is repeated so often, 10 s after the first failure, then twice that, up to 5 min."""
LOOKS = 12
"""How often the network is asked what became of an attempt before a person is."""
DUPLICATE = "duplicate-content"
"""A network refuses what it says it has already: an earlier attempt may have made it, or another hand."""
KEY_WINDOW = timedelta(minutes=55)
"""Repeating with the same key is safe for one hour from the first attempt; the last five minutes are not used."""


@dataclass(frozen=True)
class Pace:
    """The stage's times: preparation before due, horizon of executions, and how long an attempt may be under way.

    The lease is the function's timeout and the network's time to settle: when it is over, the request has arrived and
    shows, or it never will.
    """

    lead: timedelta
    horizon: timedelta
    lease: timedelta

    @classmethod
    def of(cls, settings: PublishSettings) -> Self:
        """Read the stage's settings, which are in seconds."""
        lead, horizon, lease = settings.prepare_lead, settings.horizon, settings.publish_lease
        return cls(timedelta(seconds=lead), timedelta(seconds=horizon), timedelta(seconds=lease))


@dataclass(frozen=True)
class Post:
    """What a team wants published. `version` counts what people changed; workflows do not move it."""

    id: UUID
    version: int
    state: PostState
    content: Content
    content_hash: bytes
    due_at: datetime | None
    due_local: datetime | None
    due_zone: str | None
    approval_required: bool
    approved_hash: bytes | None
    approved_by: UUID | None
    approved_at: datetime | None
    reason: str | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    slot: str | None = None
    series_id: UUID | None = None

    @property
    def approved(self) -> bool:
        """Whether what would go out now is what was approved, or nothing need be."""
        return not self.approval_required or self.approved_hash == self.content_hash


@dataclass(frozen=True)
class Target:
    """One destination of a post."""

    id: UUID
    post_id: UUID
    account_id: UUID
    network: str
    remote_account: str
    state: TargetState
    run: int
    due_at: datetime | None
    hold: bool
    content_hash: bytes
    approval_required: bool
    approved_hash: bytes | None
    prepared_hash: bytes | None
    prepared: Mapping[str, Any] | None
    tries: int
    next_at: datetime | None
    attempt: int
    lease: datetime | None
    request: Literal["cancel"] | None
    remote_id: str | None
    remote_url: str | None
    published_at: datetime | None
    error_code: str | None
    error_detail: str | None
    deleted_at: datetime | None = None
    route: Route | None = None
    """By which way its first attempt was made, and every later one will be; None: nothing was attempted."""
    prepared_route: Route = "direct"
    position: int = 0
    """0 is the post itself at its account; 1 and up are its replies there, each to the one before it."""

    @property
    def approved(self) -> bool:
        """Whether its present content may go out."""
        return not self.approval_required or self.approved_hash == self.content_hash

    @property
    def frozen_route(self) -> Route | None:
        """The way that it cannot leave any more; what was attempted when there was but one has no name for it."""
        return self.route or ("direct" if self.attempt else None)

    def is_stale(self, at: datetime) -> bool:
        """Tell whether what was prepared for it is too old to be used."""
        prepared_at = (self.prepared or {}).get(PREPARED_AT)
        is_first = self.state == "prepared" and self.tries == 0  # what is only put off is tried so often and no more
        return is_first and prepared_at is not None and prepared_at < (at - KEEPS).timestamp()

    @property
    def key(self) -> str:
        """The idempotency key of its present content."""
        return idempotency_key(self.id, self.content_hash)

    def rendering(self, content: Content) -> Rendering:
        """Return what it gets of a post's content."""
        return content.rendered_for(self.network, self.account_id, self.remote_account, self.position)

    def next_step_at(self, *, lead: timedelta) -> datetime:
        """Return when the workflow has to touch it next. Only for an open target that has a due time."""
        if self.lease is not None and self.state in ("preparing", "attempting"):
            return self.lease
        assert self.due_at is not None
        planned = self.due_at if self.state == "prepared" else self.due_at - lead
        return planned if self.next_at is None else max(planned, self.next_at)


@dataclass(frozen=True)
class Attempt:
    """One time the mutation was begun. `outcome` None: nobody has reported yet."""

    id: UUID
    target_id: UUID
    account_id: UUID
    attempt: int
    key: str
    content_hash: bytes
    started_at: datetime
    outcome: AttemptOutcome | None
    remote_id: str | None
    remote_url: str | None
    evidence: Mapping[str, Any]
    finished_at: datetime | None


def backoff(tries: int) -> timedelta:
    """Return the wait after the given number of failures: 10 s, 20 s, … up to 5 min."""
    return timedelta(seconds=min(300.0, 10.0 * 2 ** min(max(tries, 1) - 1, 10)))


def answered(target: Target, targets: Sequence[Target]) -> Target | None:
    """Return the target that a reply is a reply to; None for a post itself."""
    before = (target.account_id, target.position - 1)
    return next((one for one in targets if (one.account_id, one.position) == before), None)


def lost(target: Target) -> bool:
    """Tell whether nothing can answer a target as it stands: it is not out, and on no way there, or deleted there."""
    return target.state in ("failed", "cancelled", "unconfirmed") or target.deleted_at is not None


def under_way(targets: Sequence[Target]) -> list[Target]:
    """Return the targets that a workflow has a step for: a reply has none before what it answers is out."""
    return [
        target
        for target in targets
        if target.state in OPEN and target.due_at is not None and _may_begin(answered(target, targets))
    ]


def _may_begin(before: Target | None) -> bool:
    return before is None or before.state == "published"


def settled_state(post: Post, targets: Sequence[Target]) -> PostState:
    """Return the state that a post has by its targets'."""
    states: set[str] = {target.state for target in targets}
    if not states:
        return post.state
    if states & set(OPEN):
        return "publishing" if states & {"attempting", "published", "unconfirmed"} else _planned(post)
    if "unconfirmed" in states:
        return "unconfirmed"
    if states == {"cancelled"}:
        return "cancelled"
    if "published" not in states:
        return "failed"
    return "published" if states == {"published"} else "partial"


def _planned(post: Post) -> PostState:
    if post.due_at is None:
        return "draft"
    return "scheduled" if post.approved else "awaiting_approval"


def editable(post: Post, targets: Sequence[Target]) -> bool:
    """Tell whether content and time may change: nothing of it is out, on its way out, or undecided.

    What a network has refused as a duplicate may change although somebody has to look: other content it takes.
    """
    return post.state != "cancelled" and all(
        target.state in (*PLANNED, "failed") or (target.state == "unconfirmed" and target.error_code == DUPLICATE)
        for target in targets
    )
