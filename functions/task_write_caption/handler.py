"""Write Caption: the wish for a caption is fulfilled, or closed with the reason that people are shown."""

import os
from typing import Any

from socialflow.captions import gateway as captioner
from socialflow.captions import service as captions
from socialflow.captions.model import CaptionRequest, Skipped
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
    captioner.litellm()  # in a sandbox the import belongs to its start, where a snapshot keeps it


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
    written, skipped = None, None
    try:
        written = captioner.write(captioner.Subject(image, picture.content_type, request.prompt, item.captured_at))
    except Skipped as why:
        skipped = why
    with transaction(task.tenant) as tx:
        if media.alive(tx, task.id, run=task.run, at=now()) is None:
            return SUPERSEDED
        if written:
            captions.fulfil(tx, request, written.draft, model=written.model, at=now())
        elif skipped:
            captions.skip(tx, request, skipped, at=now())
    return {"outcome": "captioned" if written else "skipped"}
