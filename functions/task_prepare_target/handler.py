"""Prepare Target: uploads the media ahead of the due time; may be repeated freely."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Credentials
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
from socialflow.publishing.networks.port import Later, Preparation, Refused, Upload
from socialflow.publishing.preparation import Preparing
from socialflow.publishing.steps import Outcome, Step

NEEDS = (DatabaseSettings, DoorbellSettings, EgressSettings, KeySettings, PublishSettings, StorageSettings)

PUBLISHED_VARIANT = "large"
"""What goes out of a photo: turned the right way and without its metadata."""


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
    files: Mapping[UUID, Derivative],
    *,
    seconds: float,
) -> Preparation:
    if credentials is None:
        return Refused("account-disconnected", "The account is not connected any more. Connect it, then retry.")
    try:
        token = tokens.token(tenant, credentials)
        uploads = _uploads(begun, files)
    except CannotOpen:
        return Refused("credentials-unreadable", "The account's token cannot be read. Connect it again, then retry.")
    except (KeysUnavailable, BotoCoreError, ClientError) as error:
        logger.warning("What is to be prepared could not be read", exc_info=True)
        return Later(f"Our own storage did not answer ({type(error).__name__}).")
    if not isinstance(uploads, list):
        return uploads
    gateway = networks.gateway(begun.target.network, base_url=credentials.account.base_url, token=token)
    return gateway.prepare(begun.rendering, uploads, seconds=seconds)


def _uploads(begun: Preparing, files: Mapping[UUID, Derivative]) -> list[Upload] | Refused | Later:
    """Read the media: exactly the content that the post was made, and approved, with."""
    uploads = []
    for piece in begun.rendering.media:
        file = files.get(piece.id)
        if file is None or file.sha256.hex() != piece.sha256:
            return Refused("media-unavailable", f"The media item {piece.id} is no longer what was approved.")
        content = bucket.read(file.object_key, file.object_version)
        if hashlib.sha256(content).hexdigest() != piece.sha256:
            return Later(f"The media item {piece.id} was not read whole.")
        uploads.append(Upload(content, file.content_type, piece.alt_text))
    return uploads


def _files(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Derivative]:
    """Return what may go out of the media: of approved items, the one variant that is published."""
    found, items = media.derivatives(tx, list(ids)), media.many(tx, list(ids))
    return {
        media_id: made
        for media_id, derivatives in found.items()
        for made in derivatives
        if made.variant == PUBLISHED_VARIANT and items[media_id].state is State.APPROVED
    }
