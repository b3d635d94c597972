"""The SQL of accounts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.accounts.model import Account, Credentials, Profile, Route
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import LateSettings

FIRST_LOOK = timedelta(days=1)
"""After how long an account that was just verified is looked at."""

_ADD = """
INSERT INTO {s}.social_accounts
       (id, network, base_url, remote_account, remote_name, secret, capabilities, connected_by, connected_at, look_at)
VALUES (%(id)s, %(network)s, %(base_url)s, %(remote_account)s, %(remote_name)s, %(secret)s, %(capabilities)s, %(by)s,
        %(at)s, %(look_at)s)
ON CONFLICT (network, base_url, remote_account) DO NOTHING RETURNING id, true AS is_new, false AS was_connected
"""
# Locked, so that of two that connect it at once only one finds it disconnected.
_LOCK = """
SELECT id, false AS is_new, state <> 'disconnected' AS was_connected FROM {s}.social_accounts
 WHERE network = %(network)s AND base_url = %(base_url)s AND remote_account = %(remote_account)s FOR UPDATE
"""
_RENEW = """
UPDATE {s}.social_accounts
   SET state = 'connected', remote_name = %(remote_name)s, secret = %(secret)s, capabilities = %(capabilities)s,
       connected_by = %(by)s, connected_at = %(at)s, renewing_until = NULL, revoke_until = NULL, look_at = %(look_at)s,
       ends_at = NULL, trouble_code = NULL, trouble_detail = NULL
 WHERE network = %(network)s AND base_url = %(base_url)s AND remote_account = %(remote_account)s
"""
COLUMNS = """
id, network, state, base_url, remote_account, remote_name, capabilities, connected_by, connected_at, late_account,
secret <> '' AS has_token, looked_at, ends_at, quota_used, quota_most, quota_at, trouble_code, trouble_detail
"""
_LIST = (
    "SELECT "
    + COLUMNS
    + """
  FROM {s}.social_accounts
 WHERE state <> 'disconnected'
   AND (%(at)s::timestamptz IS NULL OR (connected_at, id) < (%(at)s, %(id)s))
 ORDER BY connected_at DESC, id DESC LIMIT %(limit)s
"""
)
_FIND = "SELECT " + COLUMNS + " FROM {s}.social_accounts WHERE id = ANY(%(ids)s)"
_NAMED = """
SELECT n.network, n.name, a.id FROM unnest(%(networks)s::text[], %(names)s::text[]) n (network, name)
  JOIN {s}.social_accounts a ON a.network = n.network AND lower(ltrim(a.remote_name, '@')) = lower(ltrim(n.name, '@'))
 WHERE a.state <> 'disconnected' ORDER BY a.connected_at, a.id
"""
_CREDENTIALS = (
    "SELECT "
    + COLUMNS
    + """, secret, (SELECT k.secret FROM {s}.late_keys k) AS late_secret,
       coalesce((SELECT r.route FROM {s}.routes r WHERE r.network = a.network), 'direct') AS wanted
  FROM {s}.social_accounts a WHERE id = %(id)s AND state <> 'disconnected'
"""
)
# What the account has published keeps its row. The token is gone with the connection, or as soon as it was given back.
_DISCONNECT = """
UPDATE {s}.social_accounts
   SET state = 'disconnected', secret = CASE WHEN %(revoke_until)s::timestamptz IS NULL THEN '' ELSE secret END,
       late_account = NULL, revoke_until = %(revoke_until)s, look_at = %(at)s, ends_at = NULL, trouble_code = NULL,
       trouble_detail = NULL
 WHERE id = %(id)s AND state <> 'disconnected'
"""
# Each seal is another, so that the sealed token says which one it is: no version beside it is needed.
_BEGIN_RENEWAL = """
UPDATE {s}.social_accounts SET renewing_until = now() + %(lease)s
 WHERE id = %(id)s AND secret = %(sealed)s AND state <> 'disconnected'
   AND (renewing_until IS NULL OR renewing_until <= now())
"""
# Where the account was disconnected meanwhile, the new token is the one that is given back.
_END_RENEWAL = """
UPDATE {s}.social_accounts SET secret = %(renewed)s, renewing_until = NULL
 WHERE id = %(id)s AND secret = %(sealed)s AND (state <> 'disconnected' OR revoke_until IS NOT NULL)
RETURNING state <> 'disconnected'
"""

_NOTE_QUOTA = """
UPDATE {s}.social_accounts SET quota_used = %(used)s, quota_most = %(most)s, quota_at = %(at)s
 WHERE id = %(id)s AND state <> 'disconnected' AND (quota_at IS NULL OR quota_at < %(at)s)
