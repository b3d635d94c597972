"""The SQL of tenants' own keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from socialflow.platform.database import Transaction

_COLUMNS = "provider, secret, hint, base_url, model, version, verified_at"
_PUT = f"""
INSERT INTO {{s}}.ai_keys AS k (provider, secret, hint, base_url, model, verified_at, set_by)
VALUES (%(provider)s, %(secret)s, %(hint)s, %(base_url)s, %(model)s, %(at)s, %(by)s)
ON CONFLICT (provider) DO UPDATE
   SET secret = excluded.secret, hint = excluded.hint, base_url = excluded.base_url, model = excluded.model,
       verified_at = excluded.verified_at, set_by = excluded.set_by, version = k.version + 1
RETURNING {_COLUMNS}
"""
_ALL = f"SELECT {_COLUMNS} FROM {{s}}.ai_keys ORDER BY provider"
_DELETE = "DELETE FROM {s}.ai_keys WHERE provider = %(provider)s"


@dataclass(frozen=True)
class StoredKey:
    """A key as it is kept: sealed."""

    provider: str
    secret: bytes = field(repr=False)
    hint: str
    base_url: str | None
    model: str | None
    version: int
    verified_at: datetime


def put(tx: Transaction, row: Mapping[str, Any]) -> StoredKey:
    """Write a key, in the place of the one that was there."""
    kept = tx.one(StoredKey, _PUT, row)
    assert kept is not None
    return kept


def all_of(tx: Transaction) -> list[StoredKey]:
    """Return the keys, by provider."""
    return tx.all(StoredKey, _ALL)


def delete(tx: Transaction, provider: str) -> bool:
    """Delete a key; False where there is none."""
    return tx.execute(_DELETE, {"provider": provider}) == 1
