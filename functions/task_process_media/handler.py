"""Process Media: what was uploaded becomes five pictures that may be shown, or a reason why not.

Nothing here is done twice to any harm: an older run is turned away at its next write, objects are versioned, and rows
name the version that their own run wrote.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from socialflow.media import fingerprint, gateway, inspection, rendering, service, uploads
from socialflow.media.model import Derivative, MediaItem, Photo, UnfitFile, derivative_key
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)


class _Superseded(Exception):
    """A newer run has the media item."""


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: processed, video, in_review, settled, refused or superseded."""
    with transaction(task.tenant) as tx:
        standing = service.stand(tx, task.id, run=task.run, at=now())
    if standing.outcome or standing.item is None:
        return {"outcome": standing.outcome or "superseded"}
    if standing.item.kind == "video":
        return {"outcome": "video"}  # whose state has what reads one
    try:
        with tempfile.TemporaryDirectory() as folder, Path(folder, "original").open("w+b") as file:
            return _process(task, standing.item, file)
    except UnfitFile as why:
        logger.info("The file is refused", code=why.code, cause=type(why.__cause__).__name__)
        with transaction(task.tenant) as tx:
            refused = service.refuse(tx, task.id, why, run=task.run, at=now())
        return {"outcome": "refused"} if refused else SUPERSEDED
    except _Superseded:
        return SUPERSEDED


def _process(task: TaskInput, item: MediaItem, file: BinaryIO) -> dict[str, str]:
    fetched = gateway.fetch(item.object_key, item.object_version, file)
    with transaction(task.tenant) as tx:
        _go_on(service.inspecting(tx, task.id, object_version=fetched.version, run=task.run, at=now()))
    uploads.check_content(item, size=fetched.size, sha256=fetched.sha256)
    with inspection.opened(file, item.declared_type) as picture:
        with transaction(task.tenant) as tx:
            _go_on(service.processing(tx, task.id, run=task.run, at=now()))
        rendered = rendering.render(picture)
        photo = Photo(
            content_type=picture.content_type,
            size=fetched.size,
            sha256=fetched.sha256,
            width=picture.width,
            height=picture.height,
            captured_at=picture.captured_at,
            camera=picture.camera,
            animated=picture.animated,
            **asdict(fingerprint.take(next(made.data for made in rendered if made.variant == "small"))),
        )
    with transaction(task.tenant) as tx:
        _go_on(service.describe(tx, task.id, photo, run=task.run, at=now()))
    made = [_kept(task, derivative) for derivative in rendered]
    with transaction(task.tenant) as tx:
        _go_on(service.processed(tx, task.id, made, run=task.run, at=now()))
    return {"outcome": "processed"}


def _kept(task: TaskInput, rendered: rendering.Rendered) -> Derivative:
    key = derivative_key(task.tenant.slug, task.id, rendered.variant, task.run, "jpg")
    return Derivative(
        variant=rendered.variant,
        object_key=key,
        object_version=gateway.put(key, rendered.data, rendering.CONTENT_TYPE),
        content_type=rendering.CONTENT_TYPE,
        width=rendered.width,
        height=rendered.height,
        size=len(rendered.data),
        sha256=rendered.sha256,
    )


def _go_on(current: bool) -> None:  # noqa: FBT001 # it is the question that the use cases answer
    if not current:
        raise _Superseded
