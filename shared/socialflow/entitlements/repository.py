"""The SQL of usage."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import dict_row

from socialflow.platform.database import Connection, Transaction

# One statement asks and takes: a second request waits for the row and is held against what the first one left.
_TAKE = """
INSERT INTO cell.usage AS u (tenant, meter, period, used)
SELECT %(tenant)s, %(meter)s, %(period)s, %(n)s WHERE %(most)s::bigint IS NULL OR %(n)s <= %(most)s
ON CONFLICT (tenant, meter, period) DO UPDATE SET used = u.used + excluded.used
 WHERE %(most)s::bigint IS NULL OR u.used + excluded.used <= %(most)s
RETURNING used
"""
_GIVE_BACK = """
UPDATE cell.usage SET used = greatest(used - %(n)s, 0)
 WHERE tenant = %(tenant)s AND meter = %(meter)s AND period = %(period)s
"""
_HOLD = """
INSERT INTO cell.usage AS u (tenant, meter, period, used) VALUES (%(tenant)s, %(meter)s, %(period)s, 0)
ON CONFLICT (tenant, meter, period) DO UPDATE SET used = u.used RETURNING used
"""
_USED = """
SELECT meter, used FROM cell.usage WHERE tenant = %(tenant)s AND period = ANY(%(periods)s)
"""


_REGISTERED = """
SELECT (SELECT count(*) FROM control.members WHERE tenant_id = %(tenant)s)
       + (SELECT count(*) FROM control.invitations WHERE tenant_id = %(tenant)s AND accepted_at IS NULL
             AND revoked_at IS NULL AND expires_at > %(at)s) AS seats,
       (SELECT count(*) FROM control.api_keys
         WHERE tenant_id = %(tenant)s AND revoked_at IS NULL AND expires_at > %(at)s) AS api
"""


@dataclass(frozen=True)
class _Used:
    meter: str
    used: int


def take(tx: Transaction, meter: str, period: str, n: int, *, most: int | None) -> int | None:
    """Count `n` more and return what is used now; None where that would be more than `most`: nothing is counted."""
    used: int | None = tx.value(_TAKE, _which(tx, meter, period) | {"n": n, "most": most})
    return used


def give_back(tx: Transaction, meter: str, period: str, n: int) -> None:
    """Count `n` less."""
    tx.execute(_GIVE_BACK, _which(tx, meter, period) | {"n": n})


def hold(tx: Transaction, meter: str, period: str) -> int:
    """Return what is used; nobody else counts until the commit."""
    used: int = tx.value(_HOLD, _which(tx, meter, period))
    return used


def used(tx: Transaction, periods: list[str]) -> dict[str, int]:
    """Return what is used of each meter that has been counted in one of the periods."""
    found = tx.all(_Used, _USED, {"tenant": tx.tenant.slug, "periods": periods})
    return {one.meter: one.used for one in found}


def registered(connection: Connection, tenant_id: UUID, *, at: datetime) -> dict[str, int]:
    """Return the seats that are taken and the keys that open something."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_REGISTERED, {"tenant": tenant_id, "at": at}).fetchone() or {}


def _which(tx: Transaction, meter: str, period: str) -> dict[str, object]:
    return {"tenant": tx.tenant.slug, "meter": meter, "period": period}
