"""Looking at the audit in tests, as the owner of the database."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Line:
    """A row of the audit."""

    seq: int
    actor_kind: str
    actor_name: str
    actor_id: Any
    request_id: str
    address: str
    action: str
    subject_id: str
    changes: dict[str, Any]

    @property
    def told(self) -> str:
        """Action and kind of actor, with the state that came of it."""
        state = self.changes.get("state")
        return f"{self.action} by {self.actor_kind}" + (f": {state[1]}" if state else "")


def lines(owner: psycopg.Connection, place: str = "t_acme", *, chain: str = "workspace", after: int = 0) -> list[Line]:
    """Return the rows of a chain after a number."""
    query = (
        "SELECT seq, actor_kind, actor_name, actor_id, request_id, address, action, subject_id, changes"
        f" FROM {place}.audit_log WHERE chain = %s AND seq > %s ORDER BY seq"
    )
    with owner.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(query, (chain, after)).fetchall()


def text_of(owner: psycopg.Connection, place: str = "t_acme") -> str:
    """Return everything that the audit holds, as one text."""
    found = owner.execute(f"SELECT coalesce(string_agg(l::text, E'\\n'), '') FROM {place}.audit_log l").fetchone()
    assert found is not None
    return str(found[0])
