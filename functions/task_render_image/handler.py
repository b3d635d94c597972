"""Render Image: a picture, cut from its original as a network takes it.

Nothing here is done twice to any harm: an older run is turned away at its next write, and each run writes where no
other does, so that only what the row names is ever served.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from socialflow.media import cutting, gateway, inspection, renditions
from socialflow.media.model import MediaItem, UnfitFile
from socialflow.media.rendition_model import Made, Rendition, rendition_key
from socialflow.media.rendition_spec import PictureSpec
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)
FETCHED, CUT = 20, 80


class _Superseded(Exception):
    """A newer run has the rendition."""


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: ready, video, settled, refused or superseded."""
    with transaction(task.tenant) as tx:
        begun = renditions.begin(tx, task.id, "image", run=task.run, at=now())
    if begun.outcome or begun.rendition is None or begun.item is None:
        return {"outcome": begun.outcome or "superseded"}
    try:
        with tempfile.TemporaryDirectory() as folder, Path(folder, "original").open("w+b") as file:
            made = _made(task, begun.rendition, begun.item, file)
    except UnfitFile as why:
        logger.info("The rendition is refused", code=why.code, cause=type(why.__cause__).__name__)
        with transaction(task.tenant) as tx:
            refused = renditions.refuse(tx, task.id, why, run=task.run, at=now())
        return {"outcome": "refused"} if refused else SUPERSEDED
    except _Superseded:
        return SUPERSEDED
    with transaction(task.tenant) as tx:
        finished = renditions.finish(tx, task.id, made, run=task.run, at=now())
    return {"outcome": "ready"} if finished else SUPERSEDED


def _made(task: TaskInput, rendition: Rendition, item: MediaItem, file: BinaryIO) -> Made:
    gateway.fetch(item.object_key, item.object_version, file)
    with transaction(task.tenant) as tx:
        _go_on(renditions.advance(tx, task.id, percent=FETCHED, run=task.run, at=now()))
    with inspection.opened(file, item.declared_type) as picture:
        cut = cutting.cut(picture, PictureSpec.of(rendition.spec))
    with transaction(task.tenant) as tx:
        _go_on(renditions.rendered(tx, task.id, percent=CUT, run=task.run, at=now()))
    key = rendition_key(task.tenant.slug, rendition, task.run, "jpg")
    return Made(
        object_key=key,
        object_version=gateway.put(key, cut.data, cutting.CONTENT_TYPE),
        content_type=cutting.CONTENT_TYPE,
        width=cut.width,
        height=cut.height,
        duration_ms=None,
        size=len(cut.data),
        sha256=hashlib.sha256(cut.data).digest(),
    )


def _go_on(current: bool) -> None:  # noqa: FBT001 # it is the question that the use cases answer
    if not current:
        raise _Superseded
