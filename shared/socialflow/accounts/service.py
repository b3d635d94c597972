"""Accounts are connected, listed and disconnected here."""

from collections.abc import Collection, Container, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.accounts import repository
from socialflow.accounts.events import AccountConnected, AccountDisconnected
from socialflow.accounts.model import Account, Credentials, Profile, Route, UnknownAccount
from socialflow.entitlements import service as entitlements
from socialflow.platform.database import Transaction

GIVING_BACK = timedelta(days=3)
"""How long a network is asked to take back what was granted."""


def connect(tx: Transaction, profile: Profile, sealed: bytes, *, by: UUID, at: datetime) -> tuple[Account, bool]:
    """Connect a verified account; the same remote account again gets the new token. Return whether it is new."""
    connected = repository.connect(tx, profile, sealed, by=by, at=at)
    if not connected.was_connected:
        entitlements.take(tx, "accounts", at=at)
    tx.emit(AccountConnected(subject_id=connected.id, network=profile.network, by=by))
    return get(tx, connected.id), connected.is_new


def get(tx: Transaction, account_id: UUID) -> Account:
    """Return a connected account; raises `UnknownAccount`."""
    for account in find(tx, [account_id]):
        return account
    raise UnknownAccount("There is no such account. GET /v1/accounts lists them.", account_id=str(account_id))


def page(tx: Transaction, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Account]:
    """Return the accounts that are connected, the newest first, below a position."""
    return repository.page(tx, after=after, limit=limit)


def find(tx: Transaction, ids: Sequence[UUID]) -> list[Account]:
    """Return those of the accounts that are connected."""
    return [account for account in repository.find(tx, ids) if account.state != "disconnected"]


def named(tx: Transaction, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[UUID]]:
    """Return the connected accounts that go by a name on a network, `@ada` and `Ada` being one; several may."""
    found: dict[tuple[str, str], list[UUID]] = {name: [] for name in names}
    for network, name, account_id in repository.named(tx, names):
        found[network, name].append(account_id)
    return found


def note_quota(tx: Transaction, account_id: UUID, *, used: int, most: int, at: datetime) -> None:
    """Keep how many posts of 24 hours an account has had, and how many its network gives it."""
    repository.note_quota(tx, account_id, used=used, most=most, at=at)


def credentials(tx: Transaction, account_id: UUID, route: Route | None = None) -> Credentials | None:
    """Return an account with what it is reached by, sealed; None where it is not connected, or not by that way.

    Without a way it is the tenant's choice for the network, and where the account is connected by one only, that one.
    """
    return repository.credentials(tx, account_id, route)


def disconnect(tx: Transaction, account_id: UUID, *, by: UUID, at: datetime, revoking: Container[str] = ()) -> None:
    """Use the token no more; where its network is one of `revoking`, it is given back, else thrown away.

    Posts that were to go there fail in words; what is out stays out.
    """
    account = get(tx, account_id)
    until = at + GIVING_BACK if account.network in revoking else None
    if repository.disconnect(tx, account_id, at=at, revoke_until=until):  # of two at once, one gives back
        entitlements.give_back(tx, "accounts", at=at)
    tx.emit(AccountDisconnected(subject_id=account_id, network=account.network, by=by))
