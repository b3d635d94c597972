"""Each hour: accounts that are due are looked at, and renewed before they end; what was disconnected is given back.

What lies at Late of cancelled posts is deleted then, too.

A disconnection is told as a fact as well, so that its token is given back at once; the hour is for what failed then.
"""

import random
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from functions.cron_check_accounts import drafts
from socialflow.accounts import care, renewal
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.care import Found, Refuses, Unclear, Works
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, Renewable, StillRenewing
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen, KeysUnavailable
from socialflow.platform.database import TenantGone, transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    NetworkSettings,
)
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import networks
from socialflow.publishing.networks.port import (
    Gateway,
    Gone,
    Identity,
    Later,
    Metered,
    Refused,
    Revocable,
    refused,
)

NEEDS = (DatabaseSettings, DoorbellSettings, EgressSettings, KeySettings, LateSettings, NetworkSettings)
SECONDS = 780.0
"""How long one call goes on; what is left is due in the next hour."""
OF_A_TENANT = 20.0
"""How long it goes on about one tenant: servers that a tenant names may never answer."""
BATCH = 5
"""Accounts that are taken at once: not more than can be looked at before they are due again."""
LONGEST_CALL = 8.0
_ACCOUNT = frozenset({"invalid-credentials", "account-unavailable", "permission-missing"})
"""What a network says of the account; every other refusal may be its own trouble, or ours."""


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take a fact of one account, or a schedule's event for all; return how many, and the tenants that failed."""
    until = time.monotonic() + SECONDS
    slugs, only = _named(event)
    looked, failed = 0, []
    for slug in slugs:
        if time.monotonic() > until:
            break
        try:
            looked += _look_after(slug, only)
            if only is None:
                drafts.withdraw(registry.named(slug), min(until, time.monotonic() + OF_A_TENANT))
        except (registry.UnknownTenant, TenantGone):
            logger.warning("The tenant is gone, and its accounts with it", tenant=slug)
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's accounts could not be looked after", tenant=slug)
            failed.append(slug)
    return {"looked_at": looked, "failed": failed}


def _named(event: dict[str, Any]) -> tuple[Sequence[str], UUID | None]:
    """Return whose accounts are meant; all tenants in no order, so that none is always the last."""
    detail = event.get("detail", {})
    if "aggregate" in detail:
        return [detail["tenant"]], UUID(detail["aggregate"]["id"])
    slugs = registry.living()
    return random.sample(slugs, len(slugs)), None


def _look_after(slug: str, only: UUID | None) -> int:
    tenant, until, looked = registry.named(slug), time.monotonic() + OF_A_TENANT, 0
    while time.monotonic() < until:
        with transaction(tenant) as tx:
            due = care.take_due(tx, limit=BATCH, at=now(), only=only)
        for credentials in due:
            if credentials.account.state == "disconnected":
                _give_back(tenant, credentials)
            else:
                kept, found = _look(tenant, credentials)
                with transaction(tenant) as tx:
                    care.report(tx, kept, found, at=now())
                    if isinstance(found, Works) and found.quota is not None:
                        used, most = found.quota
                        accounts.note_quota(tx, kept.account.id, used=used, most=most, at=now())
        looked += len(due)
        if len(due) < BATCH:
            break
    return looked


def _look(tenant: Tenant, credentials: Credentials) -> tuple[Credentials, Found]:
    """Return what is kept now, and what its network says; a token that was just renewed needs no further question."""
    kept, refusal = credentials, None
    try:
        kept = renewal.ahead(tenant, credentials, _connect, by=care.AHEAD)
        gateway = _connect(kept.account, tokens.token(tenant, kept))
    except CannotOpen:
        return kept, Refuses("credentials-unreadable", "The account's token cannot be read. Connect it again.")
    except (KeysUnavailable, StillRenewing, Disconnected) as error:
        return kept, Unclear(str(error))
    except NotRenewed as told:
        refusal = refused(told.answer)
        gateway = _connect(kept.account, tokens.token(tenant, kept))
    if isinstance(refusal, Later):
        return kept, Unclear(refusal.detail)
    if isinstance(refusal, Refused) and isinstance(gateway, Renewable) and gateway.spent(now()):
        return kept, _no(refusal)
    if kept is not credentials:
        return kept, _works(gateway, kept.account)
    return kept, _asked(gateway, kept.account)


def _asked(gateway: Gateway, account: Account) -> Found:
    identity = gateway.identify(seconds=LONGEST_CALL)
    if not isinstance(identity, Identity):
        return _no(identity)
    if identity.remote_account != account.remote_account:
        return Refuses("another-account", "The token is another account's now. Connect this one again.")
    return _works(gateway, account)


def _works(gateway: Gateway, account: Account) -> Works:
    """Return how long it works, and how much of a day's posts the account has had, where its network tells."""
    ends_at = gateway.ends_at() if isinstance(gateway, Renewable) else None
    told = gateway.quota(account.remote_account, seconds=LONGEST_CALL) if isinstance(gateway, Metered) else None
    return Works(ends_at, (told.used, told.most) if told else None)


def _no(answer: Refused | Later) -> Found:
    if isinstance(answer, Refused) and answer.code in _ACCOUNT:
        return Refuses(answer.code, answer.detail)
    return Unclear(answer.detail)


def _give_back(tenant: Tenant, credentials: Credentials) -> None:
    """Ask the network to take back what was granted; what it refuses would be refused again."""
    try:
        gateway = _connect(credentials.account, tokens.token(tenant, credentials))
        answer = gateway.revoke(seconds=LONGEST_CALL) if isinstance(gateway, Revocable) else Gone("Nothing to do.")
    except CannotOpen:
        answer = Refused("credentials-unreadable", "The token cannot be read.")
    except KeysUnavailable as error:
        answer = Later(str(error))
    if not isinstance(answer, Gone):
        network = credentials.account.network
        logger.warning("What was granted was not given back", network=network, answer=answer.detail)
    with transaction(tenant) as tx:
        care.report_given_back(tx, credentials, done=not isinstance(answer, Later), at=now())


def _connect(account: Account, token: str) -> Gateway:
    return networks.gateway(account.network, base_url=account.base_url, token=token)
