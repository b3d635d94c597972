"""Slots come round once a week by the clocks of their zone, whatever these do."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialflow.publishing.slots import WEEKDAYS, Slot, times
from socialflow.publishing.timing import WallClock, due

ZONES = sorted(available_timezones())
ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
slots = st.builds(
    Slot,
    st.sampled_from(WEEKDAYS),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
)
moments = st.timedeltas(timedelta(0), timedelta(days=37 * 365)).map(datetime(2000, 1, 1, tzinfo=UTC).__add__)


@settings(deadline=None)  # two years of weeks take as long as they take
@given(slot=slots, after=moments)
def test_no_week_is_left_out_and_none_comes_twice(slot: Slot, after: datetime) -> None:
    found = list(islice(slot.times(after), 110))
    days = [one.at.astimezone(ZoneInfo(slot.zone)).date() for one in found]
    assert found[0].at > after
    assert found[0].at - after <= timedelta(days=8, hours=2)
    assert all(first.at < second.at for first, second in pairwise(found))
    assert all(6 <= (second - first).days <= 8 for first, second in pairwise(days))
    assert {one.slot for one in found} == {slot.name}
    assert len(found) >= 103


@settings(deadline=None)  # two years of weeks take as long as they take
@given(slot=slots, after=moments)
def test_the_clock_shows_what_the_slot_says_but_where_that_is_missing(slot: Slot, after: datetime) -> None:
    zone = ZoneInfo(slot.zone)
    for one in slot.times(after):
        shown = one.at.astimezone(zone).replace(tzinfo=None)
        assert one.local == shown
        if (WEEKDAYS[shown.weekday()], shown.time()) == (slot.weekday, slot.local_time):
            assert one.at.astimezone(zone).fold == 0  # of two the earlier
        else:
            # By the offset of before the gap it is that hour of that day.
            before = (one.at - timedelta(days=1)).astimezone(zone).utcoffset()
            assert before is not None
            unshifted = (one.at + before).replace(tzinfo=None)
            assert (WEEKDAYS[unshifted.weekday()], unshifted.time()) == (slot.weekday, slot.local_time)


@pytest.mark.parametrize(
    ("weekday", "at", "zone", "after", "expected"),
    [
        ("sunday", "02:30", "Europe/Berlin", "2027-03-27T00:00", ["2027-03-28T01:30", "2027-04-04T00:30"]),
        ("sunday", "02:30", "Europe/Berlin", "2027-10-30T00:00", ["2027-10-31T00:30", "2027-11-07T01:30"]),
        ("monday", "09:00", "Europe/Berlin", "2027-03-22T08:00", ["2027-03-29T07:00", "2027-04-05T07:00"]),
        ("monday", "09:00", "Europe/Berlin", "2027-03-22T07:59", ["2027-03-22T08:00", "2027-03-29T07:00"]),
        ("sunday", "02:15", "Australia/Lord_Howe", "2027-10-02T00:00", ["2027-10-02T15:45", "2027-10-09T15:15"]),
        ("friday", "09:00", "Pacific/Apia", "2011-12-28T00:00", ["2011-12-30T19:00", "2012-01-05T19:00"]),
    ],
)
def test_where_clocks_change(weekday: str, at: str, zone: str, after: str, expected: list[str]) -> None:
    slot = Slot(weekday, time.fromisoformat(at), zone)
    found = islice(slot.times(datetime.fromisoformat(after).replace(tzinfo=UTC)), 2)
    assert [one.at.replace(tzinfo=None).isoformat(timespec="minutes") for one in found] == expected


@settings(deadline=None)  # two years of weeks take as long as they take
@given(slot=slots, after=moments)
def test_scheduling_by_hand_decides_the_same(slot: Slot, after: datetime) -> None:
    for one in islice(slot.times(after), 60):
        assert one.local is not None
        by_hand = due(WallClock(one.local, slot.zone, "earlier"), at=after)
        assert (by_hand.at, by_hand.local, by_hand.zone) == (one.at, one.local, one.zone)


def test_of_all_slots_the_first_comes_first_and_of_two_the_one_for_fewer() -> None:
    after = datetime(2027, 3, 1, tzinfo=UTC)
    for_all = Slot("monday", time(9), "UTC")
    for_one = Slot("monday", time(9), "UTC", account_id=ACCOUNT)
    early = Slot("monday", time(8), "UTC")
    found = islice(times([for_all, for_one, early], after), 3)
    assert [one.slot for one in found] == [early.name, for_one.name, for_all.name]


@pytest.mark.parametrize(
    ("slot", "places", "serves"),
    [
        (Slot("monday", time(9), "UTC"), [], True),
        (Slot("monday", time(9), "UTC"), [(ACCOUNT, "x")], True),
        (Slot("monday", time(9), "UTC", account_id=ACCOUNT), [(ACCOUNT, "x")], True),
        (Slot("monday", time(9), "UTC", account_id=ACCOUNT), [(ACCOUNT, "x"), (OTHER, "x")], False),
        (Slot("monday", time(9), "UTC", account_id=ACCOUNT), [], False),
        (Slot("monday", time(9), "UTC", network="x"), [(ACCOUNT, "x"), (OTHER, "x")], True),
        (Slot("monday", time(9), "UTC", network="x"), [(ACCOUNT, "mastodon")], False),
        (Slot("monday", time(9), "UTC", network="x"), [], False),
    ],
)
def test_a_slot_is_for_whom_it_is(slot: Slot, places: list[tuple[UUID, str]], serves: bool) -> None:
    assert slot.serves(places) is serves


@given(slot=slots)
def test_a_slot_is_stored_as_it_is(slot: Slot) -> None:
    assert Slot.of(slot.document()) == slot
