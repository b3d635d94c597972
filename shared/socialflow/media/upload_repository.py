"""Uploads in the tenant's schema: media items until their file has come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from socialflow.media.model import Stage
from socialflow.media.upload_model import Expired, Upload
from socialflow.platform.database import Transaction

# Whoever announces under an id of their own waits here for whoever does it at the same moment, before either holds
# a counter; in one order, so that two batches cannot wait for each other.
_QUEUE = """
SELECT pg_advisory_xact_lock(hashtextextended('upload:' || %(tenant)s || ':' || wanted, 0))
  FROM (SELECT DISTINCT unnest(%(ids)s::uuid[])::text AS wanted ORDER BY 1) AS asked
"""
_LOCK_ALL = "SELECT count(*) FROM (SELECT FROM {s}.media_items WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE) AS held"
_ADD = """
INSERT INTO {s}.media_items (id, state, file_name, declared_type, declared_size, declared_sha256, part_size,
                             object_key, upload_expires_at, created_by, created_at, updated_at)
VALUES (%(id)s, 'awaiting_upload', %(file_name)s, %(content_type)s, %(size)s, %(sha256)s, %(part_size)s,
        %(object_key)s, %(expires_at)s, %(created_by)s, %(created_at)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING
"""
_ARRIVE = """
UPDATE {s}.media_items SET state = 'processing', stage = 'uploaded', percent = %(percent)s, version = version + 1,
       updated_at = %(at)s
 WHERE id = %(id)s AND state = 'awaiting_upload'
"""
_RENEW = "UPDATE {s}.media_items SET upload_expires_at = %(expires_at)s WHERE id = %(id)s AND state = 'awaiting_upload'"
_OPEN_PARTS = """
UPDATE {s}.media_items SET upload_id = %(upload_id)s
 WHERE id = %(id)s AND state = 'awaiting_upload' AND upload_id IS NOT DISTINCT FROM %(instead_of)s
"""
# The tombstone tells nothing of the file; where its parts are is kept until they are thrown away.
_GIVE_UP = """
UPDATE {s}.media_items SET state = 'deleted', deleted_at = %(at)s, deleted_by = %(by)s, file_name = 'deleted',
       declared_sha256 = NULL, version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s AND state = 'awaiting_upload'
"""
_EXPIRED = """
SELECT id, object_key, upload_id, upload_expires_at AS expired_at FROM {s}.media_items
 WHERE state = 'awaiting_upload' AND upload_expires_at <= %(at)s
   AND (%(expired_at)s::timestamptz IS NULL OR (upload_expires_at, id) > (%(expired_at)s, %(id)s))
 ORDER BY upload_expires_at, id LIMIT %(limit)s
"""
_UNKNOWN = """
SELECT wanted AS id FROM unnest(%(ids)s::uuid[]) AS wanted
 WHERE NOT EXISTS (SELECT FROM {s}.media_items m WHERE m.id = wanted)
"""
_ANNOUNCED_BYTES = """
SELECT coalesce(sum(declared_size), 0)::bigint FROM {s}.media_items
 WHERE state = 'awaiting_upload' AND upload_expires_at > %(at)s
"""
# A file that has come and is not hashed yet counts by what its sender said of it, where the bucket held them to it.
_WITH_CONTENT = """
SELECT id FROM {s}.media_items
 WHERE state NOT IN ('awaiting_upload', 'refused', 'deleted') AND id <> %(but)s
   AND (sha256 = %(sha256)s OR (sha256 IS NULL AND declared_sha256 = %(sha256)s))
 ORDER BY created_at, id LIMIT 1
"""


def queue(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Wait for whoever announces under the same ids, and lock the rows that there are."""
    if media_ids:
        tx.execute(_QUEUE, {"tenant": tx.tenant.slug, "ids": list(media_ids)})
        tx.value(_LOCK_ALL, {"ids": list(media_ids)})


def add(tx: Transaction, upload: Upload) -> bool:
    """Write the row of an upload that is about to come; False where the id exists."""
    announced = upload.announced
    row = {
        "id": upload.id,
        "file_name": announced.file_name,
        "content_type": announced.content_type,
        "size": announced.size,
        "sha256": announced.sha256,
        "part_size": announced.part_size,
        "object_key": upload.object_key,
        "expires_at": upload.expires_at,
        "created_by": upload.created_by,
        "created_at": upload.created_at,
    }
    return tx.execute(_ADD, row) == 1


def renew(tx: Transaction, media_id: UUID, *, expires_at: datetime) -> None:
    """Note that the upload's address was signed again."""
    tx.execute(_RENEW, {"id": media_id, "expires_at": expires_at})


def open_parts(tx: Transaction, media_id: UUID, upload_id: str, *, instead_of: str | None) -> bool:
    """Keep where the bucket collects the parts; False where somebody was first, or the upload is over."""
    given = {"id": media_id, "upload_id": upload_id, "instead_of": instead_of}
    return tx.execute(_OPEN_PARTS, given) == 1


def give_up(tx: Transaction, media_id: UUID, *, by: UUID | None, at: datetime) -> bool:
    """Leave a tombstone of an upload that does not come; False where it came, or was given up before."""
    return tx.execute(_GIVE_UP, {"id": media_id, "by": by, "at": at}) == 1


def expired(tx: Transaction, *, at: datetime, after: Expired | None, limit: int) -> list[Expired]:
    """Return uploads to whose addresses nothing can be sent any more, those that died first first, behind one."""
    position = {"expired_at": after and after.expired_at, "id": after and after.id}
    return tx.all(Expired, _EXPIRED, {"at": at, "limit": limit, **position})


def unknown(tx: Transaction, media_ids: Collection[UUID]) -> set[UUID]:
    """Return those ids of which there is no row, not even a tombstone."""
    return {row["id"] for row in tx.all(dict, _UNKNOWN, {"ids": list(media_ids)})}


def announced_bytes(tx: Transaction, *, at: datetime) -> int:
    """Return the announced bytes of uploads that may still come."""
    found: int = tx.value(_ANNOUNCED_BYTES, {"at": at})
    return found


def arrive(tx: Transaction, media_id: UUID, *, at: datetime) -> bool:
    """Note that the file has come; False where that was known."""
    return tx.execute(_ARRIVE, {"id": media_id, "percent": Stage.UPLOADED.percent, "at": at}) == 1


def with_content(tx: Transaction, sha256: bytes, *, but: UUID) -> UUID | None:
    """Return the oldest other media item of this content that the tenant has."""
    found: UUID | None = tx.value(_WITH_CONTENT, {"sha256": sha256, "but": but})
    return found
