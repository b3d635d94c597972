"""The SQL of the ledger: each step of a target is one compare-and-set on its row.

Every statement says what it takes for granted in its WHERE. What does not hold any more changes no row, and the caller
reads why. Beginning is fenced (by run, state, lease); reporting is not: a receipt counts by its attempt's id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.platform.database import Transaction
from socialflow.publishing.content import Destination, Route
from socialflow.publishing.model import Attempt, AttemptOutcome, Target, TargetState, backoff

_COLUMNS = """
id, post_id, account_id, network, remote_account, state, run, due_at, hold, content_hash, approval_required,
approved_hash, prepared_hash, prepared, tries, next_at, attempt, lease, request, remote_id, remote_url,
published_at, error_code, error_detail, deleted_at, route, prepared_route, position
"""
_GET = "SELECT " + _COLUMNS + " FROM {s}.targets WHERE id = %(id)s AND post_id = %(post_id)s FOR UPDATE"
# Preparing may be repeated, so a new run does not wait for what an older one began; an attempt's lease it respects.
_ADOPT = """
UPDATE {s}.targets
   SET run = %(run)s, lease = CASE WHEN state = 'preparing' THEN NULL ELSE lease END
 WHERE post_id = %(post_id)s AND run < %(run)s AND state IN ('scheduled', 'preparing', 'prepared', 'attempting')
"""
_SET_STATE = "UPDATE {s}.posts SET state = %(state)s, updated_at = now() WHERE id = %(id)s AND state <> %(state)s"
_SET_REASON = "UPDATE {s}.posts SET reason = %(reason)s WHERE id = %(id)s"

_BEGIN_PREPARING = """
UPDATE {s}.targets
   SET state = 'preparing', tries = tries + 1, next_at = now() + %(pause)s, lease = now() + %(lease)s,
       updated_at = now()
 WHERE id = %(id)s AND run = %(run)s AND state IN ('scheduled', 'preparing')
   AND (NOT approval_required OR approved_hash = content_hash) AND NOT hold
   AND due_at - %(lead)s <= now() AND (next_at IS NULL OR next_at <= now())
"""
_PREPARE_LONGER = """
UPDATE {s}.targets SET lease = now() + %(lease)s WHERE id = %(id)s AND state = 'preparing'
"""
_PREPARED = """
UPDATE {s}.targets
   SET state = 'prepared', prepared = %(prepared)s, prepared_hash = %(hash)s, prepared_route = %(route)s, tries = 0,
       next_at = NULL, lease = NULL, error_code = NULL, error_detail = NULL, updated_at = now()
 WHERE id = %(id)s AND run = %(run)s AND state = 'preparing' AND content_hash = %(hash)s
"""
# Cancelled meanwhile: what lies at the network is known, so that it can be taken back.
_LEFT_BEHIND = """
UPDATE {s}.targets SET prepared = %(prepared)s, prepared_hash = %(hash)s, prepared_route = %(route)s, updated_at = now()
 WHERE id = %(id)s AND state = 'cancelled' AND prepared IS NULL
"""
_PREPARE_AGAIN = """
UPDATE {s}.targets
   SET next_at = %(next_at)s, lease = NULL, error_code = 'network-unavailable', error_detail = %(detail)s,
       updated_at = now()
 WHERE id = %(id)s AND run = %(run)s AND state = 'preparing'
"""
_FAIL = """
UPDATE {s}.targets
   SET state = 'failed', error_code = %(code)s, error_detail = %(detail)s, next_at = NULL, lease = NULL,
       updated_at = now()
 WHERE id = %(id)s AND content_hash = %(hash)s AND state IN ('scheduled', 'preparing', 'prepared')
