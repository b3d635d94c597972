"""The SQL of looking after accounts."""

from datetime import datetime
from uuid import UUID

from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.repository import COLUMNS, Row
from socialflow.platform.database import Transaction

# Taken by moving the next look: of two that run at once each takes its own, and who dies leaves it for an hour. A token
# that is just being renewed is left: the next one is the one to look at, or to give back.
_TAKE = (
    """
UPDATE {s}.social_accounts SET look_at = %(until)s
 WHERE id IN (SELECT id FROM {s}.social_accounts
               WHERE look_at <= %(at)s AND secret <> '' AND (state <> 'disconnected' OR revoke_until IS NOT NULL)
                 AND (renewing_until IS NULL OR renewing_until <= now())
                 AND (%(only)s::uuid IS NULL OR id = %(only)s)
               ORDER BY look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING """
    + COLUMNS
    + ", secret"
)
_KEEP = """
UPDATE {s}.social_accounts
   SET state = %(state)s, ends_at = %(ends_at)s, trouble_code = %(code)s, trouble_detail = %(detail)s,
       looked_at = %(at)s, look_at = %(look_at)s
 WHERE id = %(id)s AND secret = %(sealed)s AND state <> 'disconnected'
"""
_LAPSE = """
UPDATE {s}.social_accounts
   SET state = 'lapsed', trouble_code = %(code)s, trouble_detail = %(detail)s, looked_at = %(at)s, look_at = %(at)s
 WHERE id = %(id)s AND secret = %(sealed)s AND state IN ('connected', 'expiring')
"""
_END_GIVING_BACK = """
UPDATE {s}.social_accounts SET secret = '', revoke_until = NULL
 WHERE id = %(id)s AND secret = %(sealed)s AND state = 'disconnected' AND (%(done)s OR revoke_until <= %(at)s)
"""


def take_due(tx: Transaction, *, limit: int, at: datetime, until: datetime, only: UUID | None) -> list[Credentials]:
    """Return those that are due, and have them so again at `until`."""
    given = {"limit": limit, "at": at, "until": until, "only": only}
    return [Credentials(row.account(), bytes(row.secret)) for row in tx.all(Row, _TAKE, given)]


def keep(tx: Transaction, looked: Credentials, found: Account, *, at: datetime, look_at: datetime) -> bool:
    """Write what was found; False where the token is another meanwhile, or gone."""
    values = {
        "id": found.id,
        "sealed": looked.sealed,
        "state": found.state,
        "ends_at": found.ends_at,
        "code": found.trouble_code,
        "detail": found.trouble_detail,
        "at": at,
        "look_at": look_at,
    }
    return tx.execute(_KEEP, values) == 1


def lapse(tx: Transaction, used: Credentials, code: str, detail: str, *, at: datetime) -> bool:
    """Write that an account has lapsed, and have it looked at now; False where it had, or its token is another."""
    values = {"id": used.account.id, "sealed": used.sealed, "code": code, "detail": detail, "at": at}
    return tx.execute(_LAPSE, values) == 1


def end_giving_back(tx: Transaction, looked: Credentials, *, done: bool, at: datetime) -> None:
    """Throw a token away that was given back, or that nobody takes back any more."""
    tx.execute(_END_GIVING_BACK, {"id": looked.account.id, "sealed": looked.sealed, "done": done, "at": at})
