"""When a post is due: a moment, or a wall clock in a zone, or now. Moments are kept to the second, in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from socialflow.errors import FieldError, Invalid

FURTHEST = timedelta(days=2 * 366)
"""How far ahead a post may be scheduled."""
OnAmbiguous = Literal["earlier", "later", "refuse"]


class UnusableTime(Invalid):
    """A time that no post can be published at."""

    code, title = "unusable-time", "That time cannot be used"


@dataclass(frozen=True)
class WallClock:
    """What a person reads on a clock in a zone (IANA name). `on_ambiguous` picks one of two where clocks go back."""

    local: datetime
    zone: str
    on_ambiguous: OnAmbiguous = "refuse"


@dataclass(frozen=True)
class Due:
    """When a post is due: the moment in UTC, and the intention or the slot of the queue where one was given."""

    at: datetime
    local: datetime | None = None
    zone: str | None = None
    slot: str | None = None


Wish = Due | Literal["next_slot"]
"""When a post is to be due: at a time, or in the next free slot of the queue."""


def due(wish: datetime | WallClock | Literal["now"], *, at: datetime) -> Due:
    """Return when a wish falls; `at` is the present. Raises `UnusableTime` in words."""
    if wish == "now":
        return Due(at.replace(microsecond=0))
    meant = _on_the_clock(wish) if isinstance(wish, WallClock) else _moment(wish)
    if meant.at < at:
        raise _unusable(f'{meant.at:%Y-%m-%d %H:%M:%S} UTC is in the past. Give a later time, or "now".', "in-the-past")
    if meant.at - at > FURTHEST:
        raise _unusable("A post can be scheduled up to two years ahead.", "too-far")
    return Due(meant.at.replace(microsecond=0), meant.local, meant.zone)


def nearest(local: datetime, zone: ZoneInfo) -> Due:
    """Return when a wall clock's time falls where nobody can be asked.

    In a missing hour that is the time which `does-not-exist` names, and of two the earlier one.
    """
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return Due(moment, moment.astimezone(zone).replace(tzinfo=None), zone.key)


def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _moment(wish: datetime) -> Due:
    if wish.utcoffset() is None:
        raise _unusable(
            "The time has no offset. Write 2027-03-01T09:00:00+01:00, or name the zone: "
            '{"local": "2027-03-01T09:00:00", "zone": "Europe/Berlin"}.',
            "no-offset",
        )
    try:
        return Due(wish.astimezone(UTC))
    except OverflowError:
        raise _unusable("That time is outside the calendar.", "outside-the-calendar") from None


def _on_the_clock(wish: WallClock) -> Due:
    if wish.local.tzinfo is not None:
        raise _unusable("With a zone, the local time has no offset of its own.", "offset-and-zone")
    zone = _zone(wish.zone)
    try:
        first, second = (wish.local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        shown = first.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise _unusable("That time is outside the calendar.", "outside-the-calendar") from None
    if shown != wish.local:
        raise _unusable(
            f"{wish.local:%Y-%m-%d %H:%M} does not exist in {wish.zone}: clocks go forward then. "
            f"{shown:%H:%M} is the time an hour of daylight later.",
            "does-not-exist",
            nearest=shown.isoformat(),
        )
    if first != second and wish.on_ambiguous == "refuse":
        raise _unusable(
            f"{wish.local:%Y-%m-%d %H:%M} happens twice in {wish.zone}: clocks go back then. "
            'Say "on_ambiguous": "earlier" or "later".',
            "happens-twice",
            earlier=first.isoformat(),
            later=second.isoformat(),
        )
    return Due(second if wish.on_ambiguous == "later" else first, wish.local.replace(microsecond=0), wish.zone)


def _zone(name: str) -> ZoneInfo:
    known = zone_of(name)
    if known is None:
        raise _unusable(f"{name!r} is no time zone. Use a name such as Europe/Berlin.", "unknown-zone")
    return known


def _unusable(detail: str, code: str, **facts: str) -> UnusableTime:
    return UnusableTime(detail, errors=[FieldError("/publish_at", code, detail)], **dict[str, Any](facts))
