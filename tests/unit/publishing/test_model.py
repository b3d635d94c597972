"""The states of a post, the pauses between tries, and what fits a network."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from socialflow.publishing.content import Content
from socialflow.publishing.model import Post, Target, TargetState, backoff, editable, settled_state
from socialflow.publishing.networks import evidence
from socialflow.publishing.steps import Outcome, next_try, stamp

ID = UUID("0199c0de-0000-7000-8000-000000000001")
AT = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


def post(**changed: Any) -> Post:
    values: dict[str, Any] = dict.fromkeys(Post.__dataclass_fields__)
    values |= {"id": ID, "state": "scheduled", "content": Content(), "content_hash": b"h", "due_at": AT}
    return Post(**(values | {"approval_required": False} | changed))


def target(state: str, **changed: Any) -> Target:
    values: dict[str, Any] = dict.fromkeys(Target.__dataclass_fields__)
    values |= {
        "id": ID,
        "state": cast("TargetState", state),
        "attempt": 0,
        "due_at": AT,
        "network": "mastodon",
        "position": 0,
    }
    return Target(**(values | changed))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["scheduled", "prepared"], "scheduled"),
        (["preparing"], "scheduled"),
        (["attempting", "scheduled"], "publishing"),
        (["published", "prepared"], "publishing"),
        (["published", "published"], "published"),
        (["published", "failed"], "partial"),
        (["published", "cancelled"], "partial"),
        (["failed", "failed"], "failed"),
        (["failed", "cancelled"], "failed"),
        (["cancelled", "cancelled"], "cancelled"),
        (["published", "unconfirmed"], "unconfirmed"),
        (["failed", "unconfirmed", "cancelled"], "unconfirmed"),
    ],
)
def test_a_posts_state_follows_from_its_targets(states: list[str], expected: str) -> None:
    assert settled_state(post(), [target(state) for state in states]) == expected


def test_a_planned_posts_state_follows_from_time_and_approval() -> None:
    waiting = [target("scheduled")]
    assert settled_state(post(due_at=None), waiting) == "draft"
    assert settled_state(post(approval_required=True), waiting) == "awaiting_approval"
    assert settled_state(post(approval_required=True, approved_hash=b"h"), waiting) == "scheduled"
    assert settled_state(post(approval_required=True, approved_hash=b"old"), waiting) == "awaiting_approval"
    assert settled_state(post(state="draft"), []) == "draft"


@pytest.mark.parametrize("state", ["attempting", "published", "unconfirmed", "cancelled"])
def test_what_has_begun_or_ended_is_not_editable(state: str) -> None:
    assert not editable(post(), [target("scheduled"), target(state)])


def test_what_is_planned_or_has_failed_is_editable() -> None:
    assert editable(post(), [target("scheduled"), target("prepared"), target("failed")])
    assert not editable(post(state="cancelled"), [])


def test_pauses_double_up_to_five_minutes() -> None:
    assert [backoff(tries).total_seconds() for tries in range(8)] == [10, 10, 20, 40, 80, 160, 300, 300]
    assert backoff(10_000) == timedelta(minutes=5)


@pytest.mark.parametrize(("after", "seconds"), [(None, 10), (3, 10), (40.5, 40.5), (1e30, 3600), (float("inf"), 3600)])
def test_a_network_is_waited_for_as_it_asks_and_an_hour_at_the_most(after: float | None, seconds: float) -> None:
    assert next_try(AT, 1, after) - AT == timedelta(seconds=seconds)


def test_the_next_step_of_a_target() -> None:
    lead = timedelta(minutes=2)
    later = AT + timedelta(minutes=5)
    assert target("scheduled").next_step_at(lead=lead) == AT - lead
    assert target("prepared").next_step_at(lead=lead) == AT
    assert target("prepared", next_at=later).next_step_at(lead=lead) == later
    assert target("preparing", next_at=AT, lease=later).next_step_at(lead=lead) == later
    assert target("attempting", lease=later).next_step_at(lead=lead) == later


def test_a_wait_is_never_earlier_than_meant() -> None:
    assert stamp(AT) == "2027-03-01T09:00:00Z"
    assert stamp(AT + timedelta(microseconds=1)) == "2027-03-01T09:00:01Z"
    assert stamp(AT.astimezone(tz=None)) == "2027-03-01T09:00:00Z"
    assert Outcome("done").document(AT) == {"outcome": "done", "at": "2027-03-01T09:00:00Z"}


# Evidence


def test_what_a_network_shows_is_what_was_sent() -> None:
    shown = (
        "<p>Caf\u00e9 &amp; more<br />second line</p><p>"
        '<a href="https://example.com/a/b"><span class="invisible">https://</span><span>example.com/a</span>'
        '<span class="invisible">/b</span></a></p>'
    )
    assert evidence.same(evidence.plain(shown), "Cafe\u0301 & more\nsecond line\n\nhttps://example.com/a/b")
    assert not evidence.same(evidence.plain(shown), "Caf\u00e9 & more")
    assert not evidence.same("one", "One")
