"""Webhooks are repeated until they are answered: each message is taken once."""

from typing import Literal

from socialflow.platform.database import Connection

_TAKE = "INSERT INTO control.webhook_receipts (source, id) VALUES (%s, %s) ON CONFLICT DO NOTHING"

LONGEST_ID = 255


def take_once(connection: Connection, source: Literal["clerk", "stripe"], message: str) -> bool:
    """Note that a message is taken; False where it was before. In the transaction of its effect: both, or neither."""
    return connection.execute(_TAKE, (source, message)).rowcount == 1
