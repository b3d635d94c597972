"""Publish Target: the one mutation. The right to it is claimed and committed before the call, and never retried."""

import time
from datetime import timedelta
from typing import Any

from socialflow.accounts import care, renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, StillRenewing
from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen, KeysUnavailable
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.egress import seconds_left
from socialflow.platform.observability import logger
from socialflow.platform.settings import (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    NetworkSettings,
    PublishSettings,
)
from socialflow.platform.tasks import TaskInput, task_entry
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import ledger, networks, workflow
from socialflow.publishing.content import Destination
from socialflow.publishing.ledger import Publishing
from socialflow.publishing.model import HEAD_START, Pace
from socialflow.publishing.networks.port import Gateway, Later, Refused, refused
from socialflow.publishing.steps import Outcome, Step

NEEDS = (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    NetworkSettings,
    PublishSettings,
)

LONGEST_WAIT = HEAD_START + timedelta(seconds=2)
"""The workflow's own waits are whole seconds; what is left of one is waited for in here."""
PAUSE = timedelta(seconds=10)
"""How long to wait where the key service does not answer, or another is renewing the account's token."""
LONGEST_CALL = 20.0
"""Seconds: well below the function's timeout, so that an answer that comes too late is still written down."""
_GONE = Refused("account-disconnected", "The account is not connected any more. Connect it, then retry.")


@task_entry(*NEEDS)
def handler(task: TaskInput, context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: done, wait, unconfirmed, blocked, left or superseded."""
    assert task.target_id is not None  # the Map passes it
    step, pace = Step(task.id, task.target_id, task.run), Pace.of(PublishSettings.from_env())
    with transaction(task.tenant) as tx:
        credentials = accounts.credentials(tx, *ledger.way_to(tx, step))
    # Everything that can fail before the call fails before the claim.
    try:
        gateway = _gateway(task.tenant, credentials)
    except (KeysUnavailable, StillRenewing):
        return Outcome("wait", now() + PAUSE).document(now())
    if credentials is None or isinstance(gateway, Refused):
        assert isinstance(gateway, Refused)  # without credentials there is no gateway
        with transaction(task.tenant) as tx:
            outcome = ledger.give_up(tx, step, gateway)
            _note(tx, credentials, gateway)
        return outcome.document(now())
    begun = _claim_when_due(task.tenant, step, _destination(credentials), pace)
    if isinstance(begun, Outcome):
        return begun.document(now())
    seconds = seconds_left(context, at_most=LONGEST_CALL)
    # A network that cannot renew a token now is not asked for more; that counts among the tries.
    answer = (
        gateway
        if isinstance(gateway, Later)
        else gateway.publish(begun.rendering, begun.prepared, begun.key, seconds=seconds)
    )
    logger.info("The network has answered", attempt=str(begun.attempt_id), answer=type(answer).__name__)
    with transaction(task.tenant) as tx:
        outcome = ledger.report_attempt(tx, task.id, begun.attempt_id, answer, at=now())
        _note(tx, credentials, answer)
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
    return outcome.document(now())


def _gateway(tenant: Tenant, credentials: Credentials | None) -> Gateway | Refused | Later:
    if credentials is None:
        return _GONE
    try:
        return renewal.opened(tenant, credentials, _connect)
    except Disconnected:
        return _GONE
    except CannotOpen:
        return Refused("credentials-unreadable", "The account's token cannot be read. Connect it again, then retry.")
    except NotRenewed as told:
        return refused(told.answer)


def _note(tx: Transaction, credentials: Credentials | None, answer: object) -> None:
    """Tell of an account whose token is refused, before other posts of it are due."""
    if credentials is not None and isinstance(answer, Refused):
        care.note_refusal(tx, credentials, answer.code, answer.detail, at=now())


def _connect(account: Account, token: str) -> Gateway:
    return networks.reached(account, token)


def _claim_when_due(tenant: Tenant, step: Step, destination: Destination, pace: Pace) -> Publishing | Outcome:
    """Claim the right to publish; where it is due within moments, wait for them here instead of in the workflow."""
    give_up = now() + LONGEST_WAIT
    egress.ready()  # what a first call has to read is read before the second
    while True:
        with transaction(tenant) as tx:
            begun = ledger.begin_publishing(tx, step, destination, pace=pace, at=now())
            workflow.keep_alive(tx, step.post_id, run=step.run, pace=pace, at=now())
        if isinstance(begun, Publishing) or begun.outcome != "wait" or begun.at is None or begun.at > give_up:
            return begun
        time.sleep(max(0.0, (begun.at - now()).total_seconds()))


def _destination(credentials: Credentials) -> Destination:
    account = credentials.account
    return Destination(
        account.id,
        account.network,
        account.base_url,
        account.remote_account,
        networks.capabilities(account),
        account.route,
    )
