"""Tokens that live for a while are renewed: by one of all who need it, because a network takes each only once.

The right to renew is a lease on the account's row, committed before the call. The new token replaces exactly the one
that it was made from, so that a connection made anew meanwhile stays. Whoever dies in between leaves the old token, and
the lease ends; networks take a token that was just exchanged for a while longer.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar, runtime_checkable

from socialflow.accounts import gateway as tokens
from socialflow.accounts import repository
from socialflow.accounts.model import Account, Credentials
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.tenancy import Tenant

LONGEST_CALL = 8.0
LEASE = timedelta(seconds=15)
"""More than the longest call, and short enough to be waited for."""
LONGEST_WAIT = 12.0
POLL = 0.2


@runtime_checkable
class Renewable(Protocol):
    """A network's gateway whose token lives for a while."""

    def spent(self, at: datetime) -> bool:
        """Tell whether the token has to be renewed before it is used."""

    def ends_at(self) -> datetime | None:
        """Say when what was granted ends for good unless it is renewed before; None: not, or nobody says when."""

    def renew(self, *, seconds: float) -> object:
        """Return the next token, or the network's own way to say why not."""


class NotRenewed(RuntimeError):
    """The network does not renew the token; `answer` is what it says."""

    def __init__(self, answer: object) -> None:
        """Take the network's answer."""
        super().__init__("The token was not renewed")
        self.answer = answer


class StillRenewing(RuntimeError):
    """Somebody else is renewing the token; try again in a moment."""


class Disconnected(RuntimeError):
    """The account was disconnected meanwhile."""


G = TypeVar("G")


def opened(tenant: Tenant, credentials: Credentials, connect: Callable[[Account, str], G]) -> G:
    """Return what `connect` makes of an account and its token, renewed where it must be. Never inside a transaction.

    Raises `crypto.CannotOpen`, `crypto.KeysUnavailable`, `NotRenewed`, `StillRenewing`, `Disconnected`.
    """
    give_up = time.monotonic() + LONGEST_WAIT
    found: Credentials | None = credentials
    while found is not None:
        gateway = connect(found.account, tokens.token(tenant, found))
        if not isinstance(gateway, Renewable) or not gateway.spent(now()):
            return gateway
        with transaction(tenant) as tx:
            is_ours = repository.begin_renewal(tx, found, LEASE)
        if is_ours:
            _renew(tenant, found, gateway)
        elif time.monotonic() + POLL > give_up:
            raise StillRenewing("Somebody else is renewing the account's token")
        else:
            time.sleep(POLL)
        with transaction(tenant) as tx:
            found = repository.credentials(tx, credentials.account.id, credentials.account.route)
    raise Disconnected("The account is not connected any more")


def ahead(
    tenant: Tenant, credentials: Credentials, connect: Callable[[Account, str], object], *, by: timedelta
) -> Credentials:
    """Renew a token that is used up, or ends for good within `by`; return what is kept. Never inside a transaction.

    Raises what `opened` does. What can be renewed after its end is left alone before it: whoever uses it goes on.
    """
    gateway = connect(credentials.account, tokens.token(tenant, credentials))
    if not isinstance(gateway, Renewable) or not (gateway.spent(now()) or _ends(gateway, by)):
        return credentials
    with transaction(tenant) as tx:
        is_ours = repository.begin_renewal(tx, credentials, LEASE)
    if not is_ours:
        raise StillRenewing("Somebody else is renewing the account's token")
    sealed = _renew(tenant, credentials, gateway)
    if sealed is None:
        raise Disconnected("The account is not connected any more, or connected anew")
    return replace(credentials, sealed=sealed)


def _ends(gateway: Renewable, by: timedelta) -> bool:
    ends_at = gateway.ends_at()
    return ends_at is not None and ends_at <= now() + by


def _renew(tenant: Tenant, found: Credentials, gateway: Renewable) -> bytes | None:
    """Ask the network; where it says no, the lease stays: nobody else asks the same at once."""
    token = gateway.renew(seconds=LONGEST_CALL)
    if not isinstance(token, str):
        raise NotRenewed(token)
    sealed = tokens.seal(tenant, found.account.profile, token)
    with transaction(tenant) as tx:
        return sealed if repository.end_renewal(tx, found, sealed) else None
