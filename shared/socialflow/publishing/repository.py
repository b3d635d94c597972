"""The SQL of posts as people see and change them. The ledger's own is in `ledger_repository`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.platform.database import Transaction
from socialflow.publishing.content import Content, Piece, Reply, Variant
from socialflow.publishing.model import Attempt, Post, PostState, Target

POST = """
SELECT p.id, p.version, p.state, p.text, p.variants, p.due_at, p.due_local, p.due_zone, p.approval_required,
       p.content_hash, p.approved_hash, p.approved_by, p.approved_at, p.reason, p.created_by, p.created_at,
       p.updated_at, p.slot, p.replies, p.series_id, p.request_sha256,
       (SELECT coalesce(jsonb_agg(m.piece ORDER BY m.position), '[]') FROM {s}.post_media m WHERE m.post_id = p.id)
       AS media
  FROM {s}.posts p
"""
_LOCK = POST + " WHERE p.id = %(id)s FOR NO KEY UPDATE OF p"
_ONE = POST + " WHERE p.id = %(id)s"
_INSERT = """
INSERT INTO {s}.posts (id, state, text, variants, replies, due_at, due_local, due_zone, slot, approval_required,
                       content_hash, request_sha256, created_by)
VALUES (%(id)s, %(state)s, %(text)s, %(variants)s, %(replies)s, %(due_at)s, %(due_local)s, %(due_zone)s, %(slot)s,
        %(approval_required)s, %(content_hash)s, %(request_sha256)s, %(created_by)s)
ON CONFLICT (id) DO NOTHING
"""
_VERSION = """
INSERT INTO {s}.post_versions (post_id, version, content, content_hash, author)
VALUES (%(post_id)s, %(version)s, %(content)s, %(content_hash)s, %(author)s)
"""
_MEDIA = """
INSERT INTO {s}.post_media (post_id, position, media_id, piece)
SELECT %(post_id)s, m.position - 1, (m.piece ->> 'id')::uuid, m.piece
  FROM jsonb_array_elements(%(media)s::jsonb) WITH ORDINALITY AS m (piece, position)
"""
_TARGET = """
INSERT INTO {s}.targets (id, post_id, account_id, position, network, remote_account, due_at, content_hash,
                         approval_required)
VALUES (%(id)s, %(post_id)s, %(account_id)s, %(position)s, %(network)s, %(remote_account)s, %(due_at)s,
        %(content_hash)s, %(approval_required)s)
"""
_TARGETS = """
SELECT id, post_id, account_id, network, remote_account, state, run, due_at, hold, content_hash, approval_required,
       approved_hash, prepared_hash, prepared, tries, next_at, attempt, lease, request, remote_id, remote_url,
       published_at, error_code, error_detail, deleted_at, route, prepared_route, position
  FROM {s}.targets WHERE post_id = ANY(%(posts)s) ORDER BY id
"""
_ATTEMPTS = """
SELECT a.id, a.target_id, a.account_id, a.attempt, a.key, a.content_hash, a.started_at, a.outcome, a.remote_id,
       a.remote_url, a.evidence, a.finished_at
  FROM {s}.attempts a JOIN {s}.targets t ON t.id = a.target_id
 WHERE t.post_id = %(post_id)s ORDER BY a.target_id, a.attempt
"""
_SAVE = """
UPDATE {s}.posts
   SET version = %(version)s, state = %(state)s, text = %(text)s, variants = %(variants)s, replies = %(replies)s,
       due_at = %(due_at)s, due_local = %(due_local)s, due_zone = %(due_zone)s, slot = %(slot)s,
       approval_required = %(approval_required)s, content_hash = %(content_hash)s, approved_hash = %(approved_hash)s,
       approved_by = %(approved_by)s, approved_at = %(approved_at)s, reason = %(reason)s, updated_at = now()
 WHERE id = %(id)s
RETURNING updated_at
"""
# What is planned again starts from the beginning: nothing that was prepared for other content or another time counts.
_PLAN = """
UPDATE {s}.targets
   SET state = 'scheduled', due_at = %(due_at)s, content_hash = %(content_hash)s, approved_hash = %(approved_hash)s,
       approval_required = %(approval_required)s, prepared_hash = NULL, prepared = NULL, tries = 0, next_at = NULL,
       lease = NULL, request = NULL, error_code = NULL, error_detail = NULL, updated_at = now()
 WHERE id = %(id)s AND state IN ('scheduled', 'preparing', 'prepared', 'failed', 'unconfirmed')
