"""The SQL of sign-ins under way."""

from datetime import datetime
from uuid import UUID

from socialflow.accounts.model import Connection, ConnectionState
from socialflow.platform.database import Transaction

_ADD = """
INSERT INTO {s}.account_connections
       (id, network, base_url, redirect_uri, state_sha256, secret, begun_by, begun_at, expires_at)
VALUES (%(id)s, %(network)s, %(base_url)s, %(redirect_uri)s, %(state_sha256)s, %(secret)s, %(by)s, %(at)s, %(ends)s)
"""
_LOCK = """
SELECT id, network, base_url, redirect_uri, state, state_sha256, secret, begun_by, expires_at
  FROM {s}.account_connections WHERE id = %(id)s FOR UPDATE
"""
_SET_STATE = "UPDATE {s}.account_connections SET state = %(state)s, secret = %(secret)s WHERE id = %(id)s"
_FORGET = "DELETE FROM {s}.account_connections WHERE expires_at < %(before)s"


def add(tx: Transaction, connection: Connection, *, at: datetime) -> None:
    """Write a sign-in."""
    values = {
        "id": connection.id,
        "network": connection.network,
        "base_url": connection.base_url,
        "redirect_uri": connection.redirect_uri,
        "state_sha256": connection.state_sha256,
        "secret": connection.secret,
        "by": connection.begun_by,
        "at": at,
        "ends": connection.expires_at,
    }
    tx.execute(_ADD, values)


def lock(tx: Transaction, connection_id: UUID) -> Connection | None:
    """Return a sign-in, locked until the commit."""
    return tx.one(Connection, _LOCK, {"id": connection_id})


def set_state(tx: Transaction, connection_id: UUID, state: ConnectionState, *, secret: bytes) -> None:
    """Write how a sign-in stands, and its secret."""
    tx.execute(_SET_STATE, {"id": connection_id, "state": state, "secret": secret})


def forget(tx: Transaction, *, before: datetime) -> int:
    """Delete sign-ins that ended before a moment."""
    return tx.execute(_FORGET, {"before": before})