"""


@dataclass(frozen=True)
class Connected:
    """An account that was connected: whether its row is new, and whether it had been connected already."""

    id: UUID
    is_new: bool
    was_connected: bool


@dataclass(frozen=True, kw_only=True)
class Row(Account):
    """An account's row, with its sealed token."""

    secret: bytes

    def account(self) -> Account:
        """Return the account without it."""
        return Account(**{each.name: getattr(self, each.name) for each in fields(Account)})


@dataclass(frozen=True, kw_only=True)
class _Reached(Row):
    late_secret: bytes | None
    wanted: Route

    def reached_by(self) -> dict[Route, bytes]:
        """Return the ways by which it is reached, each with what is sealed."""
        ways: dict[Route, bytes] = {"direct": self.secret} if self.has_token else {}
        return ways | ({"late": self.late_secret} if self.late_account and self.late_secret else {})


def connect(tx: Transaction, profile: Profile, sealed: bytes, *, by: UUID, at: datetime) -> Connected:
    """Insert an account, or give the one that is there a new token."""
    row = {
        "id": new_id(),
        "network": profile.network,
        "base_url": profile.base_url,
        "remote_account": profile.remote_account,
        "remote_name": profile.remote_name,
        "secret": sealed,
        "capabilities": Jsonb(dict(profile.capabilities)),
        "by": by,
        "at": at,
        "look_at": at + FIRST_LOOK,
    }
    added = tx.one(Connected, _ADD, row)
    if added is not None:
        return added
    present = tx.one(Connected, _LOCK, row)
    assert present is not None  # rows of accounts stay
    tx.execute(_RENEW, row)
    return present


def page(tx: Transaction, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Account]:
    """Return the accounts that are connected, the newest first, below a position."""
    at, account_id = after or (None, None)
    return tx.all(Account, _LIST, {"at": at, "id": account_id, "limit": limit})


def find(tx: Transaction, ids: Sequence[UUID]) -> list[Account]:
    """Return accounts by id, connected or not."""
    return tx.all(Account, _FIND, {"ids": list(ids)})


def named(tx: Transaction, names: Collection[tuple[str, str]]) -> list[tuple[str, str, UUID]]:
    """Return the connected accounts of some names, each with the network and the name that it was asked by."""
    asked = {"networks": [network for network, _ in names], "names": [name for _, name in names]}
    return [(one["network"], one["name"], one["id"]) for one in tx.all(dict, _NAMED, asked)]


def note_quota(tx: Transaction, account_id: UUID, *, used: int, most: int, at: datetime) -> None:
    """Keep what a network has said of an account's posts; nothing that is older than what is kept."""
    tx.execute(_NOTE_QUOTA, {"id": account_id, "used": used, "most": most, "at": at})


def credentials(tx: Transaction, account_id: UUID, route: Route | None = None) -> Credentials | None:
    """Return an account with what it is reached by, sealed; None where it is not connected, or not by that way."""
    row = tx.one(_Reached, _CREDENTIALS, {"id": account_id})
    ways = row.reached_by() if row else {}
    if row is None or not ways:
        return None
    way = route or (row.wanted if row.wanted in ways else next(iter(ways)))
    if way not in ways:
        return None
    # What is called: a key of Late's goes to no other server, whoever asks for the account.
    base_url = LateSettings.from_env().late_api_base if way == "late" else row.base_url
    return Credentials(replace(row.account(), base_url=base_url, route=way), bytes(ways[way]))


def disconnect(tx: Transaction, account_id: UUID, *, at: datetime, revoke_until: datetime | None) -> bool:
    """Throw an account's token away, at once or when it was given back; False where it is not connected."""
    return tx.execute(_DISCONNECT, {"id": account_id, "at": at, "revoke_until": revoke_until}) == 1


def begin_renewal(tx: Transaction, found: Credentials, lease: timedelta) -> bool:
    """Take the right to renew a token; False where somebody has it, or the token is another meanwhile."""
    values = {"id": found.account.id, "sealed": found.sealed, "lease": lease}
    return tx.execute(_BEGIN_RENEWAL, values) == 1


def end_renewal(tx: Transaction, found: Credentials, renewed: bytes) -> bool:
    """Put the new token in the place of the one that it was made from; False where the account is not to be used."""
    values = {"id": found.account.id, "sealed": found.sealed, "renewed": renewed}
    return tx.value(_END_RENEWAL, values) is True