"""

# The claim: the one statement that gives the right to publish, and only while everything still holds.
_CLAIM = """
UPDATE {s}.targets t
   SET state = 'attempting', attempt = t.attempt + 1, tries = t.tries + 1, lease = now() + %(lease)s, next_at = NULL,
       route = %(route)s, updated_at = now()
 WHERE t.id = %(id)s
   AND t.run = %(run)s
   AND t.state = 'prepared'
   AND t.prepared_hash = t.content_hash
   AND (NOT t.approval_required OR t.approved_hash = t.content_hash)
   AND t.remote_account = %(remote_account)s
   AND t.prepared_route = %(route)s
   AND (t.route IS NULL OR t.route = %(route)s)
   AND NOT t.hold
   AND t.due_at <= now()
   AND (t.next_at IS NULL OR t.next_at <= now())
   AND (t.position = 0 OR {s}.is_out(t.post_id, t.account_id, t.position - 1))
   AND %(tenant_status)s = 'active'
   AND NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant = '' AND w.scope = 'all')
   AND NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant = %(tenant)s AND w.scope IN ('all', 'tenant'))
   AND NOT EXISTS (SELECT FROM cell.switches w WHERE w.tenant IN ('', %(tenant)s) AND w.scope = t.network)
RETURNING t.attempt
"""
_SWITCHED_OFF = """
SELECT w.scope FROM cell.switches w
 WHERE (w.tenant = '' AND w.scope IN ('all', %(network)s))
    OR (w.tenant = %(tenant)s AND w.scope IN ('all', 'tenant', %(network)s))
 LIMIT 1
"""
_OPEN_ATTEMPT = """
INSERT INTO {s}.attempts (id, target_id, account_id, attempt, key, content_hash)
VALUES (%(id)s, %(target_id)s, %(account_id)s, %(attempt)s, %(key)s, %(content_hash)s)
"""
_ATTEMPT = """
SELECT id, target_id, account_id, attempt, key, content_hash, started_at, outcome, remote_id, remote_url, evidence,
       finished_at
  FROM {s}.attempts
"""
_ATTEMPT_BY_ID = _ATTEMPT + " WHERE id = %(id)s"
_LAST_ATTEMPT = _ATTEMPT + " WHERE target_id = %(target_id)s ORDER BY attempt DESC LIMIT 1"
_RECEIPT = _ATTEMPT + " WHERE target_id = %(target_id)s AND outcome = 'published' ORDER BY attempt LIMIT 1"
_FINISH_ATTEMPT = """
UPDATE {s}.attempts
   SET outcome = %(outcome)s, evidence = evidence || %(evidence)s, finished_at = now()
 WHERE id = %(id)s AND outcome IS DISTINCT FROM 'published'
"""
# Where another attempt has this status already (a repetition with one key), that one keeps it.
_NOTE_RECEIPT = """
UPDATE {s}.attempts a SET remote_id = %(remote_id)s, remote_url = %(remote_url)s
 WHERE a.id = %(id)s AND NOT EXISTS (
       SELECT FROM {s}.attempts o WHERE o.account_id = a.account_id AND o.remote_id = %(remote_id)s AND o.id <> a.id)
"""
_OWNER_OF = """
SELECT target_id FROM {s}.attempts WHERE account_id = %(account_id)s AND remote_id = %(remote_id)s
"""
_PUBLISHED = """
UPDATE {s}.targets
   SET state = 'published', remote_id = %(remote_id)s, remote_url = %(remote_url)s,
       published_at = coalesce(%(published_at)s, now()), lease = NULL, next_at = NULL, request = NULL,
       error_code = NULL, error_detail = NULL, updated_at = now()
 WHERE id = %(id)s AND state <> 'published' AND (state <> 'attempting' OR attempt = %(attempt)s)
"""
_DECIDED = """
UPDATE {s}.targets
   SET state = %(state)s, next_at = %(next_at)s, lease = NULL, request = NULL, error_code = %(code)s,
       error_detail = %(detail)s, updated_at = now()
 WHERE id = %(id)s AND state = 'attempting' AND attempt = %(attempt)s
"""
_UNCERTAIN = """
UPDATE {s}.targets SET tries = 0, error_code = 'outcome-unknown', error_detail = %(detail)s, updated_at = now()
 WHERE id = %(id)s AND state = 'attempting' AND attempt = %(attempt)s
"""

# Only one may look into an attempt at a time, and nobody before its own lease is over.
_BEGIN_CONFIRMING = """
UPDATE {s}.targets SET lease = now() + %(lease)s, tries = tries + 1, updated_at = now()
 WHERE id = %(id)s AND run = %(run)s AND state = 'attempting' AND lease <= now()
"""
_CONFIRM_AGAIN = """
UPDATE {s}.targets SET lease = %(at)s, error_detail = coalesce(%(detail)s, error_detail), updated_at = now()
 WHERE id = %(id)s AND state = 'attempting' AND attempt = %(attempt)s
