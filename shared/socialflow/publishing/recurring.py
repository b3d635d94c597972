"""Rules of recurrence: a part of RFC 5545's, on the clocks of a zone.

A rule says days; the time of each is that of the first. Days are counted on the wall: after clocks have changed it is
the same time there. In an hour that a zone leaves out it is the time an hour of daylight later, and of two the earlier;
a day that a zone leaves out has none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, rrule

from socialflow.errors import FieldError, Invalid
from socialflow.publishing.timing import Due, nearest

LONGEST = 200
"""Letters of a rule."""
MOST_COUNT = 1_000
MOST_INTERVAL = 366
_DAY = timedelta(days=1)
Frequency = Literal[0, 1, 2, 3]
"""As the library numbers them."""
_FREQUENCIES: Mapping[str, Frequency] = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
_WEEKDAYS = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}
_NAMES = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL")
_BY_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_MONTH_DAY = re.compile(r"[+-]?(?:[1-9]|[12][0-9]|3[01])", re.ASCII)
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)


class UnusableRule(Invalid):
    """A rule that no post can follow."""

    code, title = "unusable-rule", "That rule cannot be used"


@dataclass(frozen=True)
class Occurrence:
    """One day of a rule: what its clock says, and when that is."""

    local: datetime
    due: Due

    @property
    def is_left_out(self) -> bool:
        """Whether its zone has no such day: clocks leave out an hour, or a whole day."""
        return self.due.local is not None and self.due.local - self.local > _DAY / 2


@dataclass(frozen=True)
class Rule:
    """A rule that was understood. `until` is on the wall, or in UTC where it has a zone."""

    text: str
    frequency: Frequency
    interval: int
    by: Mapping[str, Any]
    count: int | None
    until: datetime | None

    def clocks(self, start: datetime, zone: ZoneInfo, cap: datetime) -> Iterator[datetime]:
        """Yield what the clocks of its days say, from the first up to `cap`."""
        last = cap
        if self.until is not None:
            wall = self.until.astimezone(zone).replace(tzinfo=None) if self.until.tzinfo else self.until
            last = min(cap, wall)
        # The library is given no count: it would go on to the year 9999 for a rule whose days never come.
        days: Iterator[datetime] = iter(
            rrule(self.frequency, dtstart=start, interval=self.interval, wkst=MO, until=last, **self.by)
        )
        return days if self.count is None else islice(days, self.count)


def parsed(text: str) -> Rule:
    """Read a rule such as FREQ=WEEKLY;BYDAY=MO,TH; raises `UnusableRule` in words."""
    said = _parts(text)
    frequency = said.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise _unusable(f"FREQ is one of {', '.join(_FREQUENCIES)}: a post may recur once a day at the most.")
    if "COUNT" in said and "UNTIL" in said:
        raise _unusable("Say COUNT or UNTIL, not both.")
    by: dict[str, Any] = {}
    if "BYDAY" in said:
        by["byweekday"] = _weekdays(said["BYDAY"], frequency)
    if "BYMONTHDAY" in said:
        by["bymonthday"] = _month_days(said["BYMONTHDAY"], frequency)
    return Rule(
        text=";".join(f"{name}={said[name]}" for name in _NAMES if name in said),
        frequency=_FREQUENCIES[frequency],
        interval=_number(said, "INTERVAL", MOST_INTERVAL) or 1,
        by=by,
        count=_number(said, "COUNT", MOST_COUNT),
        until=_until(said["UNTIL"]) if "UNTIL" in said else None,
    )


def occurrences(rule: Rule, start: datetime, zone: ZoneInfo, *, until: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences of a rule from its first up to a moment; each is later than the one before."""
    last: datetime | None = None
    cap = until.astimezone(zone).replace(tzinfo=None) + _DAY
    found = (Occurrence(local, nearest(local, zone)) for local in rule.clocks(start, zone, cap))
    for one in takewhile(lambda one: one.due.at <= until, found):
        if one.is_left_out or (last is not None and one.due.at <= last):
            continue
        last = one.due.at
        yield one


def _parts(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    if len(text) > LONGEST:
        raise _unusable(f"A rule has {LONGEST} letters at the most.")
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, is_one, value = part.partition("=")
        if not is_one or name not in _NAMES:
            raise _unusable(f"{part[:40]!r} is no part of a rule. There are: {', '.join(_NAMES)}.")
        if name in said:
            raise _unusable(f"{name} is there twice.")
        said[name] = value
    return said


def _number(said: Mapping[str, str], name: str, most: int) -> int | None:
    if name not in said:
        return None
    if not _NUMBER.fullmatch(said[name]) or int(said[name]) > most:
        raise _unusable(f"{name} is a number from 1 to {most}.")
    return int(said[name])


def _weekdays(value: str, frequency: str) -> list[Any]:
    found = [_BY_DAY.fullmatch(part) for part in value.split(",")]
    if frequency == "YEARLY" or any(one is None for one in found):
        raise _unusable("BYDAY names days such as MO,TH, in a month also the first or the last: 1MO, -1FR.")
    named = [(one[1], _WEEKDAYS[one[2]]) for one in found if one is not None]
    if frequency != "MONTHLY" and any(number for number, _ in named):
        raise _unusable("Only of a month can the first or the last of a day be meant: FREQ=MONTHLY;BYDAY=1MO.")
    return [day(int(number)) if number else day for number, day in named]


def _month_days(value: str, frequency: str) -> list[int]:
    if frequency != "MONTHLY" or not all(_MONTH_DAY.fullmatch(part) for part in value.split(",")):
        raise _unusable("BYMONTHDAY names days of a month, with FREQ=MONTHLY: 1, 15, or -1 for the last.")
    return [int(part) for part in value.split(",")]


def _until(value: str) -> datetime:
    wrong = _unusable("UNTIL is a day or a time: 20271231, 20271231T090000, or in UTC 20271231T080000Z.")
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise wrong
    try:
        moment = datetime.strptime(found[1] + (found[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 # on the wall
    except ValueError:
        raise wrong from None
    return moment.replace(tzinfo=UTC) if found[3] else moment


def _unusable(detail: str) -> UnusableRule:
    return UnusableRule(detail, errors=[FieldError("/rule", "unusable-rule", detail)])
