"""What happens to renditions, in order. Every change of the workflow is fenced by the run that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.limits import NETWORKS, known
from socialflow.media import events, fitting, rendition_repository, repository, service, uploads
from socialflow.media.fitting import Fit
from socialflow.media.model import Kind, MediaItem, UnfitFile
from socialflow.media.rendition_model import (
    GIVEN_UP,
    MOST_KEPT,
    MOST_OPEN,
    SILENCE,
    TRIES,
    Made,
    Rendition,
    RenditionImpossible,
    RenditionNotFound,
    RenditionsFull,
    RenditionsWaiting,
    check_ready,
)
from socialflow.media.rendition_spec import Order, Wish, settled_by
from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id

KIND: work.Kind = "rendition"
Outcome = Literal["image", "video", "settled", "refused", "superseded"]
"""What a started run is told where there is nothing for its task to make."""


@dataclass(frozen=True)
class Begun:
    """The right to make a rendition: `outcome` is None, and both are there."""

    outcome: Outcome | None
    rendition: Rendition | None = None
    item: MediaItem | None = None


def ask(tx: Transaction, media_id: UUID, wish: Wish, *, by: UUID, at: datetime) -> tuple[Rendition, bool]:
    """Return the rendition of a wish, and whether it is to be made now: the same wish is made once.

    Its bytes count as storage when they are there; it is let in while the tenant has any room.
    """
    network = known(wish.network)
    item = service.held(tx, media_id)
    check_ready(item)
    order = Order(new_id(), media_id, network, settled_by(item, wish), by, at)
    present = rendition_repository.same(tx, media_id, order.digest)
    if present is not None and not present.may_be_tried_again:
        return present, False
    _check_possible(tx, item, network)
    entitlements.make_room(tx, "storage_bytes", 1, lambda: 1 + uploads.announced_bytes(tx, at=at), at=at)
    _check_room(tx, media_id, is_new=present is None)
    if present is None:
        rendition_repository.add(tx, order)
    else:
        rendition_repository.reopen(tx, present.id)
    rendition_id = present.id if present else order.id
    work.schedule(tx, KIND, rendition_id, wake_at=at)
    tx.emit(events.RenditionRequested(subject_id=rendition_id, media_id=media_id, network=network, by=by))
    return get(tx, media_id, rendition_id), True


def get(tx: Transaction, media_id: UUID, rendition_id: UUID) -> Rendition:
    """Return a media item's rendition; raises `RenditionNotFound`."""
    found = rendition_repository.find(tx, rendition_id)
    if found is None or found.media_id != media_id:
        raise RenditionNotFound(f"There is no such rendition. GET /v1/media/{media_id}/renditions lists them.")
    return found


def page(
    tx: Transaction, media_id: UUID, *, network: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Rendition]:
    """Return a media item's renditions, the newest first, below a position; raises `MediaNotFound`."""
    service.get(tx, media_id)
    return rendition_repository.page(
        tx, media_id, network=known(network) if network else None, after=after, limit=limit
    )


def ready(tx: Transaction, media_ids: Sequence[UUID]) -> list[Rendition]:
    """Return the renditions of media items that are ready."""
    return rendition_repository.ready(tx, media_ids)


def fits(tx: Transaction, media_id: UUID) -> Sequence[Fit]:
    """Return what every network would say of a processed media item."""
    item = service.get(tx, media_id)
    check_ready(item)
    made = repository.derivatives(tx, media_id)
    return [fitting.fits(item, made, network) for network in NETWORKS]


def begin(tx: Transaction, rendition_id: UUID, kind: Kind, *, run: int, at: datetime) -> Begun:
    """Give a run's task the right to make a rendition of its kind, or tell why there is nothing to make.

    A rendition that takes its worker down each time is given up.
    """
    found = _fenced(tx, rendition_id, run=run, at=at)
    if found is None:
        return Begun("superseded")
    rendition, item = found
    if not rendition.open:
        work.finish(tx, KIND, rendition_id, run=run)
        return Begun("settled")
    if rendition.tries >= TRIES:
        detail = f"It was begun {TRIES} times and never ended. Ask for it again, or use a simpler file."
        return _given_up(tx, rendition, UnfitFile(GIVEN_UP, detail), run=run, at=at)
    if rendition.kind != kind:
        return Begun(rendition.kind)
    rendition_repository.begin(tx, rendition_id)
    return Begun(None, rendition, item)


