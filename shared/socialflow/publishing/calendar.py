"""The days of a calendar, as they are in a zone, and the posts that are due on them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from socialflow.errors import FieldError, Invalid
from socialflow.platform.database import Transaction
from socialflow.publishing import listing
from socialflow.publishing.service import Detail, with_targets
from socialflow.publishing.timing import zone_of

MOST_DAYS = 62
_YEARS = range(1970, 2200)


class UnusableDays(Invalid):
    """Days that no calendar shows."""

    code, title = "unusable-days", "These days cannot be shown"


@dataclass(frozen=True)
class Days:
    """Days of a zone, from its first midnight to the one after the last: some have 23 or 25 hours."""

    begin: datetime
    end: datetime
    zone: ZoneInfo

    def shown(self, moment: datetime) -> datetime:
        """Return a moment as a clock in the zone shows it."""
        return moment.astimezone(self.zone)


def days(first: str, last: str, zone: str) -> Days:
    """Return the days from the first to the last, both included (YYYY-MM-DD); raises `UnusableDays` in words."""
    begin, end = _day(first, "?from"), _day(last, "?to")
    if not 0 <= (end - begin).days < MOST_DAYS:
        detail = f"Ask for one to {MOST_DAYS} days: `to` is the last of them."
        raise UnusableDays(
            detail, errors=[FieldError("?to", "too-many-days" if end > begin else "before-from", detail)]
        )
    known = _zone(zone)
    return Days(_midnight(begin, known), _midnight(end + timedelta(days=1), known), known)


def between(
    tx: Transaction, shown: Days, *, state: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Detail]:
    """Return the posts that are due on days, the first one first, with their targets."""
    posts = listing.due(tx, (shown.begin, shown.end), state=state, after=after, limit=limit)
    return with_targets(tx, posts)


def _day(text: str, pointer: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS or text != found.isoformat():
        detail = f"{text!r} is no day that can be shown. Write 2027-03-01."
        raise UnusableDays(detail, errors=[FieldError(pointer, "not-a-day", detail)])
    return found


def _zone(name: str) -> ZoneInfo:
    known = zone_of(name)
    if known is None:
        detail = f"{name!r} is no time zone. Use a name such as Europe/Berlin."
        raise UnusableDays(detail, errors=[FieldError("?zone", "unknown-zone", detail)])
    return known


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins. Where clocks leave midnight out, that is the moment in which they go forward."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
