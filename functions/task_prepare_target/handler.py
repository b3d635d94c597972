"""Prepare Target: uploads the media ahead of the due time; may be repeated freely."""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.task_prepare_target import outgoing
from functions.task_prepare_target.outgoing import Files
from socialflow.accounts import care, renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, StillRenewing
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen, KeysUnavailable
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
    StorageSettings,
)
from socialflow.platform.tasks import TaskInput, task_entry
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import networks, preparation, workflow
from socialflow.publishing.model import Pace
from socialflow.publishing.networks.limits import limits
from socialflow.publishing.networks.port import Drafting, Gateway, Later, Preparation, Prepared, Refused, refused
from socialflow.publishing.preparation import Preparing
from socialflow.publishing.steps import Outcome, Step

NEEDS = (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    NetworkSettings,
    PublishSettings,
    StorageSettings,
)

LONGEST_CALL = 560.0
"""Seconds for everything; a video may need them, and the function's timeout is above."""
_GONE = Refused("account-disconnected", "The account is not connected any more. Connect it, then retry.")


@task_entry(*NEEDS)
def handler(task: TaskInput, context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: prepared, again, unconfirmed, blocked, left, done or superseded."""
    assert task.target_id is not None  # the Map passes it
    step, pace = Step(task.id, task.target_id, task.run), Pace.of(PublishSettings.from_env())
    with transaction(task.tenant) as tx:
        begun = preparation.begin_preparing(tx, step, pace=pace, at=now())
        if isinstance(begun, Preparing):
            credentials = accounts.credentials(tx, begun.target.account_id, begun.target.frozen_route)
            if credentials is not None:
                begun = replace(begun, route=credentials.account.route)
            files = outgoing.files(tx, begun.rendering.media)
            if outgoing.has_video(files, begun.rendering.media):
                preparation.take_time(tx, begun)
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
    if isinstance(begun, Outcome):
        return begun.document(now())
    answer = _prepare(task.tenant, begun, credentials, files, seconds=seconds_left(context, at_most=LONGEST_CALL))
    with transaction(task.tenant) as tx:
        if isinstance(answer, Prepared) and answer.quota is not None:
            told = answer.quota
            accounts.note_quota(tx, begun.target.account_id, used=told.used, most=told.most, at=now())
        outcome = preparation.report_preparation(tx, step, begun, answer, at=now())
        if credentials is not None and isinstance(answer, Refused):  # other posts of the account are told before theirs
            care.note_refusal(tx, credentials, answer.code, answer.detail, at=now())
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
    return outcome.document(now())


def _prepare(
    tenant: Tenant,
    begun: Preparing,
    credentials: Credentials | None,
    files: Files,
    *,
    seconds: float,
) -> Preparation:
    if credentials is None:
        return _GONE
    give_up, account = time.monotonic() + seconds, credentials.account
    with TemporaryDirectory() as folder:
        try:
            gateway = _gateway(tenant, credentials)
            uploads = outgoing.brought(
                files,
                begun.rendering.media,
                Path(folder),
                most_bytes=_most_bytes(account),
                linked=account.route == "direct" and account.network in networks.FETCHES,
            )
        except (KeysUnavailable, BotoCoreError, ClientError) as error:
            logger.warning("What is to be prepared could not be read", exc_info=True)
            return Later(f"Our own storage did not answer ({type(error).__name__}).")
        if isinstance(gateway, Refused | Later):
            return gateway
        if not isinstance(uploads, list):
            return uploads
        left = max(1.0, give_up - time.monotonic())
        if isinstance(gateway, Drafting):
            return gateway.draft(begun.target.key, begun.rendering, uploads, seconds=left)
        return gateway.prepare(begun.rendering, uploads, seconds=left)


def _gateway(tenant: Tenant, credentials: Credentials) -> Gateway | Refused | Later:
    try:
        return renewal.opened(tenant, credentials, _connect)
    except Disconnected:
        return _GONE
    except CannotOpen:
        return Refused("credentials-unreadable", "The account's token cannot be read. Connect it again, then retry.")
    except StillRenewing as error:
        return Later(f"{error}.")
    except NotRenewed as told:
        return refused(told.answer)


def _connect(account: Account, token: str) -> Gateway:
    return networks.reached(account, token)


def _most_bytes(account: Account) -> int:
    return limits(account.network, account.capabilities).image_size_limit
