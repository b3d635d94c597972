"""A row of the audit, the hash that it must have, and what is wrong with a chain that was tampered with."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

WORKSPACE = "workspace"
"""The chain of a tenant's own rows; the registry's chain of a tenant has the tenant's id for a name."""

EVERYBODY = ""
"""A cell's chain of what concerns all its tenants; the one of a tenant has its slug for a name."""

Reason = Literal["changed", "unlinked", "missing", "beyond-head", "head-differs", "no-head", "anchor-differs"]


@dataclass(frozen=True)
class Row:
    """A change. `item` (the changed row's key) and `changes` (of each field [before, after]) are JSON as text."""

    chain: str
    seq: int
    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    request_id: str
    address: str
    action: str
    subject_type: str
    subject_id: str
    item: str
    changes: str
    prev_hash: bytes
    hash: bytes

    def digest(self) -> bytes:
        """Return the hash that the row must have: over each field with its length in bytes, and the hash before it."""
        return hashlib.sha256(",".join(map(_framed, self._hashed())).encode()).digest()

    def _hashed(self) -> list[str | None]:
        actor = [self.actor_kind, str(self.actor_id) if self.actor_id else None, self.actor_name]
        subject = [self.action, self.subject_type, self.subject_id, self.item, self.changes]
        start = [self.chain, str(self.seq), str(self.id), _moment(self.at)]
        return [*start, *actor, self.request_id, self.address, *subject, self.prev_hash.hex()]

    def texts(self) -> dict[str, Any]:
        """Return the row as it is exported: ids, times and hashes as text, JSON as it is."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        actor = str(self.actor_id) if self.actor_id else None
        hashes = {"prev_hash": self.prev_hash.hex(), "hash": self.hash.hex()}
        return {**found, "id": str(self.id), "at": _moment(self.at), "actor_id": actor, **hashes}


@dataclass(frozen=True)
class Filters:
    """Which rows are asked for; None is any. `action` is `post.update`, or `post` for every change of posts."""

    actor: UUID | None = None
    actor_kind: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    action: str | None = None
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Head:
    """How a chain began and where it ends; `newest` is the last number that its rows have."""

    genesis: bytes
    seq: int
    hash: bytes
    newest: int


@dataclass(frozen=True)
class Anchor:
    """A head that somebody has kept elsewhere: a chain that was written anew as a whole does not contain it."""

    seq: int
    hash: bytes


@dataclass(frozen=True)
class Finding:
    """The first thing wrong with a chain."""

    seq: int
    reason: Reason


class Walk:
    """Walks a chain from its beginning and stops at the first row that is not as it was written."""

    def __init__(self, head: Head | None, anchor: Anchor | None = None) -> None:
        """Begin at the genesis; a chain without a head may have no rows."""
        self.head = head
        self.anchor = anchor
        self.rows = 0
        self.found: Finding | None = None
        self._hash = head.genesis if head else b""

    def take(self, rows: Iterable[Row]) -> bool:
        """Take the next rows in their order; False once something is wrong."""
        for row in rows:
            reason = self._wrong(row)
            if reason:
                self.found = Finding(self.rows + 1, reason)
                return False
            self.rows += 1
            self._hash = row.hash
        return True

    def end(self) -> Finding | None:
        """Say that no more rows come, and return what is wrong, if anything is."""
        if self.found is None and self.head is not None:
            if self.rows < self.head.seq:
                self.found = Finding(self.rows + 1, "missing")
            elif self._hash != self.head.hash:
                self.found = Finding(self.rows, "head-differs")
            elif self.head.newest > self.head.seq:
                self.found = Finding(self.head.seq + 1, "beyond-head")
        if self.found is None and self.anchor is not None and self.anchor.seq > self.rows:
            self.found = Finding(self.rows + 1, "anchor-differs")
        return self.found

    def _wrong(self, row: Row) -> Reason | None:
        if self.head is None:
            return "no-head"
        if row.seq != self.rows + 1:
            return "missing"
        if row.digest() != row.hash:
            return "changed"
        if row.prev_hash != self._hash:
            return "unlinked"
        if self.anchor is not None and row.seq == self.anchor.seq and row.hash != self.anchor.hash:
            return "anchor-differs"
        return None


def of_line(line: str) -> Row:
    """Return the row that a line of an NDJSON export is of: what has left can be verified without the database."""
    told: dict[str, Any] = json.loads(line, parse_float=Decimal)
    actor = told["actor_id"]
    found = {
        "id": UUID(told["id"]),
        "at": datetime.fromisoformat(told["at"]),
        "actor_id": UUID(actor) if actor else None,
        "item": canonical(told["item"]),
        "changes": canonical(told["changes"]),
        "prev_hash": bytes.fromhex(told["prev_hash"]),
        "hash": bytes.fromhex(told["hash"]),
    }
    return Row(**{**told, **found})


def canonical(value: object) -> str:
    """Return JSON as PostgreSQL writes a `jsonb`: keys by their length and then their bytes, digits as they are."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{canonical(key)}: {canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _framed(text: str | None) -> str:
    return "-" if text is None else f"{len(text.encode())}:{text}"
