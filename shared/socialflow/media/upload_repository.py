"""Uploads in the tenant's schema: media items until their file has come."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from socialflow.media.model import Stage, Upload
from socialflow.platform.database import Transaction

_ADD = """
INSERT INTO {s}.media_items (id, state, file_name, declared_type, declared_size, object_key, upload_expires_at,
                             created_by, created_at, updated_at)
VALUES (%(id)s, 'awaiting_upload', %(file_name)s, %(content_type)s, %(size)s, %(object_key)s, %(expires_at)s,
        %(created_by)s, %(created_at)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING
"""
_ARRIVE = """
UPDATE {s}.media_items SET state = 'processing', stage = 'uploaded', percent = %(percent)s, version = version + 1,
       updated_at = %(at)s
 WHERE id = %(id)s AND state = 'awaiting_upload'
"""
_RENEW = "UPDATE {s}.media_items SET upload_expires_at = %(expires_at)s WHERE id = %(id)s AND state = 'awaiting_upload'"
_ANNOUNCED_BYTES = """
SELECT coalesce(sum(declared_size), 0)::bigint FROM {s}.media_items
 WHERE state = 'awaiting_upload' AND upload_expires_at > %(at)s
"""


def add(tx: Transaction, upload: Upload) -> bool:
    """Write the row of an upload that is about to come; False where the id exists."""
    row = asdict(upload)
    return tx.execute(_ADD, row | row.pop("announced")) == 1


def renew(tx: Transaction, media_id: UUID, *, expires_at: datetime) -> None:
    """Note that the upload's address was signed again."""
    tx.execute(_RENEW, {"id": media_id, "expires_at": expires_at})


def announced_bytes(tx: Transaction, *, at: datetime) -> int:
    """Return the announced bytes of uploads that may still come."""
    found: int = tx.value(_ANNOUNCED_BYTES, {"at": at})
    return found


def arrive(tx: Transaction, media_id: UUID, *, at: datetime) -> bool:
    """Note that the file has come; False where that was known."""
    return tx.execute(_ARRIVE, {"id": media_id, "percent": Stage.UPLOADED.percent, "at": at}) == 1
