"""Prepare Target: uploads the media ahead of the due time; may be repeated freely."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from socialflow.accounts import renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, StillRenewing
from socialflow.media import gateway as bucket
from socialflow.media import service as media
from socialflow.media.model import Derivative, State
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
    PublishSettings,
    StorageSettings,
)
from socialflow.platform.tasks import TaskInput, task_entry
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import networks, preparation, workflow
from socialflow.publishing.model import Pace
from socialflow.publishing.networks.limits import limits
from socialflow.publishing.networks.port import Gateway, Later, Preparation, Refused, Upload, refused
from socialflow.publishing.preparation import Preparing
from socialflow.publishing.steps import Outcome, Step

NEEDS = (DatabaseSettings, DoorbellSettings, EgressSettings, KeySettings, PublishSettings, StorageSettings)

PUBLISHED_VARIANT = "large"
"""What goes out of a photo: turned the right way and without its metadata."""
IN_ITS_PLACE = (PUBLISHED_VARIANT, "medium", "small")
"""The same picture, the largest first: the network gets the first that is not too heavy for it."""
Files = Mapping[UUID, Mapping[str, Derivative]]
_GONE = Refused("account-disconnected", "The account is not connected any more. Connect it, then retry.")


@task_entry(*NEEDS)
def handler(task: TaskInput, context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: prepared, again, unconfirmed, blocked, left, done or superseded."""
    assert task.target_id is not None  # the Map passes it
    step, pace = Step(task.id, task.target_id, task.run), Pace.of(PublishSettings.from_env())
    with transaction(task.tenant) as tx:
        begun = preparation.begin_preparing(tx, step, pace=pace, at=now())
        workflow.keep_alive(tx, task.id, run=task.run, pace=pace, at=now())
        if isinstance(begun, Outcome):
            return begun.document(now())
        credentials = accounts.credentials(tx, begun.target.account_id)
        files = _files(tx, {piece.id for piece in begun.rendering.media})
    answer = _prepare(task.tenant, begun, credentials, files, seconds=seconds_left(context, at_most=90.0))
    with transaction(task.tenant) as tx:
        outcome = preparation.report_preparation(tx, step, begun, answer, at=now())
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
    try:
        gateway = _gateway(tenant, credentials)
        uploads = _uploads(begun, files, _most_bytes(credentials.account))
    except (KeysUnavailable, BotoCoreError, ClientError) as error:
        logger.warning("What is to be prepared could not be read", exc_info=True)
        return Later(f"Our own storage did not answer ({type(error).__name__}).")
    if isinstance(gateway, Refused | Later):
        return gateway
    if not isinstance(uploads, list):
        return uploads
    return gateway.prepare(begun.rendering, uploads, seconds=seconds)


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
    return networks.gateway(account.network, base_url=account.base_url, token=token)


def _most_bytes(account: Account) -> int:
    return limits(account.network, account.capabilities).image_size_limit


def _uploads(begun: Preparing, files: Files, most_bytes: int) -> list[Upload] | Refused | Later:
    """Read the media: exactly what the post was made, and approved, with, or the same picture in fewer pixels."""
    uploads = []
    for piece in begun.rendering.media:
        made = files.get(piece.id, {})
        pinned = made.get(PUBLISHED_VARIANT)
        if pinned is None or pinned.sha256.hex() != piece.sha256:
            return Refused("media-unavailable", f"The media item {piece.id} is no longer what was approved.")
        file = next((made[name] for name in IN_ITS_PLACE if name in made and made[name].size <= most_bytes), pinned)
        content = bucket.read(file.object_key, file.object_version)
        if hashlib.sha256(content).digest() != file.sha256:
            return Later(f"The media item {piece.id} was not read whole.")
        uploads.append(Upload(content, file.content_type, file.width, file.height, piece.alt_text))
    return uploads


def _files(tx: Transaction, ids: Iterable[UUID]) -> Files:
    """Return what was made of the approved ones among the media, by variant."""
    found, items = media.derivatives(tx, list(ids)), media.many(tx, list(ids))
    return {
        media_id: {made.variant: made for made in derivatives}
        for media_id, derivatives in found.items()
        if items[media_id].state is State.APPROVED
    }
