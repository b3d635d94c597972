"""Somebody tells of an attempt's outcome unasked: that is a hint, and the network is asked. Asking stays the rule."""

from datetime import datetime
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.publishing.events import PostReported
from socialflow.publishing.progress import KIND

# An attempt whose answer nobody has written yet may still get it: nobody else judges it before its lease is over.
_PULL_FORWARD = """
UPDATE {s}.targets t SET lease = now(), updated_at = now()
 WHERE t.id = %(id)s AND t.route = 'late' AND t.state = 'attempting' AND t.lease > now()
   AND t.prepared ->> 'post_id' = %(post_id)s
   AND EXISTS (SELECT FROM {s}.attempts a
                WHERE a.target_id = t.id AND a.attempt = t.attempt AND a.outcome = 'unconfirmed')
RETURNING t.post_id
"""


def ask_soon(tx: Transaction, target_id: UUID, late_post: str, *, at: datetime) -> bool:
    """Have Late asked now for what became of a target; False where it is not waited for, or not that post."""
    post_id: UUID | None = tx.value(_PULL_FORWARD, {"id": target_id, "post_id": late_post})
    if post_id is None:
        return False
    work.schedule(tx, KIND, post_id, wake_at=at)
    tx.emit(PostReported(subject_id=post_id))
    return True
