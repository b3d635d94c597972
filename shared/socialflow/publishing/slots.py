"""The weekly slots of a queue: which posts each is for, and when it comes round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from heapq import merge
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from socialflow.publishing.timing import FURTHEST, Due, nearest

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = timedelta(days=7)

Place = tuple[UUID, str]
"""An account that a post goes to, and its network."""


@dataclass(frozen=True)
class Slot:
    """A time of each week on the clocks of a zone (IANA name), for one account, for one network, or for all."""

    weekday: str
    local_time: time
    zone: str
    account_id: UUID | None = None
    network: str | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read a slot as it is stored."""
        account_id = document["account_id"]
        return cls(
            document["weekday"],
            time.fromisoformat(document["local_time"]),
            document["zone"],
            UUID(account_id) if account_id else None,
            document["network"],
        )

    def document(self) -> dict[str, Any]:
        """Return the slot as it is stored."""
        return {
            "weekday": self.weekday,
            "local_time": self.local_time.isoformat("minutes"),
            "zone": self.zone,
            "account_id": str(self.account_id) if self.account_id else None,
            "network": self.network,
        }

    @property
    def name(self) -> str:
        """What it is known by: a slot that is set again as it was is the same, and what is taken of it stays taken."""
        whose = self.account_id or self.network
        return f"{self.weekday} {self.local_time:%H:%M} {self.zone}" + (f" {whose}" if whose else "")

    def serves(self, places: Sequence[Place]) -> bool:
        """Tell whether it is for a post that goes to these places, and to no other."""
        if self.account_id is None and self.network is None:
            return True
        fits = [self.account_id in (None, account) and self.network in (None, network) for account, network in places]
        return bool(fits) and all(fits)

    def times(self, after: datetime) -> Iterator[Due]:
        """Return when it comes round after a moment, the first time first, as far as a post may be scheduled."""
        zone = ZoneInfo(self.zone)
        today = after.astimezone(zone).date()
        day = today - timedelta(days=(today.weekday() - WEEKDAYS.index(self.weekday)) % 7) - _WEEK
        while True:
            due = nearest(datetime.combine(day, self.local_time), zone)
            if due.at > after + FURTHEST:
                return
            if due.at > after:
                yield replace(due, slot=self.name)
            day += _WEEK


def times(slots: Sequence[Slot], after: datetime) -> Iterator[Due]:
    """Return when any of some slots comes round, the first one first; of two at a time the one that is for fewer."""
    fewer_first = sorted(slots, key=lambda slot: (slot.account_id is None, slot.network is None))
    return merge(*(slot.times(after) for slot in fewer_first), key=lambda due: due.at)
