"""What the use cases of posts have in common: who asks, the lock, the version, the work row."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.publishing import repository
from socialflow.publishing.model import Pace, Post, Target
from socialflow.publishing.progress import KIND
from socialflow.publishing.refusals import PostChanged, UnknownPost, UnknownTarget


@dataclass(frozen=True)
class Asked:
    """Who asks for something, when, and the stage's times."""

    by: UUID
    at: datetime
    pace: Pace


def schedule(tx: Transaction, post_id: UUID, due_at: datetime, asked: Asked) -> None:
    """Ask for the post's workflow: now, or when its due time comes within the horizon."""
    work.schedule(tx, KIND, post_id, wake_at=max(asked.at, due_at - asked.pace.horizon))


def locked(tx: Transaction, post_id: UUID, version: int | None = None) -> Post:
    """Return a post, locked; raises `UnknownPost`, and `PostChanged` where it is not of the version that was seen."""
    post = repository.lock(tx, post_id)
    if post is None:
        raise unknown()
    if version is not None and version != post.version:
        raise changed(post)
    return post


def target_of(tx: Transaction, post_id: UUID, target_id: UUID) -> tuple[Post, Target]:
    """Return a locked post and one of its targets; raises `UnknownPost`, `UnknownTarget`."""
    post = locked(tx, post_id)
    for target in repository.targets(tx, [post_id]):
        if target.id == target_id:
            return post, target
    raise UnknownTarget("The post has no such target.", target_id=str(target_id))


def changed(post: Post) -> PostChanged:
    """Return the refusal of a request that was made of another version, with the present one."""
    return PostChanged(
        "Read it again and repeat what you want of the post as it is now.",
        current_version=post.version,
        content_hash=post.content_hash.hex(),
    )


def unknown() -> UnknownPost:
    """Return the refusal of a post that is not there."""
    return UnknownPost("There is no such post. GET /v1/posts lists them.")
