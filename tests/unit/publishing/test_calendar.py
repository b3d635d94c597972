"""Days are those of a zone: some have 23 hours, some 25, and some no midnight."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.publishing.calendar import MOST_DAYS, UnusableDays, days


@pytest.mark.parametrize(
    ("day", "zone", "begin", "hours"),
    [
        ("2027-03-01", "Europe/Berlin", "2027-02-28T23:00", 24),
        ("2027-03-28", "Europe/Berlin", "2027-03-27T23:00", 23),
        ("2027-10-31", "Europe/Berlin", "2027-10-30T22:00", 25),
        ("2027-04-30", "Africa/Cairo", "2027-04-29T22:00", 23),  # clocks leave its midnight out
        ("2027-11-07", "America/Havana", "2027-11-07T04:00", 25),  # its midnight comes twice
        ("2027-03-01", "Asia/Kolkata", "2027-02-28T18:30", 24),
        ("2027-03-01", "Pacific/Kiritimati", "2027-02-28T10:00", 24),
    ],
)
def test_a_day_is_as_long_as_it_is_in_its_zone(day: str, zone: str, begin: str, hours: int) -> None:
    shown = days(day, day, zone)
    assert shown.begin == datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert shown.end - shown.begin == timedelta(hours=hours)
    assert shown.shown(shown.begin).date() == date.fromisoformat(day)
    assert shown.shown(shown.end - timedelta(seconds=1)).date() == date.fromisoformat(day)
    assert shown.shown(shown.begin - timedelta(seconds=1)).date() < date.fromisoformat(day)


@given(
    st.dates(date(1971, 1, 1), date(2198, 1, 1)),
    st.integers(0, MOST_DAYS - 1),
    st.sampled_from(["Europe/Berlin", "Africa/Cairo", "America/Havana", "Asia/Beirut", "Pacific/Apia", "UTC"]),
)
def test_days_follow_each_other_without_a_gap(first: date, more: int, zone: str) -> None:
    last = first + timedelta(days=more)
    whole = days(first.isoformat(), last.isoformat(), zone)
    following = (last + timedelta(days=1)).isoformat()
    assert days(following, following, zone).begin == whole.end
    assert whole.begin <= whole.end  # Samoa has left a day out


@pytest.mark.parametrize(
    ("first", "last", "zone", "code"),
    [
        ("2027-03-02", "2027-03-01", "UTC", "before-from"),
        ("2027-01-01", "2027-03-04", "UTC", "too-many-days"),
        ("2027-02-30", "2027-03-01", "UTC", "not-a-day"),
        ("20270301", "2027-03-01", "UTC", "not-a-day"),
        ("2027-W09-1", "2027-03-01", "UTC", "not-a-day"),
        ("٢٠٢٧-03-01", "2027-03-01", "UTC", "not-a-day"),
        ("9999-12-31", "9999-12-31", "UTC", "not-a-day"),
        ("0001-01-01", "0001-01-01", "Asia/Tokyo", "not-a-day"),
        ("2027-03-01", "2027-03-01", "Europe/Atlantis", "unknown-zone"),
        ("2027-03-01", "2027-03-01", "../../etc/passwd", "unknown-zone"),
        ("2027-03-01", "2027-03-01", "Europe", "unknown-zone"),
        ("2027-03-01", "2027-03-01", "a\x00", "unknown-zone"),
    ],
)
def test_what_no_calendar_shows_is_refused_in_words(first: str, last: str, zone: str, code: str) -> None:
    with pytest.raises(UnusableDays) as refused:
        days(first, last, zone)
    assert [error.code for error in refused.value.errors] == [code]


@given(st.text(max_size=10), st.text(max_size=10), st.text(max_size=64))
def test_whatever_is_asked_is_shown_or_refused(first: str, last: str, zone: str) -> None:
    for asked in ((first, last, zone), ("2027-03-01", "2027-03-02", zone)):
        with suppress(UnusableDays):
            assert days(*asked).begin < days(*asked).end
