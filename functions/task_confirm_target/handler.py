"""Confirm Target: what became of an attempt whose answer nobody has. The network's evidence decides, or a person."""

from typing import Any

from socialflow.accounts import renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, StillRenewing
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen
from socialflow.platform.database import transaction
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
from socialflow.publishing import confirmation, ledger, networks, workflow
from socialflow.publishing.confirmation import Confirming
from socialflow.publishing.content import Destination
from socialflow.publishing.model import Pace
from socialflow.publishing.networks.port import Answer, Gateway, Later, NotSeen, Sighting, refused
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

LONGEST_LOOK = 20.0
LONGEST_CALL = 20.0
"""Seconds; both together stay below the function's timeout."""


@task_entry(*NEEDS)
def handler(task: TaskInput, context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: done, wait, unconfirmed, left or superseded."""
    assert task.target_id is not None  # the Map passes it
    step, pace = Step(task.id, task.target_id, task.run), Pace.of(PublishSettings.from_env())
    with transaction(task.tenant) as tx:
        credentials = accounts.credentials(tx, *ledger.way_to(tx, step))
    gateway = _gateway(task.tenant, credentials)
    if gateway is None:
        credentials = None
    with transaction(task.tenant) as tx:
        place = _destination(credentials)
        begun = confirmation.begin_confirming(tx, step, place, pace=pace, at=now())
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
    if isinstance(begun, Outcome) or gateway is None:
        assert isinstance(begun, Outcome)  # without an account there is nothing to look at
        return begun.document(now())
    answer = gateway if isinstance(gateway, Later) else _evidence(gateway, begun, context)
    logger.info("The network was asked", attempt=str(begun.attempt.id), answer=type(answer).__name__)
    with transaction(task.tenant) as tx:
        outcome = confirmation.report_confirmation(tx, step, begun, answer, at=now())
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
    return outcome.document(now())


def _gateway(tenant: Tenant, credentials: Credentials | None) -> Gateway | Later | None:
    """Return what to ask, or when; None where there is no account any more, or as good as none: a person looks."""
    try:
        return renewal.opened(tenant, credentials, _connect) if credentials else None
    except (CannotOpen, Disconnected):
        return None
    except StillRenewing as error:
        return Later(f"{error}.")
    except NotRenewed as told:
        answer = refused(told.answer)
        return answer if isinstance(answer, Later) else Later(answer.detail)


def _connect(account: Account, token: str) -> Gateway:
    return networks.reached(account, token)


def _evidence(gateway: Gateway, begun: Confirming, context: Any) -> Sighting | Answer:
    """Look for it; where it is not to be seen and the key makes a repetition safe, send it again under that key."""
    found = gateway.find(begun.search, seconds=seconds_left(context, at_most=LONGEST_LOOK))
    if not isinstance(found, NotSeen) or not begun.may_repeat:
        return found
    search, seconds = begun.search, seconds_left(context, at_most=LONGEST_CALL)
    return gateway.publish(search.rendering, search.prepared, begun.attempt.key, seconds=seconds)


def _destination(credentials: Credentials | None) -> Destination | None:
    if credentials is None:
        return None
    account = credentials.account
    return Destination(
        account.id,
        account.network,
        account.base_url,
        account.remote_account,
        networks.capabilities(account),
        account.route,
    )
