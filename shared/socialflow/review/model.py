"""What a review is, and who may decide it when."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from socialflow.errors import Conflict, NotFound, PreconditionFailed

State = Literal["open", "approved", "rejected", "changes_requested", "expired"]
Verdict = Literal["approved", "rejected", "changes_requested"]
UNSETTLED: tuple[State, ...] = ("open", "changes_requested")
MAX_REASON = 2_000


class ReviewNotFound(NotFound):
    """The media item is not in review, or not yet."""

    code, title = "review-not-found", "No review"


class ReviewAlreadySettled(Conflict):
    """Somebody has decided."""

    code, title = "review-already-settled", "The review is settled"


class ReviewExpired(Conflict):
    """Nobody decided in time."""

    code, title = "review-expired", "The review has expired"


class CaptionChanged(PreconditionFailed):
    """What the caller decides about is not what stands there now."""

    code, title = "caption-changed", "The caption has changed since you read it"


@dataclass(frozen=True)
class Decider:
    """The person who decides, with the name that others are told."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Seen:
    """What the caller has read: the review's version (If-Match), or the number of the caption; None is not said."""

    review_version: int | None = None
    caption_version: int | None = None


@dataclass(frozen=True)
class Decision:
    """A verdict about one version of the caption, with a reason where it is not an approval."""

    verdict: Verdict
    caption_id: UUID | None
    reason: str = ""


@dataclass(frozen=True)
class Waiting:
    """A review that nobody has decided, of so many."""

    media_id: UUID
    requested_at: datetime
    expires_at: datetime
    count: int


@dataclass(frozen=True)
class Review:
    """A review as its row has it; `expires_at` decides when it is over, whatever any timer says."""

    media_id: UUID
    version: int
    state: State
    caption_id: UUID | None
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    decided_by_name: str | None
    reason: str | None

    @property
    def settled(self) -> bool:
        """Whether its end is written."""
        return self.state not in UNSETTLED

    def overdue(self, at: datetime) -> bool:
        """Tell whether its time is over with no decision."""
        return not self.settled and self.expires_at <= at

    def check_undecided(self, at: datetime) -> None:
        """Raise the refusal that anyone meets who comes too late."""
        if self.state == "expired" or self.overdue(at):
            raise ReviewExpired(
                f"The review ended at {self.expires_at.isoformat()} without a decision. Upload the picture again.",
                expires_at=self.expires_at.isoformat(),
            )
        if self.settled:
            raise ReviewAlreadySettled(
                f"{self.decided_by_name or 'Somebody'} has {self.state} it. Nothing was changed.",
                verdict=self.state,
                decided_by=str(self.decided_by),
                decided_by_name=self.decided_by_name,
                decided_at=self.decided_at.isoformat() if self.decided_at else None,
            )

    def check_seen(self, seen: Seen, caption_version: int | None) -> None:
        """Raise `CaptionChanged` where the caller has read something else than what stands there."""
        stale_review = seen.review_version is not None and seen.review_version != self.version
        stale_caption = seen.caption_version is not None and seen.caption_version != caption_version
        if stale_review or stale_caption:
            raise CaptionChanged(
                "Read the review again, and decide about the caption that stands there now.",
                current_version=self.version,
                caption_version=caption_version,
            )

    def decided(self, decision: Decision, *, by: Decider, at: datetime) -> "Review":
        """Return the review with a person's verdict."""
        return replace(
            self,
            version=self.version + 1,
            state=decision.verdict,
            caption_id=decision.caption_id,
            decided_at=at,
            decided_by=by.id,
            decided_by_name=by.name,
            reason=decision.reason or None,
        )

    def expired(self, *, at: datetime) -> "Review":
        """Return the review as ended by time."""
        return replace(
            self,
            version=self.version + 1,
            state="expired",
            decided_at=at,
            decided_by=None,
            decided_by_name=None,
            reason=None,
        )

    def touched(self) -> "Review":
        """Return the review after an edit of its caption: what was asked to change has changed."""
        return replace(self, version=self.version + 1, state="open")
