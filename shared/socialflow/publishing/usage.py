"""Which posts have a media item: who deletes it is told, and no post that needs it is left to find out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing import repository
from socialflow.publishing.asking import locked
from socialflow.publishing.model import PostState, editable
from socialflow.publishing.refusals import PostNotEditable

PLANNED: tuple[PostState, ...] = ("awaiting_approval", "scheduled", "held")
"""Left alone, they would go out with it."""

_USED = """
SELECT m.id FROM unnest(%(ids)s::uuid[]) m (id)
 WHERE EXISTS (SELECT FROM {s}.posts_with(m.id) p WHERE p.state <> 'cancelled')
"""
# What is out, and what was called off, needs no file any more.
_NEEDS = """
SELECT DISTINCT m.id AS media_id, p.post_id, p.state
  FROM unnest(%(ids)s::uuid[]) m (id) CROSS JOIN LATERAL {s}.posts_with(m.id) p
 WHERE p.state NOT IN ('published', 'cancelled') ORDER BY m.id, p.post_id
"""
_LOCK = """
SELECT id FROM {s}.posts
 WHERE id IN (SELECT p.post_id FROM unnest(%(ids)s::uuid[]) m (id) CROSS JOIN LATERAL {s}.posts_with(m.id) p)
 ORDER BY id FOR NO KEY UPDATE
"""


@dataclass(frozen=True)
class Need:
    """A post that needs a media item, and where the post stands."""

    media_id: UUID
    post_id: UUID
    state: PostState

    @property
    def leaving(self) -> bool:
        """Whether the post is on its way out right now."""
        return self.state == "publishing"

    @property
    def planned(self) -> bool:
        """Whether the post would go out at its time."""
        return self.state in PLANNED


def used(tx: Transaction, media_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of these media items are in a post that is not cancelled."""
    return frozenset(row["id"] for row in tx.all(dict, _USED, {"ids": list(media_ids)}))


def needs(tx: Transaction, media_ids: Sequence[UUID]) -> list[Need]:
    """Return the posts that need media items which the caller has locked: no post comes to need them meanwhile."""
    return tx.all(Need, _NEEDS, {"ids": list(media_ids)})


def hold(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Lock the posts that have media items: where they stand then stays so until the commit."""
    tx.execute(_LOCK, {"ids": list(media_ids)})


def release(tx: Transaction, post_ids: Iterable[UUID], *, reason: str) -> None:
    """Make drafts of planned posts, without their time and approval; raises `PostNotEditable`.

    The media item stays in the draft: until its author puts another in its place, it cannot be scheduled.
    """
    for post_id in sorted(set(post_ids)):
        post, targets = locked(tx, post_id), repository.targets(tx, [post_id])
        if post.state not in PLANNED or not editable(post, targets):
            raise PostNotEditable(f"The post {post_id} is {post.state}: wait until it is out.", state=post.state)
        draft = replace(post, version=post.version + 1, state="draft", due_at=None, due_local=None, due_zone=None)
        repository.save(tx, replace(draft, approved_hash=None, approved_by=None, approved_at=None, reason=reason))
        for target in targets:
            repository.plan(tx, replace(target, due_at=None, approved_hash=None))
