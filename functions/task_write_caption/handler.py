"""Write Caption: the wish for a caption is fulfilled, or closed with the reason that people are shown."""

import os
from functools import partial
from typing import Any

from socialflow.ai import asking, gateway
from socialflow.captions import prompt
from socialflow.captions import service as captions
from socialflow.captions.model import CaptionRequest, Draft, Skipped
from socialflow.media import gateway as storage
from socialflow.media import service as media
from socialflow.media.model import Derivative, MediaItem
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.settings import CaptionSettings, DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings, CaptionSettings)
VARIANT = "small"

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gateway.litellm()  # in a sandbox the import belongs to its start, where a snapshot keeps it


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: captioned, skipped or superseded."""
    with transaction(task.tenant) as tx:
        item = media.alive(tx, task.id, run=task.run, at=now())
        if item is None:
            return SUPERSEDED
        request = captions.latest_request(tx, task.id)
        picture = next((made for made in media.derivatives_of(tx, task.id) if made.variant == VARIANT), None)
    if request is None or request.state != "open":
        return {"outcome": "captioned" if request and request.state == "written" else "skipped"}
    if picture is None:
        raise LookupError(f"The media item has no {VARIANT} derivative, and is asked to be captioned")
    return _caption(task, item, request, picture)


def _caption(task: TaskInput, item: MediaItem, request: CaptionRequest, picture: Derivative) -> dict[str, str]:
    image = storage.read(picture.object_key, picture.object_version)
    subject = prompt.Subject(image, picture.content_type, request.prompt, item.captured_at)
    written, skipped = None, None
    try:
        written = _asked(task, request, subject)
    except Skipped as why:
        skipped = why
    with transaction(task.tenant) as tx:
        if media.alive(tx, task.id, run=task.run, at=now()) is None:
            return SUPERSEDED
        if written:
            captions.fulfil(tx, request, written.value, model=written.model, at=now())
        elif skipped:
            captions.skip(tx, request, skipped, at=now())
    return {"outcome": "captioned" if written else "skipped"}


def _asked(task: TaskInput, request: CaptionRequest, subject: prompt.Subject) -> asking.Answered[Draft]:
    """Ask a model on the tenant's account; raises `Skipped`."""
    account = asking.Account(task.tenant, "caption", subject=request.media_id, member=request.requested_by)
    question = gateway.Question(prompt.messages(subject), prompt.CaptionAnswer, prompt.MAX_TOKENS)
    try:
        return asking.ask(account, question, partial(prompt.read, given=request.prompt))
    except asking.NotAnswered as why:
        raise prompt.skipped(why.reason) from None
