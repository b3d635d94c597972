"""How often somebody may ask: counted once it is known that they may, told on every answer, refused with a time.

A limiter that cannot count lets everybody through: it protects the product, and must not be what takes it down.
Whoever is not signed in is not counted here; the gateway's own throttle is the fuse for that.
"""

from contextvars import ContextVar
from typing import Protocol

import psycopg

from socialflow.errors import Unavailable
from socialflow.platform.caller import User
from socialflow.platform.http.refusals import RateLimited
from socialflow.platform.observability import logger
from socialflow.platform.pace import Turn
from socialflow.platform.tenancy import Tenant

_WHOSE = {"caller": "You ask", "tenant": "Your tenant asks"}

_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


class Pacer(Protocol):
    """Who counts: the door, which knows how much a tenant's plan includes."""

    def turn(self, user: User, tenant: Tenant | None) -> Turn:
        """Count a request of somebody, in a tenant or in none; raises `Unavailable` where that cannot be done."""


def forget() -> None:
    """Begin a request, of which nothing is counted yet."""
    _turn.set(None)


def take(pacer: Pacer, user: User, tenant: Tenant | None) -> None:
    """Count the request; raises `RateLimited`."""
    try:
        turn = pacer.turn(user, tenant)
    except (Unavailable, psycopg.Error):
        logger.warning("The request is let through uncounted", exc_info=True)
        return
    _turn.set(turn)
    if not turn.allowed:
        raise RateLimited(
            f"{_WHOSE[turn.whose]} more than {turn.limit:,} times a minute. Wait as long as Retry-After says.",
            retry_after=turn.retry_after,
            limit=turn.limit,
            whose=turn.whose,
        )


def headers() -> dict[str, str]:
    """Return what the answer says of the allowance: the caller's or the tenant's, whichever is the nearer to its end.

    The three headers of draft-ietf-httpapi-ratelimit-headers-03, which clients know; later drafts put them in one.
    """
    turn = _turn.get()
    if turn is None:
        return {}
    told = {"Limit": turn.limit, "Remaining": turn.remaining, "Reset": turn.reset}
    return {f"RateLimit-{name}": str(value) for name, value in told.items()}
