"""What a tenant has twice: files of the same content, and pictures that look the same."""

from collections.abc import Sequence
from uuid import UUID

from socialflow.media import duplicate_repository as repository
from socialflow.media import service
from socialflow.media.duplicate_repository import Similar
from socialflow.platform.database import Transaction

NEAR = 6
"""Bits of 64 in which the hashes of a picture and its re-encoded, resized or slightly cropped copies differ at most;
those of others differ in 28 and more."""


def same_content(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return, of each media item that has any, the others with exactly its content, the oldest first."""
    return repository.same(tx, media_ids)


def similar(tx: Transaction, media_id: UUID, *, limit: int) -> list[Similar]:
    """Return the media items that look like one, the nearest first; raises `MediaNotFound` and `MediaDeleted`."""
    service.get(tx, media_id)
    return repository.similar(tx, media_id, most=NEAR, limit=limit)
