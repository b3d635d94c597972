"""Webhooks are repeated until they are answered: each message is taken once."""

from datetime import timedelta
from typing import Literal

from socialflow.platform.database import Connection

_TAKE = "INSERT INTO control.webhook_receipts (source, id) VALUES (%s, %s) ON CONFLICT DO NOTHING"

# Bounded, so that a backlog is no statement without an end; the next day's takes the next ones.
_PRUNE = """
DELETE FROM control.webhook_receipts WHERE (source, id) IN (
    SELECT source, id FROM control.webhook_receipts WHERE received_at < now() - %s ORDER BY received_at LIMIT %s)
"""

LONGEST_ID = 255
KEPT = timedelta(days=30)
"""How long it is known that a message was taken: senders repeat for days, and nobody believes one signed long ago."""
_PRUNED = 100_000


def take_once(connection: Connection, source: Literal["clerk", "late", "stripe"], message: str) -> bool:
    """Note that a message is taken; False where it was before. In the transaction of its effect: both, or neither."""
    return connection.execute(_TAKE, (source, message)).rowcount == 1


def prune(connection: Connection) -> int:
    """Forget messages that nobody will send again; return how many."""
    return connection.execute(_PRUNE, (KEPT, _PRUNED)).rowcount
