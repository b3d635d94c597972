"""Vectors in the tenant's schema. Every question names a model and a size: nothing else is compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.search.model import Kept, Neighbour, Placed, Progress, Space

_KEPT = "SELECT aspect, model, dimension, of_sha256 FROM {s}.vectors WHERE media_id = %(id)s"
_PUT = """
INSERT INTO {s}.vectors (media_id, aspect, model, dimension, embedding, of_sha256, made_at)
VALUES (%(id)s, %(aspect)s, %(model)s, %(dimension)s, %(embedding)s::public.halfvec, %(sha256)s, %(at)s)
ON CONFLICT (media_id, aspect) DO UPDATE
   SET model = excluded.model, dimension = excluded.dimension, embedding = excluded.embedding,
       of_sha256 = excluded.of_sha256, made_at = excluded.made_at
"""
_FORGET = "DELETE FROM {s}.vectors WHERE media_id = ANY(%(ids)s)"
_THERE = """
SELECT count(*) FROM {s}.vectors v WHERE v.media_id = m.id AND v.aspect = ANY(%(aspects)s)
   AND v.model = %(model)s AND v.dimension = %(dimension)s
"""
_FOUND = "m.state IN ('in_review', 'approved')"
_PROGRESS = f"""
SELECT count(*) AS media, count(*) FILTER (WHERE ({_THERE}) = cardinality(%(aspects)s::text[])) AS placed
  FROM {{s}}.media_items m WHERE {_FOUND}
"""
_BEHIND = f"""
SELECT m.id FROM {{s}}.media_items m
 WHERE {_FOUND} AND ({_THERE}) < cardinality(%(aspects)s::text[])
 ORDER BY m.created_at DESC, m.id LIMIT %(limit)s
"""
_NEAR = """
SELECT other.media_id, (1 - (other.embedding OPERATOR(public.<=>) this.embedding))::float8 AS similarity
  FROM {s}.vectors this
  JOIN {s}.vectors other ON other.model = this.model AND other.dimension = this.dimension
   AND other.aspect = this.aspect AND other.media_id <> this.media_id
  JOIN {s}.media_items m ON m.id = other.media_id
 WHERE this.media_id = %(id)s AND this.aspect = %(aspect)s
   AND this.model = %(model)s AND this.dimension = %(dimension)s AND m.state IN ('in_review', 'approved')
 ORDER BY other.embedding OPERATOR(public.<=>) this.embedding, other.media_id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class _Id:
    id: UUID


def kept(tx: Transaction, media_id: UUID) -> list[Kept]:
    """Return what is stored of a media item, in whatever space."""
    return tx.all(Kept, _KEPT, {"id": media_id})


def put(tx: Transaction, media_id: UUID, placed: Placed, *, at: datetime) -> None:
    """Store a vector in the place of the one that was there."""
    written = "[" + ",".join(map(repr, placed.values)) + "]"
    given = {"id": media_id, "aspect": placed.source.aspect, "sha256": placed.source.sha256, "embedding": written}
    tx.execute(_PUT, {**given, "model": placed.space.model, "dimension": placed.space.dimension, "at": at})


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Delete the vectors of media items."""
    tx.execute(_FORGET, {"ids": list(media_ids)})


def progress(tx: Transaction, space: Space) -> Progress:
    """Count the media items, and those that have all their places in a space."""
    found = tx.one(Progress, _PROGRESS, _of(space))
    assert found is not None
    return found


def behind(tx: Transaction, space: Space, *, limit: int) -> list[UUID]:
    """Return media items that lack a place in a space, the newest first."""
    return [row.id for row in tx.all(_Id, _BEHIND, _of(space) | {"limit": limit})]


def near(tx: Transaction, media_id: UUID, space: Space, *, limit: int) -> list[Neighbour]:
    """Return the media items that lie nearest to one, by what is seen where the model sees, else by what is said."""
    return tx.all(Neighbour, _NEAR, _of(space) | {"id": media_id, "aspect": space.aspects[0], "limit": limit})


def _of(space: Space) -> dict[str, Any]:
    return {"model": space.model, "dimension": space.dimension, "aspects": list(space.aspects)}
