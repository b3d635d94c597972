"""Reviews: who comes too late, and who has read something else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from socialflow.review.model import (
    CaptionChanged,
    Decider,
    Decision,
    Review,
    ReviewAlreadySettled,
    ReviewExpired,
    Seen,
    State,
)

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
THEN = datetime(2026, 3, 1, tzinfo=UTC)
OPEN = Review(ID, 3, "open", None, THEN, THEN + timedelta(days=7), None, None, None, None)
ANNA = Decider(ID, "Anna")


def test_a_review_is_over_at_its_time_and_not_before() -> None:
    last = OPEN.expires_at - timedelta(microseconds=1)
    OPEN.check_undecided(last)
    with pytest.raises(ReviewExpired):
        OPEN.check_undecided(OPEN.expires_at)
    assert (OPEN.overdue(last), OPEN.overdue(OPEN.expires_at)) == (False, True)


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
def test_a_verdict_stands_and_names_who_gave_it(verdict: State) -> None:
    settled = replace(OPEN, state=verdict, decided_by=ID, decided_by_name="Anna", decided_at=THEN)
    with pytest.raises(ReviewAlreadySettled) as refused:
        settled.check_undecided(OPEN.expires_at + timedelta(days=1))
    assert refused.value.facts == {
        "verdict": verdict,
        "decided_by": str(ID),
        "decided_by_name": "Anna",
        "decided_at": THEN.isoformat(),
    }


def test_requested_changes_can_still_be_decided() -> None:
    asked = OPEN.decided(Decision("changes_requested", None, "Name it"), by=ANNA, at=THEN)
    assert not asked.settled
    asked.check_undecided(THEN)
    assert asked.touched().state == "open"
    with pytest.raises(ReviewExpired):
        asked.check_undecided(asked.expires_at)


@pytest.mark.parametrize(
    ("seen", "stale"),
    [
        (Seen(), False),
        (Seen(review_version=3), False),
        (Seen(review_version=2), True),
        (Seen(caption_version=5), False),
        (Seen(caption_version=4), True),
        (Seen(review_version=3, caption_version=4), True),
        (Seen(review_version=2, caption_version=5), True),
    ],
)
def test_a_decision_is_about_what_was_read(seen: Seen, stale: bool) -> None:
    if not stale:
        OPEN.check_seen(seen, caption_version=5)
        return
    with pytest.raises(CaptionChanged) as refused:
        OPEN.check_seen(seen, caption_version=5)
    assert refused.value.facts == {"current_version": 3, "caption_version": 5}


def test_a_caption_that_came_meanwhile_has_not_been_read() -> None:
    with pytest.raises(CaptionChanged):
        OPEN.check_seen(Seen(caption_version=1), caption_version=None)


def test_every_change_is_a_new_version() -> None:
    decided = OPEN.decided(Decision("approved", ID), by=ANNA, at=THEN)
    assert [decided.version, OPEN.expired(at=THEN).version, OPEN.touched().version] == [4, 4, 4]
    assert (decided.caption_id, decided.decided_by_name, decided.reason) == (ID, "Anna", None)