"""
# A key's hour begins with the first attempt that may have arrived.
_KEY_SINCE = """
SELECT min(started_at) FROM {s}.attempts
 WHERE target_id = %(target_id)s AND key = %(key)s AND outcome IS DISTINCT FROM 'failed'
"""
_TAKEN = """
SELECT remote_id FROM {s}.attempts WHERE account_id = %(account_id)s AND remote_id IS NOT NULL AND id <> %(id)s
UNION SELECT remote_id FROM {s}.targets
 WHERE account_id = %(account_id)s AND remote_id IS NOT NULL AND id <> %(target_id)s
"""


@dataclass(frozen=True)
class Verdict:
    """How an attempt that made nothing ends: the target's next state, and why."""

    state: TargetState
    code: str | None = None
    detail: str | None = None
    next_at: datetime | None = None


def get(tx: Transaction, post_id: UUID, target_id: UUID) -> Target | None:
    """Return a target of a locked post, locked."""
    return tx.one(Target, _GET, {"id": target_id, "post_id": post_id})


def adopt(tx: Transaction, post_id: UUID, run: int) -> None:
    """Make every open target the run's: what older runs begin finds no row from now on."""
    tx.execute(_ADOPT, {"post_id": post_id, "run": run})


def set_state(tx: Transaction, post_id: UUID, state: str) -> bool:
    """Set a post's state; False where it is that already."""
    return tx.execute(_SET_STATE, {"id": post_id, "state": state}) == 1


def set_reason(tx: Transaction, post_id: UUID, reason: str) -> None:
    """Say on the post why it ended so."""
    tx.execute(_SET_REASON, {"id": post_id, "reason": reason})


def begin_preparing(tx: Transaction, target: Target, *, run: int, lead: timedelta, lease: timedelta) -> bool:
    """Count a try at preparing, which is over within `lease`; should it die, the next comes after its pause."""
    values = {"id": target.id, "run": run, "lead": lead, "lease": lease, "pause": backoff(target.tries + 1)}
    return tx.execute(_BEGIN_PREPARING, values) == 1


def prepare_longer(tx: Transaction, target: Target, *, lease: timedelta) -> bool:
    """Give the try that this transaction has begun another time to be over within."""
    return tx.execute(_PREPARE_LONGER, {"id": target.id, "lease": lease}) == 1


def prepared(tx: Transaction, target: Target, *, run: int, route: Route, document: dict[str, Any]) -> bool:
    """Keep what the network answered by a way; False where the content or the run has changed meanwhile."""
    values = {"id": target.id, "run": run, "hash": target.content_hash, "route": route, "prepared": Jsonb(document)}
    kept = tx.execute(_PREPARED, values) == 1
    if not kept:
        tx.execute(_LEFT_BEHIND, values)
    return kept


def prepare_again(tx: Transaction, target_id: UUID, *, run: int, next_at: datetime, detail: str) -> bool:
    """Say when preparing is tried again, and why it was not done."""
    return tx.execute(_PREPARE_AGAIN, {"id": target_id, "run": run, "next_at": next_at, "detail": detail}) == 1


def fail(tx: Transaction, target: Target, *, code: str, detail: str) -> bool:
    """Give a target up before anything was attempted; False where its content has changed meanwhile."""
    values = {"id": target.id, "hash": target.content_hash, "code": code, "detail": detail}
    return tx.execute(_FAIL, values) == 1


def claim(tx: Transaction, target_id: UUID, place: Destination, *, run: int, lease: timedelta) -> int | None:
    """Take the right to publish, by one way for good; return the attempt's number, or None."""
    attempt: int | None = tx.value(
        _CLAIM,
        {
            "id": target_id,
            "run": run,
            "remote_account": place.remote_account,
            "route": place.route,
            "lease": lease,
            "tenant": tx.tenant.slug,
            "tenant_status": tx.tenant.status,
        },
    )
    return attempt


def switched_off(tx: Transaction, network: str) -> str | None:
    """Return the scope of a kill switch that stops this tenant's posts to a network."""
    scope: str | None = tx.value(_SWITCHED_OFF, {"tenant": tx.tenant.slug, "network": network})
    return scope


