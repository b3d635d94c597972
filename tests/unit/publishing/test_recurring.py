"""Rules of recurrence, and slots, over all zones and their changes of clocks: held against days that are counted."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socialflow.publishing import slots
from socialflow.publishing.recurring import Occurrence, UnusableRule, occurrences, parsed
from socialflow.publishing.slots import Slot
from socialflow.publishing.timing import nearest

ZONES = sorted(available_timezones())
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY = timedelta(days=1)


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows, somewhere."""
    return datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001 # a wall has no zone


zones = st.sampled_from(ZONES)
starts = st.datetimes(wall(1985, 1, 1), wall(2045, 12, 31)).map(lambda at: at.replace(microsecond=0))


def on_the_wall(zone: str, local: datetime) -> bool:
    """Whether a zone's clocks ever show a time."""
    there = ZoneInfo(zone)
    return local.replace(tzinfo=there).astimezone(UTC).astimezone(there).replace(tzinfo=None) == local


def followed(rule: str, start: datetime, zone: str, *, days: int = 800) -> list[Occurrence]:
    until = start.replace(tzinfo=UTC) + timedelta(days=days)
    return list(occurrences(parsed(rule), start, ZoneInfo(zone), until=until))


def daily(start: datetime, interval: int) -> Iterator[datetime]:
    return (start + number * interval * DAY for number in count())


def weekly(start: datetime, interval: int, named: set[int]) -> Iterator[datetime]:
    monday = start - start.weekday() * DAY
    for number in count():
        for weekday in sorted(named):
            local = monday + (7 * interval * number + weekday) * DAY
            if local >= start:
                yield local


def monthly(start: datetime, interval: int, days: set[int]) -> Iterator[datetime]:
    for number in count():
        month = start.year * 12 + start.month - 1 + number * interval
        first = date(month // 12, month % 12 + 1, 1)
        following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
        length = (following - first).days
        meant = {day if day > 0 else length + 1 + day for day in days}
        for day in sorted(one for one in meant if 1 <= one <= length):
            local = datetime.combine(first.replace(day=day), start.time())
            if local >= start:
                yield local


def held(found: list[Occurrence], meant: Iterator[datetime], zone: str) -> None:
    """Hold what was found against the days that were meant: none missed, none twice, in order, at the wall's time."""
    assert all(one.due.at < other.due.at for one, other in pairwise(found))
    locals_ = [one.local for one in found]
    assert len(set(locals_)) == len(locals_)
    last = found[-1].local if found else None
    wanted = [] if last is None else list(iter_until(meant, last))
    left_out = [local for local in wanted if local not in set(locals_)]
    # Only a day that the zone has left out has none: its time falls upon another's.
    assert all(not on_the_wall(zone, local) for local in left_out)
    assert set(locals_) <= set(wanted)
    for one in found:
        shown = one.due.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == one.local or not on_the_wall(zone, one.local)
        assert one.due.zone == zone


def iter_until(meant: Iterator[datetime], last: datetime) -> Iterator[datetime]:
    for local in meant:
        if local > last:
            return
        yield local


@given(zones, starts, st.integers(1, 40))
@settings(max_examples=300, deadline=None)
@example("Pacific/Apia", wall(2011, 12, 20, 9), 1)  # the day that Samoa left out
@example("Europe/Berlin", wall(2027, 3, 20, 2, 30), 1)
@example("Europe/Berlin", wall(2027, 10, 20, 2, 30), 1)
@example("Australia/Lord_Howe", wall(2027, 9, 20, 2, 15), 1)  # half an hour
@example("Africa/Casablanca", wall(2027, 1, 20, 2, 30), 1)  # Ramadan
def test_days_are_those_of_the_wall(zone: str, start: datetime, interval: int) -> None:
    held(followed(f"FREQ=DAILY;INTERVAL={interval}", start, zone, days=400), daily(start, interval), zone)


@given(zones, starts, st.integers(1, 6), st.sets(st.integers(0, 6), min_size=1))
@settings(max_examples=200, deadline=None)
def test_weeks_have_their_days(zone: str, start: datetime, interval: int, named: set[int]) -> None:
    rule = f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(DAYS[one] for one in named)}"
    held(followed(rule, start, zone), weekly(start, interval, named), zone)