"""
_TAKEN_DOWN = """
UPDATE {s}.targets SET deleted_at = %(at)s, deleted_by = %(by)s, updated_at = now()
 WHERE id = %(id)s AND state = 'published' AND deleted_at IS NULL
"""
_DROP_TARGETS = "DELETE FROM {s}.targets WHERE post_id = %(post_id)s AND attempt = 0 AND NOT id = ANY(%(kept)s)"
_APPROVE = "UPDATE {s}.targets SET approved_hash = content_hash, updated_at = now() WHERE post_id = %(post_id)s"
_CANCEL = """
UPDATE {s}.targets
   SET state = CASE WHEN state = 'attempting' THEN state ELSE 'cancelled' END,
       request = CASE WHEN state = 'attempting' THEN 'cancel' END, updated_at = now()
 WHERE post_id = %(post_id)s AND state IN ('scheduled', 'preparing', 'prepared', 'attempting')
"""
_IS_OF_ANOTHER = """
SELECT EXISTS (SELECT FROM {s}.targets WHERE account_id = %(account)s AND remote_id = %(remote_id)s AND id <> %(id)s)
    OR EXISTS (SELECT FROM {s}.attempts
                WHERE account_id = %(account)s AND remote_id = %(remote_id)s AND target_id <> %(id)s)
"""
_IT_IS_THERE = """
UPDATE {s}.targets
   SET state = 'published', remote_id = %(remote_id)s, remote_url = %(remote_url)s, published_at = now(),
       error_code = NULL, error_detail = NULL, request = NULL, updated_at = now()
 WHERE id = %(id)s AND state = 'unconfirmed'
"""


@dataclass(frozen=True)
class Row:
    """A post as its row has it."""

    id: UUID
    version: int
    state: PostState
    text: str
    variants: dict[str, Any]
    replies: list[dict[str, Any]]
    due_at: datetime | None
    due_local: datetime | None
    due_zone: str | None
    approval_required: bool
    content_hash: bytes
    approved_hash: bytes | None
    approved_by: UUID | None
    approved_at: datetime | None
    reason: str | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    slot: str | None
    series_id: UUID | None
    request_sha256: bytes
    media: list[dict[str, Any]]

    def post(self) -> Post:
        return Post(
            id=self.id,
            version=self.version,
            state=self.state,
            content=Content(
                text=self.text,
                media=tuple(Piece.of(piece) for piece in self.media),
                variants={network: Variant.of(variant) for network, variant in self.variants.items()},
                replies=tuple(Reply.of(reply) for reply in self.replies),
            ),
            content_hash=self.content_hash,
            due_at=self.due_at,
            due_local=self.due_local,
            due_zone=self.due_zone,
            approval_required=self.approval_required,
            approved_hash=self.approved_hash,
            approved_by=self.approved_by,
            approved_at=self.approved_at,
            reason=self.reason,
            created_by=self.created_by,
            created_at=self.created_at,
            updated_at=self.updated_at,
            slot=self.slot,
            series_id=self.series_id,
        )


def insert(tx: Transaction, post: Post, request_sha256: bytes) -> bool:
    """Insert a post with its media and its first version; False where the id is taken."""
    values = _values(post) | {"request_sha256": request_sha256, "created_by": post.created_by}
    if tx.execute(_INSERT, values) == 0:
        return False
    _write_media(tx, post)
    note_version(tx, post, post.created_by)
    return True


def insert_target(tx: Transaction, target: Target) -> None:
    """Insert one target of a post."""
    tx.execute(
        _TARGET,
        {
            "id": target.id,
            "post_id": target.post_id,
            "account_id": target.account_id,
            "position": target.position,
            "network": target.network,
            "remote_account": target.remote_account,
            "due_at": target.due_at,
            "content_hash": target.content_hash,
            "approval_required": target.approval_required,
        },
    )


def note_version(tx: Transaction, post: Post, author: UUID) -> None:
    """Keep what the post says now, for the record."""
    tx.execute(
        _VERSION,
        {
            "post_id": post.id,
            "version": post.version,
            "content": Jsonb(post.content.document()),
            "content_hash": post.content_hash,
            "author": author,
        },
    )


def save(tx: Transaction, post: Post) -> None:
    """Write a locked post back."""
    tx.execute(_SAVE, _values(post))


def save_media(tx: Transaction, post: Post) -> None:
    """Write a locked post's media, in order."""
    tx.execute("DELETE FROM {s}.post_media WHERE post_id = %(id)s", {"id": post.id})
    _write_media(tx, post)


