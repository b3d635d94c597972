"""Late (now Zernio): a tenant's one key there, its accounts there, and by which way each network is reached.

A key is the whole of what Late knows of its owner, so that there is one for a tenant and not one for each account.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from socialflow.accounts import late_repository as repository
from socialflow.accounts import service
from socialflow.accounts.events import AccountConnected, AccountDisconnected
from socialflow.accounts.model import Account, LateKey, NotConnected, Profile, Route, UnknownLateKey
from socialflow.entitlements import service as entitlements
from socialflow.platform.database import Connection, Transaction

_BYTES = 32
_NONE = "There is no key of Late. PUT /v1/networks/late sets one."


def new_token() -> str:
    """Return an address for webhooks that nobody guesses."""
    return secrets.token_hex(_BYTES)


def new_secret() -> str:
    """Return what Late is to sign webhooks with."""
    return secrets.token_urlsafe(_BYTES)


def keep(tx: Transaction, key: bytes, hook: LateKey, *, reached: Sequence[str], renew: bool) -> LateKey:
    """Keep a verified key, sealed; accounts that it does not reach are not connected by way of Late any more."""
    kept = repository.keep(tx, key, hook, renew=renew)
    _unlink(tx, reached, by=hook.set_by, at=hook.verified_at)
    return kept


def key(tx: Transaction) -> LateKey:
    """Return what is known of the tenant's key; raises `UnknownLateKey`."""
    found = repository.key(tx)
    if found is None:
        raise UnknownLateKey(_NONE)
    return found


def linked(tx: Transaction) -> list[Account]:
    """Return the accounts that are connected by way of Late."""
    return repository.linked(tx)


def forget(tx: Transaction, *, by: UUID, at: datetime) -> list[str]:
    """Throw the key away, and with it the ways by Late; return the networks whose way it was."""
    if not repository.drop_key(tx):
        raise UnknownLateKey(_NONE)
    _unlink(tx, (), by=by, at=at)
    return repository.all_direct(tx)


def link(tx: Transaction, late_account: str, profile: Profile, *, by: UUID, at: datetime) -> Account:
    """Connect an account by way of Late; one that is connected directly is reached by both ways from now on."""
    account_id, is_new = repository.link(tx, late_account, profile, by=by, at=at)
    if is_new:
        entitlements.take(tx, "accounts", at=at)
    tx.emit(AccountConnected(subject_id=account_id, network=profile.network, by=by))
    return service.get(tx, account_id)


def routes(tx: Transaction) -> dict[str, Route]:
    """Return the ways that were chosen, by network; the others are reached directly."""
    return repository.routes(tx)


def choose(tx: Transaction, network: str, route: Route, *, by: UUID, at: datetime) -> bool:
    """Choose the way to a network; False where it is that already. Raises `NotConnected` where Late has no key."""
    if route == "late" and repository.key(tx) is None:
        raise NotConnected("Give Late's key first: PUT /v1/networks/late.")
    return repository.choose(tx, network, route, by=by, at=at)


def note_hook(connection: Connection, token: str, tenant_id: UUID) -> None:
    """Note, in the registry, whose address for webhooks it is; the tenant's own row says whether it holds."""
    repository.note_hook(connection, token, tenant_id)


def hooked(connection: Connection, token: str) -> str | None:
    """Return the slug of the tenant whose address for webhooks it once was."""
    return repository.hooked(connection, token)


def hook_of(tx: Transaction, token: str) -> bytes | None:
    """Return the sealed secret of an address for webhooks; None where it is not the tenant's any more."""
    kept = repository.key(tx)
    return kept.webhook_secret if kept and secrets.compare_digest(kept.webhook_token, token) else None


def _unlink(tx: Transaction, kept: Sequence[str], *, by: UUID, at: datetime) -> None:
    for account in repository.unlink(tx, kept):
        if account.is_gone:
            entitlements.give_back(tx, "accounts", at=at)
            tx.emit(AccountDisconnected(subject_id=account.id, network=account.network, by=by))
