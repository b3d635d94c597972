"""A post's state follows from its targets': it is worked out here after every change, and told once."""

from dataclasses import replace

from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as ledger
from socialflow.publishing import repository
from socialflow.publishing.events import SETTLED, PostCancelled
from socialflow.publishing.model import Post, Target, settled_state


def refresh(tx: Transaction, post: Post) -> tuple[Post, list[Target]]:
    """Bring a locked post's state up to its targets'; a state that is an end is told as a fact."""
    targets = repository.targets(tx, [post.id])
    state = settled_state(post, targets)
    if not ledger.set_state(tx, post.id, state):
        return post, targets
    if state == "cancelled":
        tx.emit(PostCancelled(subject_id=post.id))
    if state in SETTLED:
        tx.emit(SETTLED[state](subject_id=post.id, targets=[_told(target) for target in targets]))
    return replace(post, state=state), targets


def _told(target: Target) -> dict[str, str | None]:
    return {
        "id": str(target.id),
        "state": target.state,
        "remote_id": target.remote_id,
        "code": target.error_code,
    }
