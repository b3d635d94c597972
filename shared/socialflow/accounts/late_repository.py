"""The SQL of Late: the tenant's key, which accounts are connected there, and by which way a network is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.accounts.model import Account, LateKey, Profile, Route
from socialflow.accounts.repository import COLUMNS
from socialflow.platform.database import Connection, Transaction
from socialflow.platform.ids import new_id

# The row is locked from here on: of two that set the key at once, one comes after the other.
_KEEP = """
INSERT INTO {s}.late_keys AS k (secret, webhook_token, webhook_secret, verified_at, set_by)
VALUES (%(secret)s, %(webhook_token)s, %(webhook_secret)s, %(at)s, %(by)s)
ON CONFLICT (id) DO UPDATE
   SET secret = excluded.secret, verified_at = excluded.verified_at, set_by = excluded.set_by, version = k.version + 1,
       webhook_token = CASE WHEN %(renew)s THEN excluded.webhook_token ELSE k.webhook_token END,
       webhook_secret = CASE WHEN %(renew)s THEN excluded.webhook_secret ELSE k.webhook_secret END
RETURNING webhook_token, webhook_secret, verified_at, set_by
"""
_KEY = "SELECT webhook_token, webhook_secret, verified_at, set_by FROM {s}.late_keys"
_DROP_KEY = "DELETE FROM {s}.late_keys"
_FREE = """
UPDATE {s}.social_accounts SET late_account = NULL WHERE late_account = %(late_account)s AND id <> %(id)s
"""
# Its own network's id of it says that an account which is connected directly is the same.
_SAME = """
SELECT id FROM {s}.social_accounts
 WHERE state <> 'disconnected' AND network = %(network)s
   AND (late_account = %(late_account)s OR remote_account = %(remote_account)s)
 ORDER BY late_account = %(late_account)s DESC NULLS LAST, connected_at LIMIT 1 FOR UPDATE
"""
_LINK = "UPDATE {s}.social_accounts SET late_account = %(late_account)s WHERE id = %(id)s"
_ADD = """
INSERT INTO {s}.social_accounts AS a
       (id, network, base_url, remote_account, remote_name, secret, late_account, connected_by, connected_at)
VALUES (%(id)s, %(network)s, %(base_url)s, %(remote_account)s, %(remote_name)s, '', %(late_account)s, %(by)s, %(at)s)
ON CONFLICT (network, base_url, remote_account) DO UPDATE
   SET state = 'connected', late_account = excluded.late_account, remote_name = excluded.remote_name,
       connected_by = excluded.connected_by, connected_at = excluded.connected_at,
       secret = CASE WHEN a.state = 'disconnected' THEN '' ELSE a.secret END, revoke_until = NULL
RETURNING id
"""
_LINKED = "SELECT " + COLUMNS + " FROM {s}.social_accounts WHERE late_account IS NOT NULL ORDER BY connected_at, id"
_UNLINK = """
UPDATE {s}.social_accounts
   SET late_account = NULL, state = CASE WHEN secret = '' THEN 'disconnected' ELSE state END
 WHERE late_account IS NOT NULL AND NOT late_account = ANY(%(kept)s)
RETURNING id, network, state = 'disconnected' AS is_gone
"""
_ROUTES = "SELECT network, route FROM {s}.routes"
_LOCK_ROUTE = "SELECT pg_advisory_xact_lock(hashtext(%(schema)s), hashtext('route ' || %(network)s))"
_CHOOSE = """
INSERT INTO {s}.routes AS r VALUES (%(network)s, %(route)s, %(by)s, %(at)s)
ON CONFLICT (network) DO UPDATE SET route = excluded.route, set_by = excluded.set_by, set_at = excluded.set_at
 WHERE r.route <> excluded.route
"""
_ALL_DIRECT = "DELETE FROM {s}.routes WHERE route = 'late' RETURNING network"
_NOTE_HOOK = """
INSERT INTO control.late_hooks (token_sha256, tenant_id) VALUES (sha256(%s::bytea), %s) ON CONFLICT DO NOTHING
"""
_HOOKED = """
SELECT t.slug FROM control.late_hooks h JOIN control.tenants t ON t.id = h.tenant_id
 WHERE h.token_sha256 = sha256(%s::bytea) AND t.status <> 'deleted'
"""


@dataclass(frozen=True)
class Unlinked:
    """An account that Late does not reach any more; `is_gone`: nothing else does either."""

    id: UUID
    network: str
    is_gone: bool


@dataclass(frozen=True)
class _Id:
    id: UUID


def keep(tx: Transaction, key: bytes, hook: LateKey, *, renew: bool) -> LateKey:
    """Keep the tenant's key; the address and the secret of its webhooks stay, unless they are to be renewed."""
    values = {
        "secret": key,
        "webhook_token": hook.webhook_token,
        "webhook_secret": hook.webhook_secret,
        "at": hook.verified_at,
        "by": hook.set_by,
        "renew": renew,
    }
    kept = tx.one(LateKey, _KEEP, values)
    assert kept is not None
    return kept


def key(tx: Transaction) -> LateKey | None:
    """Return what is known of the tenant's key."""
    return tx.one(LateKey, _KEY)


def drop_key(tx: Transaction) -> bool:
    """Throw the key away; False where there is none."""
    return tx.execute(_DROP_KEY) == 1


def link(tx: Transaction, late_account: str, profile: Profile, *, by: UUID, at: datetime) -> tuple[UUID, bool]:
    """Note that an account is connected at Late; return its id, and whether it was not connected at all before."""
    row = {
        "id": new_id(),
        "late_account": late_account,
        "network": profile.network,
        "base_url": profile.base_url,
        "remote_account": profile.remote_account,
        "remote_name": profile.remote_name,
        "by": by,
        "at": at,
    }
    same = tx.one(_Id, _SAME, row)
    if same is not None:
        row["id"] = same.id
        tx.execute(_FREE, row)
        tx.execute(_LINK, row)
        return same.id, False
    return tx.value(_ADD, row), True


def linked(tx: Transaction) -> list[Account]:
    """Return the accounts that are connected at Late, the oldest first."""
    return tx.all(Account, _LINKED)


def unlink(tx: Transaction, kept: Sequence[str]) -> list[Unlinked]:
    """Note that Late reaches none but the accounts named; return those that it no longer does."""
    return tx.all(Unlinked, _UNLINK, {"kept": list(kept)})


def routes(tx: Transaction) -> dict[str, Route]:
    """Return the ways that were chosen, by network."""
    return {row["network"]: row["route"] for row in tx.all(dict, _ROUTES)}


def choose(tx: Transaction, network: str, route: Route, *, by: UUID, at: datetime) -> bool:
    """Choose the way to a network; False where it is that already."""
    tx.execute(_LOCK_ROUTE, {"schema": tx.tenant.schema, "network": network})
    if route == routes(tx).get(network, "direct"):
        return False
    return tx.execute(_CHOOSE, {"network": network, "route": route, "by": by, "at": at}) == 1


def all_direct(tx: Transaction) -> list[str]:
    """Choose no network's way by Late any more; return whose it was."""
    return [row["network"] for row in tx.all(dict, _ALL_DIRECT)]


def note_hook(connection: Connection, token: str, tenant_id: UUID) -> None:
    """Note whose address it is that webhooks come to."""
    connection.execute(_NOTE_HOOK, (token.encode(), tenant_id))


def hooked(connection: Connection, token: str) -> str | None:
    """Return the slug of the tenant whose address it is."""
    found = connection.execute(_HOOKED, (token.encode(),)).fetchone()
    return found[0] if found else None
