"""What people decide about a post that is made: approve, reject, cancel, retry, resolve."""

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from socialflow.errors import FieldError, Invalid
from socialflow.platform.database import Transaction
from socialflow.publishing import repository
from socialflow.publishing.asking import Asked, changed, locked, schedule, target_of
from socialflow.publishing.events import PostApproved, PostCancelled, PostRejected, PostRescheduled
from socialflow.publishing.model import Post, Target, answered, lost
from socialflow.publishing.progress import refresh
from socialflow.publishing.refusals import (
    ApprovalTooLate,
    NothingToApprove,
    NothingToCancel,
    NothingToResolve,
    NothingToRetry,
)
from socialflow.publishing.service import Detail, get

ANSWER = timedelta(minutes=1)
"""How long the answer to a waiting run may take."""


@dataclass(frozen=True)
class Seen:
    """What a person had before them when they decided: content hash, version, or both."""

    content_hash: bytes | None = None
    version: int | None = None


def approve(tx: Transaction, post_id: UUID, seen: Seen, asked: Asked) -> Detail:
    """Approve exactly what was seen; the workflow wakes on `PostApproved`, after the commit."""
    post = _awaiting(tx, post_id, seen)
    if post.due_at is None or post.due_at <= asked.at:
        raise ApprovalTooLate("Its time has passed: reschedule it with PATCH publish_at, then approve it.")
    repository.save(
        tx,
        replace(
            post,
            version=post.version + 1,
            state="scheduled",
            approved_hash=post.content_hash,
            approved_by=asked.by,
            approved_at=asked.at,
            reason=None,
        ),
    )
    repository.approve_targets(tx, post_id)
    # The token's answer brings the run on at once; should it get lost, another run begins in a minute.
    schedule(tx, post_id, post.due_at, replace(asked, at=asked.at + ANSWER))
    tx.emit(PostApproved(subject_id=post_id, by=asked.by, content_hash=post.content_hash.hex()))
    return get(tx, post_id)


def reject(tx: Transaction, post_id: UUID, seen: Seen, asked: Asked, *, reason: str) -> Detail:
    """Send a post back to its author: it is a draft again, with the reason."""
    post = _awaiting(tx, post_id, seen)
    back = replace(
        post,
        version=post.version + 1,
        state="draft",
        due_at=None,
        due_local=None,
        due_zone=None,
        slot=None,
        reason=reason,
    )
    repository.save(tx, back)
    for target in repository.targets(tx, [post_id]):
        repository.plan(tx, replace(target, due_at=None, approved_hash=None))
    tx.emit(PostRejected(subject_id=post_id, by=asked.by))
    return get(tx, post_id)


def _awaiting(tx: Transaction, post_id: UUID, seen: Seen) -> Post:
    post = locked(tx, post_id, seen.version)
    if seen.content_hash is not None and seen.content_hash != post.content_hash:
        raise changed(post)
    if post.state != "awaiting_approval":
        raise NothingToApprove(f"The post is {post.state.replace('_', ' ')}.", state=post.state)
    return post


def cancel(tx: Transaction, post_id: UUID, *, version: int | None = None) -> Detail:
    """Stop what has not begun; ask it of what has: that settles when its outcome is known."""
    post = locked(tx, post_id, version)
    targets = repository.targets(tx, [post_id])
    stopped = repository.cancel_targets(tx, post_id)
    if not stopped and (targets or post.state != "draft"):
        raise NothingToCancel(f"The post is {post.state}: nothing of it is left to stop.", state=post.state)
    bumped = replace(post, version=post.version + 1, state=post.state if targets else "cancelled")
    repository.save(tx, bumped)
    if not targets:
        tx.emit(PostCancelled(subject_id=post_id))
    refresh(tx, bumped)
    return get(tx, post_id)


def retry(tx: Transaction, post_id: UUID, target_id: UUID, asked: Asked) -> Detail:
    """Try a failed target again, now or at its time, with the same content."""
    post, target = target_of(tx, post_id, target_id)
    if target.state != "failed":
        raise NothingToRetry(f"The target is {target.state}.", state=target.state)
    before = answered(target, repository.targets(tx, [post_id]))
    if before is not None and lost(before):
        raise NothingToRetry("What it answers is not out: settle that first, and the reply follows.")
    if not target.approved:
        raise NothingToRetry("It was not approved in time: reschedule the post with PATCH publish_at.")
    _again(tx, post, target, asked)
    return get(tx, post_id)


def it_is_there(
    tx: Transaction, post_id: UUID, target_id: UUID, *, remote_id: str | None, remote_url: str | None
) -> Detail:
    """Take a person's word that an unconfirmed target is out."""
    post, target = target_of(tx, post_id, target_id)
    found = remote_id or _last_part(remote_url or "")
    if not found:
        detail = "Say which post it is: its remote_id or its address (url)."
        raise Invalid(detail, errors=[FieldError("/remote_id", "missing", detail)])
    if repository.is_of_another(tx, target, found):
        detail = "That is another post of this account's: look for the one that has no receipt here."
        raise Invalid(detail, errors=[FieldError("/remote_id", "another-post", detail)])
    if not repository.it_is_there(tx, target_id, found, remote_url):
        raise NothingToResolve(f"The target is {target.state}.", state=target.state)
    refresh(tx, post)
    return get(tx, post_id)


def _last_part(address: str) -> str:
    """Return what names a post in its address: the end of it, without what sharing adds."""
    try:
        return urlsplit(address).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def post_again(tx: Transaction, post_id: UUID, target_id: UUID, asked: Asked) -> Detail:
    """Send an unconfirmed target again, because a person has looked and it is not there."""
    post, target = target_of(tx, post_id, target_id)
    if target.state != "unconfirmed":
        raise NothingToResolve(f"The target is {target.state}.", state=target.state)
    _again(tx, post, target, asked)
    return get(tx, post_id)


def _again(tx: Transaction, post: Post, target: Target, asked: Asked) -> None:
    now = asked.at.replace(microsecond=0)
    due_at = max(target.due_at or now, now)
    repository.plan(tx, replace(target, due_at=due_at))
    refresh(tx, post)
    schedule(tx, post.id, due_at, asked)
    tx.emit(PostRescheduled(subject_id=post.id, due_at=due_at))