def lock(tx: Transaction, post_id: UUID) -> Post | None:
    """Return a post, locked until the commit: whoever changes anything of a post takes this lock first."""
    row = tx.one(Row, _LOCK, {"id": post_id})
    return row.post() if row else None


def find(tx: Transaction, post_id: UUID) -> Post | None:
    """Return a post."""
    row = tx.one(Row, _ONE, {"id": post_id})
    return row.post() if row else None


def request_of(tx: Transaction, post_id: UUID) -> bytes | None:
    """Return the hash of the request that made a post."""
    found: bytes | None = tx.value("SELECT request_sha256 FROM {s}.posts WHERE id = %(id)s", {"id": post_id})
    return found


def targets(tx: Transaction, post_ids: Sequence[UUID]) -> list[Target]:
    """Return the targets of posts, in the order in which they were made."""
    return tx.all(Target, _TARGETS, {"posts": list(post_ids)})


def attempts(tx: Transaction, post_id: UUID) -> list[Attempt]:
    """Return every attempt at a post's targets."""
    return tx.all(Attempt, _ATTEMPTS, {"post_id": post_id})


def plan(tx: Transaction, target: Target) -> None:
    """Send a target back to the start of its way, with its content, due time and approval."""
    tx.execute(
        _PLAN,
        {
            "id": target.id,
            "due_at": target.due_at,
            "content_hash": target.content_hash,
            "approved_hash": target.approved_hash,
            "approval_required": target.approval_required,
        },
    )


def drop_targets(tx: Transaction, post_id: UUID, kept: Sequence[UUID]) -> None:
    """Remove the targets that a post no longer has; one that was attempted is never removed."""
    tx.execute(_DROP_TARGETS, {"post_id": post_id, "kept": list(kept)})


def approve_targets(tx: Transaction, post_id: UUID) -> None:
    """Approve every target's present content."""
    tx.execute(_APPROVE, {"post_id": post_id})


def cancel_targets(tx: Transaction, post_id: UUID) -> int:
    """Cancel what has not begun and ask it of what has; return how many targets that were."""
    return tx.execute(_CANCEL, {"post_id": post_id})


def is_of_another(tx: Transaction, target: Target, remote_id: str) -> bool:
    """Tell whether another target of the same account has a status as its receipt."""
    values = {"account": target.account_id, "remote_id": remote_id, "id": target.id}
    return tx.value(_IS_OF_ANOTHER, values) is True


def it_is_there(tx: Transaction, target_id: UUID, remote_id: str, remote_url: str | None) -> bool:
    """Take a person's word for a target's receipt; False where its outcome is known."""
    values = {"id": target_id, "remote_id": remote_id, "remote_url": remote_url}
    return tx.execute(_IT_IS_THERE, values) == 1


def _write_media(tx: Transaction, post: Post) -> None:
    media = [piece.document() for piece in post.content.media]
    tx.execute(_MEDIA, {"post_id": post.id, "media": Jsonb(media)})


def _values(post: Post) -> dict[str, Any]:
    variants = {network: variant.document() for network, variant in post.content.variants.items()}
    return {
        "id": post.id,
        "version": post.version,
        "state": post.state,
        "text": post.content.text,
        "variants": Jsonb(variants),
        "replies": Jsonb([reply.document() for reply in post.content.replies]),
        "due_at": post.due_at,
        "due_local": post.due_local,
        "due_zone": post.due_zone,
        "slot": post.slot,
        "approval_required": post.approval_required,
        "content_hash": post.content_hash,
        "approved_hash": post.approved_hash,
        "approved_by": post.approved_by,
        "approved_at": post.approved_at,
        "reason": post.reason,
    }


def taken_down(tx: Transaction, target_id: UUID, *, by: UUID, at: datetime) -> bool:
    """Write that a target was deleted at its network; False where that is known, or it is not out."""
    return tx.execute(_TAKEN_DOWN, {"id": target_id, "by": by, "at": at}) == 1
