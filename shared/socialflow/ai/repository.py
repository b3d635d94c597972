"""The SQL of budgets and calls, in the tenant's cell."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from socialflow.ai.model import RESERVED_FOR, By, Purse, Spending, Wanted
from socialflow.platform.database import Connection, Transaction

_PURSE = "spent_micros, reserved_micros, spent_tokens, reserved_tokens, warned_for, exceeded_for"
_OF = " WHERE tenant = %(tenant)s AND period = %(period)s AND key_owner = %(key_owner)s"

# Asked and held: a second call waits for the row and is held against what the first one left.
_HOLD = f"""
INSERT INTO cell.ai_budget AS b (tenant, period, key_owner) VALUES (%(tenant)s, %(period)s, %(key_owner)s)
ON CONFLICT (tenant, period, key_owner) DO UPDATE SET spent_micros = b.spent_micros RETURNING {_PURSE}
"""
_FIND = f"SELECT {_PURSE} FROM cell.ai_budget" + _OF
_RESERVE = (
    """
WITH call AS (
    INSERT INTO cell.ai_calls (id, tenant, period, purpose, subject, member, model, key_owner, reserved_micros,
                               reserved_tokens, begun_at, expires_at)
    VALUES (%(id)s, %(tenant)s, %(period)s, %(purpose)s, %(subject)s, %(member)s, %(model)s, %(key_owner)s, %(micros)s,
            %(tokens)s, %(at)s, %(expires_at)s))
UPDATE cell.ai_budget
   SET reserved_micros = reserved_micros + %(micros)s, reserved_tokens = reserved_tokens + %(tokens)s
"""
    + _OF
)
# Once. Of a call that was given up as lost what it came to takes the place of what was counted for it.
_SETTLE = """
WITH before AS (
    SELECT state, reserved_micros, reserved_tokens FROM cell.ai_calls
     WHERE id = %(id)s AND tenant = %(tenant)s AND state IN ('open', 'lost') FOR UPDATE),
settled AS (
    UPDATE cell.ai_calls c SET state = 'settled', outcome = %(outcome)s, latency_ms = %(latency_ms)s,
           settled_at = %(at)s, micros = coalesce(%(micros)s, c.reserved_micros),
           tokens_in = coalesce(%(tokens_in)s, c.reserved_tokens), tokens_out = coalesce(%(tokens_out)s, 0)
      FROM before WHERE c.id = %(id)s AND c.tenant = %(tenant)s
    RETURNING c.period, c.key_owner, c.micros, c.tokens_in + c.tokens_out AS tokens)
UPDATE cell.ai_budget b
   SET spent_micros = b.spent_micros + s.micros - CASE a.state WHEN 'lost' THEN a.reserved_micros ELSE 0 END,
       spent_tokens = b.spent_tokens + s.tokens - CASE a.state WHEN 'lost' THEN a.reserved_tokens ELSE 0 END,
       reserved_micros = b.reserved_micros - CASE a.state WHEN 'open' THEN a.reserved_micros ELSE 0 END,
       reserved_tokens = b.reserved_tokens - CASE a.state WHEN 'open' THEN a.reserved_tokens ELSE 0 END
  FROM settled s, before a
 WHERE b.tenant = %(tenant)s AND b.period = s.period AND b.key_owner = s.key_owner
"""
_TOLD = (
    """
UPDATE cell.ai_budget
   SET warned_for = coalesce(%(warned)s, warned_for), exceeded_for = coalesce(%(exceeded)s, exceeded_for)
