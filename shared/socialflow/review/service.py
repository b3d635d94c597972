"""What happens to reviews, in order.

A decision is a row and a fact; the waiting workflow is woken by the fact, after the commit. Should that get lost, the
work row wakes it a grace period later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.review import events, repository
from socialflow.review.model import UNSETTLED, Decider, Decision, Review, ReviewNotFound, Seen, State, Waiting


def open_once(tx: Transaction, media_id: UUID, *, at: datetime, ttl: timedelta) -> Review:
    """Open a media item's review, or return the one that is there; its time begins at the first opening only."""
    if repository.open_once(tx, media_id, at=at, expires_at=at + ttl):
        tx.emit(events.ReviewRequested(subject_id=media_id, expires_at=at + ttl))
    return _locked(tx, media_id)


def get(tx: Transaction, media_id: UUID) -> Review:
    """Return a media item's review; raises `ReviewNotFound`."""
    review = repository.find(tx, media_id)
    if review is None:
        raise _not_found(media_id)
    return review


def find(tx: Transaction, media_id: UUID) -> Review | None:
    """Return a media item's review, None where it has none."""
    return repository.find(tx, media_id)


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Delete the reviews of media items that are deleted: nobody is asked about them any more."""
    repository.forget(tx, media_ids)


def page(tx: Transaction, *, state: State | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Review]:
    """Return reviews in a state (None: those that wait for a decision), the oldest first, past a position."""
    states: Sequence[State] = UNSETTLED if state is None else (state,)
    return repository.page(tx, states=states, after=after, limit=limit)


def waiting(tx: Transaction, *, at: datetime, limit: int, most: int) -> list[Waiting]:
    """Return the open reviews whose time is not over, the oldest first; each says how many there are, up to `most`."""
    return repository.waiting(tx, at=at, limit=limit, most=most)


def begin(tx: Transaction, media_id: UUID, *, seen: Seen, caption_version: int | None, at: datetime) -> Review:
    """Lock an undecided review that the caller has read as it is; raises what stands in the way."""
    review = _locked(tx, media_id)
    review.check_undecided(at)
    review.check_seen(seen, caption_version)
    return review


def touch(tx: Transaction, review: Review) -> Review:
    """Note that the caption of a begun review was edited."""
    touched = review.touched()
    repository.save(tx, touched)
    return touched


def recaptioned(tx: Transaction, media_id: UUID, *, at: datetime) -> bool:
    """Note that a model writes the caption anew: who read it reads it again. False where it is decided about."""
    found = repository.lock(tx, media_id)
    if found is None:  # not opened yet
        return True
    if found.settled or found.overdue(at):
        return False
    touch(tx, found)
    return True


def decide(tx: Transaction, review: Review, decision: Decision, *, by: Decider, at: datetime) -> Review:
    """Give a begun review a person's verdict. The workflow wakes on `ReviewDecided`, after the commit."""
    decided = review.decided(decision, by=by, at=at)
    repository.save(tx, decided)
    tx.emit(_fact(decided))
    if decided.settled:
        work.schedule(tx, "ingest", review.media_id, wake_at=at + work.GRACE)
    return decided


def settle(tx: Transaction, media_id: UUID, *, at: datetime) -> Review:
    """Return the review as it stands for its workflow: ended by time, where that is over."""
    review = _locked(tx, media_id)
    if not review.overdue(at):
        return review
    expired = review.expired(at=at)
    repository.save(tx, expired)
    tx.emit(_fact(expired))
    return expired


def _fact(review: Review) -> events.ReviewDecided:
    return events.ReviewDecided(
        subject_id=review.media_id, verdict=review.state, by=review.decided_by, caption_id=review.caption_id
    )


def _locked(tx: Transaction, media_id: UUID) -> Review:
    review = repository.lock(tx, media_id)
    if review is None:
        raise _not_found(media_id)
    return review


def _not_found(media_id: UUID) -> ReviewNotFound:
    return ReviewNotFound(
        "There is no review of this media item, or not yet. GET /v1/media/{id} tells its stage.", media_id=str(media_id)
    )