def advance(tx: Transaction, rendition_id: UUID, *, percent: int, run: int, at: datetime) -> bool:
    """Note how far it is, and that the run is alive; False where it is superseded."""
    if _fenced(tx, rendition_id, run=run, at=at) is None:
        return False
    rendition_repository.advance(tx, rendition_id, percent=percent)
    return True


def rendered(tx: Transaction, rendition_id: UUID, *, percent: int, run: int, at: datetime) -> bool:
    """Note that it was made and is to be kept; False where the run is superseded."""
    if not advance(tx, rendition_id, percent=percent, run=run, at=at):
        return False
    rendition_repository.survived(tx, rendition_id)
    return True


def finish(tx: Transaction, rendition_id: UUID, made: Made, *, run: int, at: datetime) -> bool:
    """Keep what was made: from here on it is served. False where the run is superseded, or the media item deleted."""
    found = _fenced(tx, rendition_id, run=run, at=at)
    if found is None:
        return False
    rendition, _ = found
    if rendition_repository.finish(tx, rendition_id, made, at=at):
        work.finish(tx, KIND, rendition_id, run=run)
        entitlements.add(tx, "storage_bytes", made.size, at=at)
        tx.emit(events.RenditionReady(subject_id=rendition_id, media_id=rendition.media_id, network=rendition.network))
    return True


def refuse(tx: Transaction, rendition_id: UUID, why: UnfitFile, *, run: int, at: datetime) -> bool:
    """Give a rendition up, with the reason that is shown; False where the run is superseded."""
    found = _fenced(tx, rendition_id, run=run, at=at)
    if found is None:
        return False
    _given_up(tx, found[0], why, run=run, at=at)
    return True


def _given_up(tx: Transaction, rendition: Rendition, why: UnfitFile, *, run: int, at: datetime) -> Begun:
    if rendition_repository.refuse(tx, rendition.id, why, at=at):
        work.finish(tx, KIND, rendition.id, run=run)
        tx.emit(
            events.RenditionRefused(
                subject_id=rendition.id, media_id=rendition.media_id, network=rendition.network, code=why.code
            )
        )
    return Begun("refused")


def _fenced(tx: Transaction, rendition_id: UUID, *, run: int, at: datetime) -> tuple[Rendition, MediaItem] | None:
    """Lock the media item, the rendition and its work row, in that order everywhere; None where superseded.

    The run also says that it is alive: it is not started again while it is heard of.
    """
    known_as = rendition_repository.find(tx, rendition_id)
    item = repository.lock(tx, known_as.media_id) if known_as else None
    rendition = rendition_repository.lock(tx, rendition_id) if item else None
    if rendition is None or item is None:  # its media item was deleted, and with it what was made of it
        work.finish(tx, KIND, rendition_id, run=run)
        return None
    if not work.postpone(tx, KIND, rendition_id, run=run, wake_at=at + SILENCE):
        return None
    return rendition, item


def _check_possible(tx: Transaction, item: MediaItem, network: str) -> None:
    fit = fitting.fits(item, repository.derivatives(tx, item.id), network)
    hopeless = [reason for reason in fit.reasons if not reason.mendable]
    if hopeless:
        raise RenditionImpossible(
            " ".join(reason.detail for reason in hopeless), network=network, reasons=[one.code for one in hopeless]
        )


def _check_room(tx: Transaction, media_id: UUID, *, is_new: bool) -> None:
    """Raise where too many are open or kept. Nobody else of the tenant counts meanwhile: the storage is held."""
    if rendition_repository.count_open(tx) >= MOST_OPEN:
        raise RenditionsWaiting(
            f"{MOST_OPEN} renditions of your tenant are being made. Wait until some are ready.", retry_after=30
        )
    if is_new and rendition_repository.count_kept(tx, media_id) >= MOST_KEPT:
        raise RenditionsFull(
            f"A media item has at most {MOST_KEPT} renditions. Use one of them: GET /v1/media/{media_id}/renditions."
        )
