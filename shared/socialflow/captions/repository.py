"""Captions and the wishes for them in the tenant's schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.captions.model import Author, Caption, CaptionRequest, Draft, Skipped, Wish
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id

_CAPTION = (
    "id, media_id, version, text, alt_text, hashtags, description, source, model, author, created_at, network,"
    " alternative, notes"
)
_REQUEST = "id, media_id, state, prompt, reason, reason_detail, requested_by, requested_at, style, turn_at"

_ADD = f"""
INSERT INTO {{s}}.captions (id, media_id, version, text, alt_text, hashtags, description, source, model, author,
                            request_id, created_at, network, alternative, notes)
SELECT %(id)s, %(media_id)s, coalesce(max(version), 0) + 1, %(text)s, %(alt_text)s, %(hashtags)s, %(description)s,
       %(source)s, %(model)s, %(author)s, %(request)s, %(at)s, %(network)s, %(alternative)s, %(notes)s
  FROM {{s}}.captions WHERE media_id = %(media_id)s
RETURNING {_CAPTION}
"""
_VERSIONS = f"SELECT {_CAPTION} FROM {{s}}.captions WHERE media_id = %(id)s ORDER BY version"
_CURRENT = f"""
SELECT DISTINCT ON (media_id) {_CAPTION} FROM {{s}}.captions WHERE media_id = ANY(%(ids)s) AND network IS NULL
 ORDER BY media_id, version DESC
"""
_ASK = """
INSERT INTO {s}.caption_requests (id, media_id, prompt, requested_by, requested_at, style, turn_at)
VALUES (%(id)s, %(media_id)s, %(prompt)s, %(by)s, %(at)s, %(style)s, %(turn_at)s)
"""
_FIND_REQUEST = f"SELECT {_REQUEST} FROM {{s}}.caption_requests WHERE id = %(id)s"
_TURN = "UPDATE {s}.caption_requests SET turn_at = %(turn_at)s WHERE id = %(id)s AND turn_at IS NULL"
_OF_REQUEST = f"""
SELECT {_CAPTION} FROM {{s}}.captions WHERE request_id = %(id)s ORDER BY alternative
"""
_VERSION = f"SELECT {_CAPTION} FROM {{s}}.captions WHERE media_id = %(id)s AND version = %(version)s"
# What people have approved: the only texts that may stand as examples, and of this tenant alone.
_APPROVED = """
SELECT c.text AS text FROM {s}.reviews r JOIN {s}.captions c ON c.id = r.caption_id
 WHERE r.state = 'approved' AND r.media_id <> %(id)s AND c.text <> ''
 ORDER BY r.decided_at DESC LIMIT %(most)s
"""
_LATEST = f"""
SELECT DISTINCT ON (media_id) {_REQUEST} FROM {{s}}.caption_requests WHERE media_id = ANY(%(ids)s)
 ORDER BY media_id, requested_at DESC, id DESC
"""
_WRITTEN = """
UPDATE {s}.caption_requests SET state = 'written', settled_at = %(at)s WHERE id = %(id)s AND state = 'open'
"""
_SKIPPED = """
UPDATE {s}.caption_requests SET state = 'skipped', reason = %(reason)s, reason_detail = %(detail)s, settled_at = %(at)s
 WHERE id = %(id)s AND state = 'open'
"""
_DROP = "DELETE FROM {s}.captions WHERE media_id = ANY(%(ids)s)"
_DROP_REQUESTS = "DELETE FROM {s}.caption_requests WHERE media_id = ANY(%(ids)s) RETURNING id"


def add(tx: Transaction, media_id: UUID, draft: Draft, *, author: Author, at: datetime) -> Caption:
    """Write the next version."""
    row: dict[str, Any] = {
        "id": new_id(),
        "media_id": media_id,
        "text": draft.text,
        "alt_text": draft.alt_text,
        "hashtags": list(draft.hashtags),
        "description": draft.description,
        "source": author.source,
        "model": author.model,
        "author": author.user,
        "request": author.request,
        "at": at,
        "network": author.network,
        "alternative": author.alternative,
        "notes": list(draft.notes),
    }
    added = tx.one(Caption, _ADD, row)
    assert added is not None  # an aggregate without GROUP BY is one row
    return added


def versions(tx: Transaction, media_id: UUID) -> list[Caption]:
    """Return every version, the oldest first."""
    return tx.all(Caption, _VERSIONS, {"id": media_id})


def current(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, Caption]:
    """Return the newest version of each media item that has one."""
    return {caption.media_id: caption for caption in tx.all(Caption, _CURRENT, {"ids": list(media_ids)})}


def ask(tx: Transaction, media_id: UUID, wish: Wish, *, by: UUID, at: datetime) -> UUID:
    """Write a wish; return its id."""
    request_id = new_id()
    row = {"id": request_id, "media_id": media_id, "prompt": wish.prompt, "by": by, "at": at}
    tx.execute(_ASK, row | {"style": Jsonb(dict(wish.style)), "turn_at": wish.turn_at})
    return request_id


def request(tx: Transaction, request_id: UUID) -> CaptionRequest | None:
    """Return a wish by its id."""
    return tx.one(CaptionRequest, _FIND_REQUEST, {"id": request_id})


def of_request(tx: Transaction, request_id: UUID) -> list[Caption]:
    """Return the versions that were written for a wish, the first alternative first."""
    return tx.all(Caption, _OF_REQUEST, {"id": request_id})


def version(tx: Transaction, media_id: UUID, number: int) -> Caption | None:
    """Return one version of a caption."""
    return tx.one(Caption, _VERSION, {"id": media_id, "version": number})


def take_turn(tx: Transaction, request_id: UUID, turn_at: datetime) -> None:
    """Note when it is a wish's turn; the first one counts."""
    tx.execute(_TURN, {"id": request_id, "turn_at": turn_at})


def approved(tx: Transaction, media_id: UUID, *, most: int) -> list[str]:
    """Return the texts of the newest approved captions of other media items."""
    return [row["text"] for row in tx.all(dict, _APPROVED, {"id": media_id, "most": most})]


def latest_requests(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, CaptionRequest]:
    """Return the newest wish of each media item that has one."""
    return {found.media_id: found for found in tx.all(CaptionRequest, _LATEST, {"ids": list(media_ids)})}


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> list[UUID]:
    """Delete captions and then the wishes that they came from; return the wishes' ids."""
    tx.execute(_DROP, {"ids": list(media_ids)})
    return [row["id"] for row in tx.all(dict, _DROP_REQUESTS, {"ids": list(media_ids)})]


def close_written(tx: Transaction, request_id: UUID, *, at: datetime) -> bool:
    """Note that a wish is fulfilled; False where it was closed before."""
    return tx.execute(_WRITTEN, {"id": request_id, "at": at}) == 1


def close_skipped(tx: Transaction, request_id: UUID, why: Skipped, *, at: datetime) -> bool:
    """Note why a wish is not fulfilled; False where it was closed before."""
    return tx.execute(_SKIPPED, {"id": request_id, "reason": why.reason, "detail": why.detail, "at": at}) == 1
