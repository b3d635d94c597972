"""Drafts at Late of what was cancelled: each is deleted, if it is one still."""

import time

from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Credentials
from socialflow.platform.crypto import CannotOpen, KeysUnavailable
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import networks, withdrawing
from socialflow.publishing.networks.port import Deletion, Drafting, Gone, Later
from socialflow.publishing.withdrawing import Left

BATCH = 20
LONGEST_CALL = 8.0


def withdraw(tenant: Tenant, until: float) -> None:
    """Delete a tenant's drafts that are for nothing; where Late does not answer, the next hour goes on."""
    with transaction(tenant) as tx:
        found = withdrawing.left(tx, limit=BATCH)
    for one in found:
        if time.monotonic() > until:
            return
        with transaction(tenant) as tx:
            credentials = accounts.credentials(tx, one.account_id, "late")
        # Without the account's way by Late nobody can delete it here.
        answer = _asked(tenant, one, credentials) if credentials is not None else Gone("Late is not reached any more.")
        if isinstance(answer, Later):
            return
        if not isinstance(answer, Gone):
            logger.warning("A draft of a cancelled post stays at Late", target=str(one.id), answer=answer.detail)
        with transaction(tenant) as tx:
            withdrawing.gone(tx, one)


def _asked(tenant: Tenant, one: Left, credentials: Credentials) -> Deletion:
    try:
        gateway = networks.reached(credentials.account, tokens.token(tenant, credentials))
    except (CannotOpen, KeysUnavailable) as error:
        return Later(str(error))
    assert isinstance(gateway, Drafting)  # as everything by way of Late
    return gateway.withdraw(one.key, one.prepared, seconds=LONGEST_CALL)
