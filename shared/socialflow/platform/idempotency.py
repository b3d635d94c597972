"""Idempotency: a request with a key is done once; its answer is kept 24 hours, in the use case's own transaction.

Nothing is kept of a refusal or a failure: they roll back, and the key is free again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from socialflow.errors import Conflict, Invalid
from socialflow.platform.database import Transaction

TTL = timedelta(hours=24)
_SWEPT = 20

# The lock is the transaction's: it ends with the commit that makes the answer visible, or with the rollback.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%(lock)s, 0))"
_FIND = """
SELECT body_sha256 AS asked, status, body, headers FROM cell.idempotency
 WHERE tenant = %(tenant)s AND principal = %(principal)s AND route = %(route)s AND key = %(key)s
   AND expires_at > clock_timestamp()
"""
_KEEP = """
INSERT INTO cell.idempotency (tenant, principal, route, key, body_sha256, status, headers, body, expires_at)
VALUES (%(tenant)s, %(principal)s, %(route)s, %(key)s, %(asked)s, %(status)s, %(headers)s, %(body)s,
        clock_timestamp() + %(ttl)s)
ON CONFLICT (tenant, principal, route, key) DO UPDATE SET body_sha256 = excluded.body_sha256,
       status = excluded.status, headers = excluded.headers, body = excluded.body, expires_at = excluded.expires_at
"""
# Every kept answer takes a few dead ones of its tenant along: no job of its own is needed.
_SWEEP = """
DELETE FROM cell.idempotency WHERE (tenant, principal, route, key) IN (
    SELECT tenant, principal, route, key FROM cell.idempotency
     WHERE tenant = %(tenant)s AND expires_at < clock_timestamp() LIMIT %(most)s FOR UPDATE SKIP LOCKED)
"""


class IdempotencyKeyReused(Invalid):
    """The key has been used for another request."""

    code, title = "idempotency-key-reused", "The idempotency key was used for another request"


class RequestInFlight(Conflict):
    """A request with the same key is being done now."""

    code, title = "request-in-flight", "The same request is being done now"


@dataclass(frozen=True)
class Claim:
    """What makes a request the same: who, which route, which key; `asked` is what the key was sent with."""

    principal: str
    route: str
    key: str
    asked: bytes

    @property
    def sha256(self) -> bytes:
        """The digest of what was asked."""
        return hashlib.sha256(self.asked).digest()


@dataclass(frozen=True)
class Answer:
    """What a use case answered: status, JSON body, headers worth repeating. No secret belongs in it."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True)
class _Kept:
    asked: bytes
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def once(tx: Transaction, claim: Claim | None, use_case: Callable[[], Answer]) -> Answer:
    """Return the kept answer of the claim, or run the use case and keep its answer; without a claim, just run it.

    Raises `RequestInFlight` while another transaction has the claim, `IdempotencyKeyReused` where the key came with
    something else before.
    """
    if claim is None:
        return use_case()
    which = {"tenant": tx.tenant.slug, "principal": claim.principal, "route": claim.route, "key": claim.key}
    if not tx.value(_LOCK, {"lock": "\n".join(("idempotency", *which.values()))}):
        raise RequestInFlight("Wait a moment and send it again with the same key.", retry_after=1)
    kept = tx.one(_Kept, _FIND, which)
    if kept is not None:
        if bytes(kept.asked) != claim.sha256:
            raise IdempotencyKeyReused("Use a new key for a new request, or repeat the first one unchanged.")
        return Answer(kept.status, kept.body, kept.headers, replayed=True)
    answer = use_case()
    if answer.status >= 500:
        raise ValueError("A failure is raised, not answered: it must not be kept")
    _keep(tx, which, claim, answer)
    return replace(answer, replayed=False)


def _keep(tx: Transaction, which: Mapping[str, str], claim: Claim, answer: Answer) -> None:
    kept = {"status": answer.status, "headers": Jsonb(dict(answer.headers)), "body": Jsonb(answer.body)}
    tx.execute(_KEEP, {**which, **kept, "asked": claim.sha256, "ttl": TTL})
    tx.execute(_SWEEP, {"tenant": which["tenant"], "most": _SWEPT})
