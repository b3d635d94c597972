"""A tenant's queue of weekly slots: what it is, and the next time of it that is free."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from socialflow.errors import FieldError
from socialflow.limits import NETWORKS, canonical
from socialflow.platform.database import Transaction
from socialflow.publishing import queue_repository, slots
from socialflow.publishing.planning import Known
from socialflow.publishing.refusals import NoFreeSlot, QueueChanged, UnusableSlots
from socialflow.publishing.slots import Place, Slot
from socialflow.publishing.timing import Due, Wish, zone_of


@dataclass(frozen=True)
class Queue:
    """The slots that a tenant has set; version 0: none yet."""

    version: int
    slots: Sequence[Slot]


def read(tx: Transaction) -> Queue:
    """Return the tenant's queue."""
    return Queue(*queue_repository.read(tx))


def write(tx: Transaction, wanted: Sequence[Slot], known: Known, *, version: int | None) -> Queue:
    """Set all slots, of the version that was seen (None: whichever); posts that have a time keep it."""
    wanted = [replace(slot, network=canonical(slot.network)) if slot.network else slot for slot in wanted]
    wrong = [fault for index in range(len(wanted)) for fault in _faults(wanted, index, known)]
    if wrong:
        raise UnusableSlots(f"{wrong[0].detail} Change it, or leave it out.", errors=wrong)
    queue_repository.begin(tx)
    present, _ = queue_repository.lock(tx)
    if version is not None and version != present:
        raise QueueChanged("Read the slots again and repeat what you want of them.", current_version=present)
    queue_repository.write(tx, present + 1, wanted)
    return Queue(present + 1, wanted)


def settled(tx: Transaction, wish: Wish | None, places: Sequence[Place], *, at: datetime) -> Due | None:
    """Return when a post is due that asks for a time, or for the next free slot."""
    return vacancies(tx, at=at, hold=True).give(places) if isinstance(wish, str) else wish


class Vacancies:
    """The times of a queue that no post has yet, given out in turn, each once."""

    def __init__(self, present: Sequence[Slot], taken: Container[tuple[str | None, datetime]], at: datetime) -> None:
        """Begin after a moment, with what is taken already."""
        self._slots, self._taken, self._at = present, taken, at
        self._given: set[tuple[str | None, datetime]] = set()
        self._coming: dict[tuple[Slot, ...], Iterator[Due]] = {}

    def give(self, places: Sequence[Place]) -> Due:
        """Return the next time that is for a post which goes to these places; raises `NoFreeSlot`."""
        serving = tuple(slot for slot in self._slots if slot.serves(places))
        if not serving:
            raise NoFreeSlot(
                "No slot of the queue is for this post. Set slots with PUT /v1/queue-slots, or give a time."
            )
        if serving not in self._coming:
            self._coming[serving] = slots.times(serving, self._at)
        for due in self._coming[serving]:
            time = (due.slot, due.at)
            if time not in self._taken and time not in self._given:
                self._given.add(time)
                return due
        raise NoFreeSlot("Every slot of the next two years is taken. Set more slots, or give a time.")


def vacancies(tx: Transaction, *, at: datetime, hold: bool) -> Vacancies:
    """Return the times that are free; held until the commit, so that nobody else gets one, or only looked at."""
    _, present = queue_repository.lock(tx) if hold else queue_repository.read(tx)
    return Vacancies(present, queue_repository.taken(tx, present, at), at)


def _faults(wanted: Sequence[Slot], index: int, known: Known) -> list[FieldError]:
    slot, at = wanted[index], f"/slots/{index}"
    found = []
    if zone_of(slot.zone) is None:
        words = f"{slot.zone!r} is no time zone. Use a name such as Europe/Berlin."
        found.append(FieldError(f"{at}/zone", "unknown-zone", words))
    if slot.account_id and slot.network:
        found.append(FieldError(at, "one-of-two", "A slot is for an account or for a network."))
    if slot.account_id and slot.account_id not in known.destinations:
        found.append(FieldError(f"{at}/account_id", "unknown-account", "It is no connected account."))
    if slot.network and slot.network not in NETWORKS:
        found.append(FieldError(f"{at}/network", "unknown-network", f"Nothing is known of {slot.network!r}."))
    if slot in wanted[:index]:
        found.append(FieldError(at, "repeated", "The slot is there already."))
    return found
