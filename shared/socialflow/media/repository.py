"""Media items and derivatives in the tenant's schema."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from socialflow.media.model import Derivative, MediaItem, Photo, Stage, State, UnfitFile
from socialflow.platform.database import Transaction

COLUMNS = """id, version, state, stage, percent, file_name, declared_type, declared_size, object_key, object_version,
       content_type, size, sha256, width, height, captured_at, camera, refusal_code, refusal_detail, inspections,
       upload_expires_at, kind, title, alt_text, tags, focal_x, focal_y, declared_sha256, upload_id, part_size,
       animated, dhash::text AS dhash, blurhash, colours, colour_names, duration_ms, video_codec, audio_codec,
       frame_rate, deleted_at, deleted_by, created_by, created_at, updated_at"""
_FIND = f"""
SELECT {COLUMNS}
  FROM {{s}}.media_items WHERE id = %(id)s
"""
_MANY = f"""
SELECT {COLUMNS}
  FROM {{s}}.media_items WHERE id = ANY(%(ids)s)
"""
# The weakest lock that a deletion waits for, taken in the order in which a deletion of many takes its own.
_HOLD = " ORDER BY id FOR KEY SHARE"
# Progress only moves forward, whatever an older run still writes.
_ADVANCE = """
UPDATE {s}.media_items SET stage = %(stage)s, percent = %(percent)s, version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s AND percent < %(percent)s
"""
_PIN = """
UPDATE {s}.media_items SET object_version = %(version)s, inspections = inspections + 1 WHERE id = %(id)s
"""
_DESCRIBE = """
UPDATE {s}.media_items SET content_type = %(content_type)s, size = %(size)s, sha256 = %(sha256)s, width = %(width)s,
       height = %(height)s, captured_at = %(captured_at)s, camera = %(camera)s, animated = %(animated)s,
       dhash = %(dhash)s::bit(64), blurhash = %(blurhash)s, colours = %(colours)s, colour_names = %(colour_names)s,
       inspections = 0
 WHERE id = %(id)s
"""
_PUT_DERIVATIVE = """
INSERT INTO {s}.derivatives (media_id, variant, object_key, object_version, content_type, width, height, size, sha256)
VALUES (%(media_id)s, %(variant)s, %(object_key)s, %(object_version)s, %(content_type)s, %(width)s, %(height)s,
        %(size)s, %(sha256)s)
ON CONFLICT (media_id, variant) DO UPDATE SET object_key = excluded.object_key,
       object_version = excluded.object_version, content_type = excluded.content_type, width = excluded.width,
       height = excluded.height, size = excluded.size, sha256 = excluded.sha256
"""
_DERIVATIVES = """
SELECT variant, object_key, object_version, content_type, width, height, size, sha256 FROM {s}.derivatives
 WHERE media_id = %(id)s
 ORDER BY array_position(ARRAY['thumb', 'small', 'medium', 'large', 'square', 'gif', 'preview'], variant)
"""
_DERIVATIVES_OF = """
SELECT media_id, variant, object_key, object_version, content_type, width, height, size, sha256 FROM {s}.derivatives
 WHERE media_id = ANY(%(ids)s)
 ORDER BY array_position(ARRAY['thumb', 'small', 'medium', 'large', 'square', 'gif', 'preview'], variant)
"""
_SETTLE = """
UPDATE {s}.media_items SET state = %(state)s, stage = 'done', percent = 100, version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s AND state IN ('processing', 'in_review')
"""
_REFUSE = """
UPDATE {s}.media_items SET state = 'refused', stage = 'done', percent = 100, refusal_code = %(code)s,
       refusal_detail = %(detail)s, version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s AND state = 'processing'
"""
_OPEN_REVIEW = """
UPDATE {s}.media_items SET state = 'in_review', version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s AND state = 'processing'
"""


def find(tx: Transaction, media_id: UUID) -> MediaItem | None:
    """Return a media item."""
    found = tx.one(MediaItem, _FIND, {"id": media_id})
    return found and typed(found)


def many(tx: Transaction, media_ids: Sequence[UUID], *, hold: bool = False) -> dict[UUID, MediaItem]:
    """Return media items by their ids; those that are held are not deleted before the commit."""
    query = _MANY + _HOLD if hold else _MANY
    return {item.id: typed(item) for item in tx.all(MediaItem, query, {"ids": list(media_ids)})}


def lock(tx: Transaction, media_id: UUID) -> MediaItem | None:
    """Return a media item, its row locked until the commit."""
    found = tx.one(MediaItem, _FIND + " FOR UPDATE", {"id": media_id})
    return found and typed(found)


def advance(tx: Transaction, media_id: UUID, stage: Stage, *, at: datetime) -> bool:
    """Move the progress on to a stage; False where it is there or further."""
    return tx.execute(_ADVANCE, {"id": media_id, "stage": stage, "percent": stage.percent, "at": at}) == 1


def pin(tx: Transaction, media_id: UUID, *, object_version: str) -> None:
    """Keep the one version of the object that is inspected and served, and count the inspection begun."""
    tx.execute(_PIN, {"id": media_id, "version": object_version})


def describe(tx: Transaction, media_id: UUID, photo: Photo) -> None:
    """Keep what inspection found out."""
    tx.execute(_DESCRIBE, {"id": media_id} | asdict(photo))


def put_derivatives(tx: Transaction, media_id: UUID, made: Sequence[Derivative]) -> None:
    """Keep the derivatives, in place of those of an earlier run."""
    for derivative in made:
        tx.execute(_PUT_DERIVATIVE, {"media_id": media_id} | asdict(derivative))


def derivatives(tx: Transaction, media_id: UUID) -> list[Derivative]:
    """Return a media item's derivatives, the smallest first."""
    return tx.all(Derivative, _DERIVATIVES, {"id": media_id})


def derivatives_of(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, list[Derivative]]:
    """Return the derivatives of many media items, the smallest first."""
    found: dict[UUID, list[Derivative]] = {media_id: [] for media_id in media_ids}
    for row in tx.all(dict, _DERIVATIVES_OF, {"ids": list(media_ids)}):
        found[row.pop("media_id")].append(Derivative(**row))
    return found


def settle(tx: Transaction, media_id: UUID, state: State, *, at: datetime) -> bool:
    """Give a media item the state that its review ended in; False where it was settled before."""
    return tx.execute(_SETTLE, {"id": media_id, "state": state, "at": at}) == 1


def refuse(tx: Transaction, media_id: UUID, why: UnfitFile, *, at: datetime) -> bool:
    """Give a media item up, with the reason; False where it was processed or settled before."""
    return tx.execute(_REFUSE, {"id": media_id, "code": why.code, "detail": why.detail, "at": at}) == 1


def open_review(tx: Transaction, media_id: UUID, *, at: datetime) -> bool:
    """Put a processed media item into review; False where it was there or further."""
    return tx.execute(_OPEN_REVIEW, {"id": media_id, "at": at}) == 1


def typed(item: MediaItem) -> MediaItem:
    """Return a media item as read from a row, its state and stage as what they are."""
    return replace(item, state=State(item.state), stage=Stage(item.stage))
