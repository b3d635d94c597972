"""Renditions in the tenant's schema."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.media.model import UnfitFile
from socialflow.media.rendition_model import Made, Rendition
from socialflow.media.rendition_spec import Order
from socialflow.platform.database import Transaction

_COLUMNS: LiteralString = """id, media_id, network, spec, state, percent, tries, reason_code, reason_detail, object_key,
       object_version, content_type, width, height, duration_ms, size, sha256, requested_by, requested_at, settled_at"""
_ADD = """
INSERT INTO {s}.renditions (id, media_id, network, spec, spec_sha256, requested_by, requested_at)
VALUES (%(id)s, %(media_id)s, %(network)s, %(spec)s, %(sha256)s, %(requested_by)s, %(requested_at)s)
ON CONFLICT (media_id, spec_sha256) DO NOTHING
"""
_FIND: LiteralString = "SELECT " + _COLUMNS + " FROM {s}.renditions WHERE id = %(id)s"
_SAME: LiteralString = (
    "SELECT " + _COLUMNS + " FROM {s}.renditions WHERE media_id = %(media_id)s AND spec_sha256 = %(sha256)s"
)
_PAGE: LiteralString = (
    "SELECT "
    + _COLUMNS
    + """
  FROM {s}.renditions
 WHERE media_id = %(media_id)s AND (%(network)s::text IS NULL OR network = %(network)s)
   AND (%(at)s::timestamptz IS NULL OR (requested_at, id) < (%(at)s, %(last)s))
 ORDER BY requested_at DESC, id DESC LIMIT %(limit)s
"""
)
_READY: LiteralString = "SELECT " + _COLUMNS + " FROM {s}.renditions WHERE media_id = ANY(%(ids)s) AND state = 'ready'"
_OPEN = "SELECT count(*) FROM {s}.renditions WHERE state IN ('queued', 'rendering')"
_KEPT = "SELECT count(*) FROM {s}.renditions WHERE media_id = %(media_id)s"
_REOPEN = """
UPDATE {s}.renditions SET state = 'queued', percent = 0, tries = 0, reason_code = NULL, reason_detail = NULL,
       settled_at = NULL
 WHERE id = %(id)s AND state = 'refused'
"""
_BEGIN = "UPDATE {s}.renditions SET state = 'rendering', tries = tries + 1 WHERE id = %(id)s"
# Progress only moves forward, whatever an older run still writes.
_ADVANCE = "UPDATE {s}.renditions SET percent = %(percent)s WHERE id = %(id)s AND percent < %(percent)s"
_SURVIVED = "UPDATE {s}.renditions SET tries = 0 WHERE id = %(id)s"
_FINISH = """
UPDATE {s}.renditions SET state = 'ready', percent = 100, object_key = %(object_key)s,
       object_version = %(object_version)s, content_type = %(content_type)s, width = %(width)s, height = %(height)s,
       duration_ms = %(duration_ms)s, size = %(size)s, sha256 = %(sha256)s, settled_at = %(at)s
 WHERE id = %(id)s AND state = 'rendering'
"""
_REFUSE = """
UPDATE {s}.renditions SET state = 'refused', percent = 100, reason_code = %(code)s, reason_detail = %(detail)s,
       settled_at = %(at)s
 WHERE id = %(id)s AND state IN ('queued', 'rendering')
"""


def add(tx: Transaction, order: Order) -> bool:
    """Write the row of an order; False where the same one is there."""
    return tx.execute(_ADD, asdict(order) | {"spec": Jsonb(order.spec.document()), "sha256": order.digest}) == 1


def find(tx: Transaction, rendition_id: UUID) -> Rendition | None:
    """Return a rendition."""
    return tx.one(Rendition, _FIND, {"id": rendition_id})


def lock(tx: Transaction, rendition_id: UUID) -> Rendition | None:
    """Return a rendition, its row locked until the commit."""
    return tx.one(Rendition, _FIND + " FOR UPDATE", {"id": rendition_id})


def same(tx: Transaction, media_id: UUID, sha256: bytes) -> Rendition | None:
    """Return the media item's rendition of a spec."""
    return tx.one(Rendition, _SAME, {"media_id": media_id, "sha256": sha256})


def page(
    tx: Transaction, media_id: UUID, *, network: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Rendition]:
    """Return a media item's renditions, the newest first, below a position."""
    at, last = after or (None, None)
    where = {"media_id": media_id, "network": network, "at": at, "last": last, "limit": limit}
    return tx.all(Rendition, _PAGE, where)


def ready(tx: Transaction, media_ids: Sequence[UUID]) -> list[Rendition]:
    """Return the renditions of media items that are ready."""
    return tx.all(Rendition, _READY, {"ids": list(media_ids)})


def count_open(tx: Transaction) -> int:
    """Return how many of the tenant's renditions are still to come."""
    found: int = tx.value(_OPEN)
    return found


def count_kept(tx: Transaction, media_id: UUID) -> int:
    """Return how many renditions a media item has, in whatever state."""
    found: int = tx.value(_KEPT, {"media_id": media_id})
    return found


def reopen(tx: Transaction, rendition_id: UUID) -> bool:
    """Let a refused rendition be made again; False where it is not refused."""
    return tx.execute(_REOPEN, {"id": rendition_id}) == 1


def begin(tx: Transaction, rendition_id: UUID) -> None:
    """Count a try and note that it is being made."""
    tx.execute(_BEGIN, {"id": rendition_id})


def advance(tx: Transaction, rendition_id: UUID, *, percent: int) -> None:
    """Note how far it is."""
    tx.execute(_ADVANCE, {"id": rendition_id, "percent": percent})


def survived(tx: Transaction, rendition_id: UUID) -> None:
    """Note that its making did not take the worker down: what fails from here on is no fault of the file."""
    tx.execute(_SURVIVED, {"id": rendition_id})


def finish(tx: Transaction, rendition_id: UUID, made: Made, *, at: datetime) -> bool:
    """Keep what was made; False where the rendition was settled before."""
    return tx.execute(_FINISH, asdict(made) | {"id": rendition_id, "at": at}) == 1


def refuse(tx: Transaction, rendition_id: UUID, why: UnfitFile, *, at: datetime) -> bool:
    """Give a rendition up, with the reason; False where it was settled before."""
    return tx.execute(_REFUSE, {"id": rendition_id, "code": why.code, "detail": why.detail, "at": at}) == 1
