"""What waits for one person in all their tenants, in a bounded time.

Each tenant is a transaction of its own, on the one connection of its cell. One that fails, or for which no time is
left, says so in its place, and hides no other.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import psycopg

from functions.api_me.schemas import (
    QueuedTenantOut,
    QueueProblemOut,
    WaitingPostOut,
    WaitingPostsOut,
    WaitingReviewOut,
    WaitingReviewsOut,
)
from socialflow.errors import Refusal
from socialflow.platform.caller import Membership
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.observability import logger
from socialflow.publishing import waiting as posts
from socialflow.publishing.waiting import WaitingPost
from socialflow.review import service as review

ENOUGH = 8.0
"""Seconds after which no other tenant is begun: what has begun may take ten more to find its cell away."""
PATIENCE = 2.0
"""Seconds that one statement has: a tenant that is being migrated, or whose tables are locked, is left out."""
FIRST = 5
MOST = 1_000
DECIDES, APPROVES, MENDS = "review:decide", "posts:approve", "publishing:write"

_OUT_OF_TIME = QueueProblemOut(code="out-of-time", detail="The answer took too long without it. Ask again, or ask it.")
_UNREADABLE = QueueProblemOut(code="unreadable", detail="It cannot be read now; it is logged. Try again later.")


def of(
    members: Sequence[Membership], at: datetime, clock: Callable[[], float] = time.monotonic
) -> Iterator[QueuedTenantOut]:
    """Yield each tenant where the person may decide anything; `clock` counts seconds."""
    until = clock() + ENOUGH
    for member in members:
        if member.permissions & {DECIDES, APPROVES, MENDS}:
            left = until - clock()
            yield _read(member, at, min(PATIENCE, left)) if left > 0 else _tenant(member, _OUT_OF_TIME)


def _read(member: Membership, at: datetime, seconds: float) -> QueuedTenantOut:
    try:
        with transaction(member.tenant) as tx:
            tx.within(seconds)
            return _waiting(tx, member, at)
    except Refusal as refusal:
        return _tenant(member, QueueProblemOut(code=refusal.code, detail=refusal.detail))
    except psycopg.Error:
        logger.exception("A tenant cannot be read", tenant=member.tenant.slug)
        return _tenant(member, _UNREADABLE)


def _waiting(tx: Transaction, member: Membership, at: datetime) -> QueuedTenantOut:
    """Ask for the kinds that the role may decide, and for no other."""
    found, may = _tenant(member), member.permissions
    if DECIDES in may:
        open_ones = review.waiting(tx, at=at, limit=FIRST, most=MOST + 1)
        items = [WaitingReviewOut.model_validate(one, from_attributes=True) for one in open_ones]
        total = open_ones[0].count if open_ones else 0
        found.reviews = WaitingReviewsOut(count=min(total, MOST), more=total > MOST, items=items)
    if APPROVES in may:
        found.approvals = _posts(posts.for_approval(tx, limit=FIRST, most=MOST + 1))
    if MENDS in may:
        found.troubles = _posts(posts.in_trouble(tx, at=at, limit=FIRST, most=MOST + 1))
    return found


def _posts(found: Sequence[WaitingPost]) -> WaitingPostsOut:
    total = found[0].count if found else 0
    items = [WaitingPostOut.model_validate(one, from_attributes=True) for one in found]
    return WaitingPostsOut(count=min(total, MOST), more=total > MOST, items=items)


def _tenant(member: Membership, problem: QueueProblemOut | None = None) -> QueuedTenantOut:
    tenant = member.tenant
    return QueuedTenantOut(
        tenant=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        status=tenant.status,
        role=member.role,
        problem=problem,
    )
