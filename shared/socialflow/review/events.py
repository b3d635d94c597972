"""Facts about reviews; the subject is the media item, by which the workflow waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class ReviewRequested(Fact):
    """A media item waits for a person's decision."""

    type: ClassVar[str] = "review.requested"
    aggregate: ClassVar[str] = "review"

    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReviewDecided(Fact):
    """A review has a verdict: approved, rejected, changes_requested or expired; `by` is None for the last."""

    type: ClassVar[str] = "review.decided"
    aggregate: ClassVar[str] = "review"

    verdict: str
    by: UUID | None
    caption_id: UUID | None
