"""The wire shapes of a queue's slots."""

from datetime import datetime, time
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.publishing.queueing import Queue
from socialflow.publishing.slots import Slot

MOST_SLOTS = 168
"""As many as a week has hours."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_FORBID = ConfigDict(extra="forbid")


class SlotIn(BaseModel):
    """A time of each week; for one account, or for one network, or for every post."""

    model_config = _FORBID

    weekday: Weekday
    local_time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="09:00")]
    zone: Annotated[str, Field(min_length=1, max_length=64, description="An IANA name: Europe/Berlin.")]
    account_id: UUID | None = None
    network: Annotated[str | None, Field(min_length=1, max_length=40)] = None

    def slot(self) -> Slot:
        """Return what the publishing context is told."""
        return Slot(self.weekday, time.fromisoformat(self.local_time), self.zone, self.account_id, self.network)


class SlotsIn(BaseModel):
    """All slots that the queue is to have."""

    model_config = _FORBID

    slots: Annotated[list[SlotIn], Field(max_length=MOST_SLOTS)]


class SlotOut(BaseModel):
    """A slot, and when it comes round next."""

    slot: Annotated[str, Field(description="What posts that have a time of it say.")]
    weekday: str
    local_time: str
    zone: str
    account_id: UUID | None
    network: str | None
    next_at: Annotated[datetime | None, Field(description="UTC; it may be some post's already.")]

    @classmethod
    def of(cls, slot: Slot, at: datetime) -> Self:
        """Shape a slot."""
        following = next(slot.times(at), None)
        return cls(
            slot=slot.name,
            weekday=slot.weekday,
            local_time=slot.local_time.isoformat("minutes"),
            zone=slot.zone,
            account_id=slot.account_id,
            network=slot.network,
            next_at=following.at if following else None,
        )


class SlotsOut(BaseModel):
    """The slots of a queue. Version 0: none were set yet."""

    version: int
    slots: list[SlotOut]

    @classmethod
    def of(cls, queue: Queue, at: datetime) -> Self:
        """Shape a queue."""
        return cls(version=queue.version, slots=[SlotOut.of(slot, at) for slot in queue.slots])
