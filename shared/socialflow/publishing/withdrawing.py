"""What was prepared at Late for a target that was cancelled lies there as a draft, where a hand could send it: it goes.

Anything else that networks were given ahead is seen by nobody, and they throw it away by themselves.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing.content import idempotency_key

_LEFT = """
SELECT id, account_id, prepared, prepared_hash FROM {s}.targets
 WHERE state = 'cancelled' AND prepared_route = 'late' AND prepared IS NOT NULL AND prepared_hash IS NOT NULL
   AND EXISTS (SELECT FROM {s}.late_keys)
 ORDER BY updated_at LIMIT %(limit)s
"""
_GONE = "UPDATE {s}.targets SET prepared = NULL, updated_at = now() WHERE id = %(id)s AND state = 'cancelled'"


@dataclass(frozen=True)
class Left:
    """What is left at Late of a cancelled target: `prepared`, made under the key of its content."""

    id: UUID
    account_id: UUID
    prepared: dict[str, Any]
    prepared_hash: bytes

    @property
    def key(self) -> str:
        """The key that it was prepared under."""
        return idempotency_key(self.id, self.prepared_hash)


def left(tx: Transaction, *, limit: int) -> list[Left]:
    """Return what lies at Late for nothing, the oldest first."""
    return tx.all(Left, _LEFT, {"limit": limit})


def gone(tx: Transaction, one: Left) -> None:
    """Write that nothing of it lies there any more. A cancelled target is never prepared again."""
    tx.execute(_GONE, {"id": one.id})