"""
    + _OF
)
_SWEEP = """
WITH lost AS (
    UPDATE cell.ai_calls SET state = 'lost', outcome = 'lost', micros = reserved_micros, tokens_in = reserved_tokens,
           settled_at = %(at)s
     WHERE id IN (SELECT id FROM cell.ai_calls WHERE state = 'open' AND expires_at <= %(at)s
                   ORDER BY expires_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING tenant, period, key_owner, reserved_micros, reserved_tokens),
sums AS (
    SELECT tenant, period, key_owner, count(*) AS calls, sum(reserved_micros)::bigint AS micros,
           sum(reserved_tokens)::bigint AS tokens FROM lost GROUP BY 1, 2, 3),
counted AS (
    UPDATE cell.ai_budget b
       SET reserved_micros = b.reserved_micros - s.micros, spent_micros = b.spent_micros + s.micros,
           reserved_tokens = b.reserved_tokens - s.tokens, spent_tokens = b.spent_tokens + s.tokens
      FROM sums s WHERE b.tenant = s.tenant AND b.period = s.period AND b.key_owner = s.key_owner)
SELECT coalesce(sum(calls), 0)::int FROM sums
"""
# One statement, so that whoever reads finds each call either here or there. In order, as two may roll up at once.
_ROLL_UP = """
WITH old AS (
    DELETE FROM cell.ai_calls
     WHERE id IN (SELECT id FROM cell.ai_calls WHERE state <> 'open' AND begun_at < %(before)s
                   ORDER BY begun_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING tenant, begun_at, model, member, key_owner, outcome, tokens_in, tokens_out, micros, latency_ms),
added AS (
    INSERT INTO cell.ai_usage AS u (tenant, day, model, member, key_owner, calls, answered, tokens_in, tokens_out,
                                    micros, latency_ms)
    SELECT tenant, (begun_at AT TIME ZONE 'UTC')::date AS day, model, member, key_owner, count(*),
           count(*) FILTER (WHERE outcome = 'answered'), sum(tokens_in), sum(tokens_out), sum(micros),
           coalesce(sum(latency_ms) FILTER (WHERE outcome = 'answered'), 0)
      FROM old GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ON CONSTRAINT ai_usage_has_one_line_of_each DO UPDATE
       SET calls = u.calls + excluded.calls, answered = u.answered + excluded.answered,
           tokens_in = u.tokens_in + excluded.tokens_in, tokens_out = u.tokens_out + excluded.tokens_out,
           micros = u.micros + excluded.micros, latency_ms = u.latency_ms + excluded.latency_ms)
SELECT count(*)::int FROM old
"""
_LINES = """
WITH line AS (
    SELECT (begun_at AT TIME ZONE 'UTC')::date AS day, model, member, key_owner, 1 AS calls, tokens_in, tokens_out,
           micros, (outcome IS NOT DISTINCT FROM 'answered')::int AS answered,
           CASE WHEN outcome = 'answered' THEN latency_ms ELSE 0 END AS latency_ms
      FROM cell.ai_calls WHERE tenant = %(tenant)s AND begun_at >= %(since)s AND begun_at < %(until)s
    UNION ALL
    SELECT day, model, member, key_owner, calls, tokens_in, tokens_out, micros, answered, latency_ms
      FROM cell.ai_usage WHERE tenant = %(tenant)s AND day >= (%(since)s AT TIME ZONE 'UTC')::date
                           AND day < (%(until)s AT TIME ZONE 'UTC')::date)
"""
_SPENT = """
 AS what, sum(calls)::bigint AS calls, sum(answered)::bigint AS answered,
       sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out, sum(micros)::bigint AS micros,
       coalesce(sum(micros) FILTER (WHERE key_owner = 'tenant'), 0)::bigint AS own_key_micros,
       (sum(latency_ms) / nullif(sum(answered), 0))::int AS latency_ms
  FROM line GROUP BY 1 ORDER BY 1 DESC NULLS LAST LIMIT %(limit)s
"""
_SPENDING: dict[By, LiteralString] = {
    "day": _LINES + "SELECT day::text" + _SPENT,
    "model": _LINES + "SELECT model" + _SPENT,
    "member": _LINES + "SELECT member::text" + _SPENT,
}


def hold(tx: Transaction, period: str, key_owner: str) -> Purse:
    """Return what is spent and reserved; nobody else reserves until the commit."""
    held = tx.one(Purse, _HOLD, _which(tx, period, key_owner))
    assert held is not None
    return held


def find(tx: Transaction, period: str, key_owner: str) -> Purse:
    """Return what is spent and reserved at this moment."""
    return tx.one(Purse, _FIND, _which(tx, period, key_owner)) or Purse(0, 0, 0, 0)


def reserve(tx: Transaction, call_id: UUID, wanted: Wanted) -> None:
    """Write an open call, and what it may come to into the budget that is held."""
    tx.execute(
        _RESERVE,
        _which(tx, wanted.period, wanted.key_owner)
        | {
            "id": call_id,
            "purpose": wanted.purpose,
            "subject": wanted.subject,
            "member": wanted.member,
            "model": wanted.model.name,
            "micros": wanted.most.micros,
            "tokens": wanted.most.tokens,
            "at": wanted.at,
            "expires_at": wanted.at + RESERVED_FOR,
        },
    )


def settle(tx: Transaction, call_id: UUID, used: dict[str, Any], *, at: datetime) -> bool:
    """Put what a call came to in the place of its reservation; False where it was settled before."""
    return tx.execute(_SETTLE, {**used, "id": call_id, "tenant": tx.tenant.slug, "at": at}) == 1


def told(tx: Transaction, wanted: Wanted, *, what: str, cap: str) -> None:
    """Note for which cap the tenant was told."""
    told_of: dict[str, object] = {"warned": None, "exceeded": None, what: cap}
    tx.execute(_TOLD, _which(tx, wanted.period, wanted.key_owner) | told_of)


def sweep(connection: Connection, *, at: datetime, most: int) -> int:
    """Give up calls that nobody has settled in time, of every tenant, and count them in full; return how many."""
    found = connection.execute(_SWEEP, {"at": at, "most": most}).fetchone()
    assert found is not None
    return int(found[0])


def roll_up(connection: Connection, *, before: datetime, most: int) -> int:
    """Add ended calls of every tenant that began before a midnight to their day's line; return how many."""
    found = connection.execute(_ROLL_UP, {"before": before, "most": most}).fetchone()
    assert found is not None
    return int(found[0])


def spending(tx: Transaction, by: By, *, since: datetime, until: datetime, limit: int) -> list[Spending]:
    """Return what was spent from a midnight (UTC) to another: by day, the newest first, or by model or member."""
    window = {"tenant": tx.tenant.slug, "since": since, "until": until, "limit": limit}
    return tx.all(Spending, _SPENDING[by], window)


def _which(tx: Transaction, period: str, key_owner: str) -> dict[str, object]:
    return {"tenant": tx.tenant.slug, "period": period, "key_owner": key_owner}
