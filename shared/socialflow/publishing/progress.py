"""A post's state follows from its targets': it is worked out here after every change, and told once."""

from collections.abc import Sequence
from dataclasses import replace

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as ledger
from socialflow.publishing import repository
from socialflow.publishing.events import SETTLED, PostCancelled
from socialflow.publishing.model import PLANNED, Post, Target, answered, lost, settled_state

KIND: work.Kind = "publish"
ANSWERS_NOTHING = "answers-nothing"
"""Why a reply is not begun: what it answers is not out."""
_WHY = "What it answers is not out. Settle that first: the reply follows by itself."


def refresh(tx: Transaction, post: Post) -> tuple[Post, list[Target]]:
    """Bring a locked post's state up to its targets'; a state that is an end is told as a fact."""
    targets = _followed(tx, repository.targets(tx, [post.id]))
    state = settled_state(post, targets)
    if not ledger.set_state(tx, post.id, state):
        return post, targets
    if state == "cancelled":
        tx.emit(PostCancelled(subject_id=post.id))
    if state in SETTLED:
        tx.emit(SETTLED[state](subject_id=post.id, targets=[_told(target) for target in targets]))
    return replace(post, state=state), targets


def _followed(tx: Transaction, targets: Sequence[Target]) -> list[Target]:
    """Give up replies to what will not be out, and take them up again when it may be; return the targets as they are.

    The first come first: what becomes of one decides over the next.
    """
    now = {target.id: target for target in targets}
    for target in sorted(targets, key=lambda one: one.position):
        before = answered(target, list(now.values()))
        if before is None:
            continue
        if target.state in PLANNED and lost(before):
            ledger.fail(tx, target, code=ANSWERS_NOTHING, detail=_WHY)
            now[target.id] = replace(target, state="failed", error_code=ANSWERS_NOTHING, error_detail=_WHY)
        elif (target.state, target.error_code) == ("failed", ANSWERS_NOTHING) and not lost(before):
            again = replace(target, state="scheduled", due_at=before.due_at, error_code=None, error_detail=None)
            repository.plan(tx, again)
            now[target.id] = again
            if before.due_at is not None:
                work.schedule(tx, KIND, target.post_id, wake_at=before.due_at)
    return [now[target.id] for target in targets]


def _told(target: Target) -> dict[str, str | None]:
    return {
        "id": str(target.id),
        "state": target.state,
        "remote_id": target.remote_id,
        "code": target.error_code,
    }