def open_attempt(tx: Transaction, attempt_id: UUID, target: Target, number: int) -> None:
    """Write down that the mutation begins, under its key."""
    tx.execute(
        _OPEN_ATTEMPT,
        {
            "id": attempt_id,
            "target_id": target.id,
            "account_id": target.account_id,
            "attempt": number,
            "key": target.key,
            "content_hash": target.content_hash,
        },
    )


def attempt(tx: Transaction, attempt_id: UUID) -> Attempt | None:
    """Return an attempt."""
    return tx.one(Attempt, _ATTEMPT_BY_ID, {"id": attempt_id})


def last_attempt(tx: Transaction, target_id: UUID) -> Attempt | None:
    """Return a target's newest attempt."""
    return tx.one(Attempt, _LAST_ATTEMPT, {"target_id": target_id})


def receipt_of(tx: Transaction, target_id: UUID) -> Attempt | None:
    """Return an attempt at a target that has a receipt."""
    return tx.one(Attempt, _RECEIPT, {"target_id": target_id})


def finish_attempt(tx: Transaction, attempt_id: UUID, outcome: AttemptOutcome, evidence: dict[str, Any]) -> None:
    """Write an attempt's outcome; a receipt is never overwritten."""
    tx.execute(_FINISH_ATTEMPT, {"id": attempt_id, "outcome": outcome, "evidence": Jsonb(evidence)})


def note_receipt(tx: Transaction, attempt_id: UUID, remote_id: str, remote_url: str | None) -> bool:
    """Write which status an attempt made; False where another attempt has that status already."""
    return tx.execute(_NOTE_RECEIPT, {"id": attempt_id, "remote_id": remote_id, "remote_url": remote_url}) == 1


def owner_of(tx: Transaction, account_id: UUID, remote_id: str) -> UUID | None:
    """Return the target whose attempt made a status."""
    found: UUID | None = tx.value(_OWNER_OF, {"account_id": account_id, "remote_id": remote_id})
    return found


def published(
    tx: Transaction,
    made: Attempt,
    *,
    remote_id: str,
    remote_url: str | None,
    published_at: datetime | None,
) -> bool:
    """Settle a target by a receipt, whatever its run or lease; not while a later attempt is under way."""
    values = {
        "id": made.target_id,
        "attempt": made.attempt,
        "remote_id": remote_id,
        "remote_url": remote_url,
        "published_at": published_at,
    }
    return tx.execute(_PUBLISHED, values) == 1


def decided(tx: Transaction, made: Attempt, verdict: Verdict) -> bool:
    """End the attempt that is under way; False where it is not this one."""
    values = {"id": made.target_id, "attempt": made.attempt, "state": verdict.state, "next_at": verdict.next_at}
    return tx.execute(_DECIDED, values | {"code": verdict.code, "detail": verdict.detail}) == 1


def uncertain(tx: Transaction, made: Attempt, detail: str) -> bool:
    """Say why nobody knows yet; the target goes on attempting until the network was asked."""
    values = {"id": made.target_id, "attempt": made.attempt, "detail": detail}
    return tx.execute(_UNCERTAIN, values) == 1


def begin_confirming(tx: Transaction, target_id: UUID, *, run: int, lease: timedelta) -> bool:
    """Take the right to look into an attempt; False while somebody has it."""
    return tx.execute(_BEGIN_CONFIRMING, {"id": target_id, "run": run, "lease": lease}) == 1


def confirm_again(tx: Transaction, made: Attempt, at: datetime, detail: str | None = None) -> bool:
    """Say when the network is asked again, and what it said now."""
    values = {"id": made.target_id, "attempt": made.attempt, "at": at, "detail": detail}
    return tx.execute(_CONFIRM_AGAIN, values) == 1


def key_since(tx: Transaction, made: Attempt) -> datetime:
    """Return when a key was first used in a request that may have arrived."""
    since: datetime = tx.value(_KEY_SINCE, {"target_id": made.target_id, "key": made.key})
    return since


def taken(tx: Transaction, made: Attempt) -> frozenset[str]:
    """Return the account's statuses that are accounted for by others."""
    query_values = {"account_id": made.account_id, "id": made.id, "target_id": made.target_id}
    return frozenset(row["remote_id"] for row in tx.all(dict, _TAKEN, query_values))