@given(zones, starts, st.integers(1, 6), st.sets(st.integers(-31, 31).filter(bool), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
@example("UTC", wall(2027, 1, 31, 9), 1, {31})
def test_months_have_the_days_that_they_have(zone: str, start: datetime, interval: int, days: set[int]) -> None:
    rule = f"FREQ=MONTHLY;INTERVAL={interval};BYMONTHDAY={','.join(map(str, sorted(days)))}"
    held(followed(rule, start, zone), monthly(start, interval, days), zone)


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_keeps_its_wall_clock_for_two_years(zone: str) -> None:
    start = wall(2026, 11, 27, 2, 30)
    found = followed("FREQ=DAILY", start, zone, days=730)
    held(found, daily(start, 1), zone)
    assert len(found) >= 729


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_its_slots_each_week(zone: str) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    slot = Slot("sunday", time(2, 30), zone)
    found = list(slot.times(at))
    assert 103 <= len(found) <= 105
    for one, other in pairwise(found):
        assert timedelta(days=6, hours=21) < other.at - one.at < timedelta(days=7, hours=3)
    for one in found:
        shown = one.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert one.local == shown
        meant = datetime.combine(shown.date(), time(2, 30))
        assert (shown.weekday(), shown.time()) == (6, time(2, 30)) or nearest(meant, ZoneInfo(zone)).at == one.at


@given(zones, st.lists(st.tuples(st.integers(0, 6), st.times()), min_size=1, max_size=5), starts)
@settings(max_examples=200, deadline=None)
def test_slots_come_round_in_order_whatever_the_zone(zone: str, drawn: list[tuple[int, time]], start: datetime) -> None:
    given_ = [Slot(slots.WEEKDAYS[day], at.replace(second=0, microsecond=0), zone) for day, at in drawn]
    after = start.replace(tzinfo=UTC)
    found = list(islice(slots.times(given_, after), 50))
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert all(one.at > after for one in found)
    assert len({(one.slot, one.at) for one in found}) == len(found) or len(set(given_)) < len(given_)


def test_a_count_is_of_the_rules_own_days() -> None:
    start = wall(2027, 1, 31, 9)
    found = followed("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", start, "Europe/Berlin")
    assert [one.local.month for one in found] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("until", "last"),
    [("20270303", 3), ("20270303T090000", 3), ("20270303T085959", 2), ("20270303T080000Z", 3), ("20270303T075959Z", 2)],
)
def test_until_is_a_day_a_time_or_a_moment(until: str, last: int) -> None:
    start = wall(2027, 3, 1, 9)
    found = followed(f"FREQ=DAILY;UNTIL={until}", start, "Europe/Berlin")
    assert [one.local.day for one in found] == list(range(1, last + 1))


def test_the_last_friday_of_a_month() -> None:
    found = followed("RRULE:freq=monthly;byday=-1fr;count=3", wall(2027, 1, 1, 9), "America/New_York")
    assert [one.local.date() for one in found] == [date(2027, 1, 29), date(2027, 2, 26), date(2027, 3, 26)]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        ";",
        "FREQ",
        "FREQ=",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=5",
        "COUNT=3",
        "FREQ=DAILY;COUNT=1000000000",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=٣",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=367",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;UNTIL=20271301",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=00000101",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=DAILY" + ";" * 300,
        "FREQ=DAILY\nDTSTART:20270101",
        "EXRULE:FREQ=DAILY",
    ],
)
def test_what_is_no_rule_is_refused_in_words(rule: str) -> None:
    with pytest.raises(UnusableRule) as refused:
        parsed(rule)
    assert refused.value.errors[0].pointer == "/rule"
    assert len(str(refused.value)) < 200


def test_a_rule_whose_days_never_come_ends_at_once() -> None:
    rule = "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;COUNT=1000"
    assert followed(rule, wall(2027, 2, 1, 9), "UTC") == []
