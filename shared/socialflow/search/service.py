"""What happens to vectors, in order. They are made by a workflow of their own, for which nothing waits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.search import repository
from socialflow.search.model import Neighbour, Placed, Progress, Source, Space


def look_again(tx: Transaction, media_id: UUID, *, at: datetime) -> None:
    """Have a media item's vectors made: of what has not changed none is made again."""
    work.schedule(tx, "embedding", media_id, wake_at=at)


def missing(tx: Transaction, media_id: UUID, sources: Sequence[Source], space: Space) -> list[Source]:
    """Return those sources that have no place in the space, or had it before they changed."""
    kept = repository.kept(tx, media_id)
    return [source for source in sources if not any(each.is_of(source, space) for each in kept)]


def place(tx: Transaction, media_id: UUID, placed: Placed, *, at: datetime) -> None:
    """Keep a vector, in the place of what the media item had before."""
    repository.put(tx, media_id, placed, at=at)


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Delete the vectors of media items that are deleted."""
    repository.forget(tx, media_ids)


def progress(tx: Transaction, space: Space) -> Progress:
    """Return how far a tenant's media items are in a space."""
    return repository.progress(tx, space)


def catch_up(tx: Transaction, space: Space, *, limit: int, at: datetime) -> int:
    """Have the vectors made that are missing in a space, as after a change of the model; return of how many items.

    Those whose workflow is under way already are left to it.
    """
    behind = repository.behind(tx, space, limit=limit)
    return work.schedule_resting(tx, "embedding", behind, wake_at=at)


def near(tx: Transaction, media_id: UUID, space: Space, *, limit: int) -> list[Neighbour]:
    """Return what lies nearest to a media item, the nearest first; nothing while it has no place in the space."""
    return repository.near(tx, media_id, space, limit=limit)
