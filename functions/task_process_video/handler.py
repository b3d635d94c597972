"""Process Video: of an uploaded video become pictures and previews that may be shown, or a reason why not.

It is read from the bucket by ranges: neither memory nor disk ever has the whole of it. Repeating is harmless, for the
reasons that hold in Process Media.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from socialflow.media import fingerprint, gateway, reading, rendering, service, uploads, videos
from socialflow.media.model import Derivative, MediaItem, UnfitFile, derivative_key
from socialflow.media.video import previews, probing
from socialflow.media.video.opening import Deadline, Opened, opened
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)
SECONDS = 200.0
"""How long all of the decoding may take; the function has time left to say so."""


class _Superseded(Exception):
    """A newer run has the media item."""


@dataclass(frozen=True)
class _Made:
    variant: str
    extension: str
    content_type: str
    data: bytes
    width: int
    height: int


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: processed, in_review, settled, refused or superseded."""
    with transaction(task.tenant) as tx:
        standing = service.stand(tx, task.id, run=task.run, at=now())
    if standing.outcome or standing.item is None:
        return {"outcome": standing.outcome or "superseded"}
    try:
        return _process(task, standing.item)
    except UnfitFile as why:
        logger.info("The video is refused", code=why.code, cause=type(why.__cause__).__name__)
        with transaction(task.tenant) as tx:
            refused = service.refuse(tx, task.id, why, run=task.run, at=now())
        return {"outcome": "refused"} if refused else SUPERSEDED
    except _Superseded:
        return SUPERSEDED


def _process(task: TaskInput, item: MediaItem) -> dict[str, str]:
    stored = _stored(item)
    with transaction(task.tenant) as tx:
        _go_on(service.inspecting(tx, task.id, object_version=stored.version, run=task.run, at=now()))
    uploads.check_content(item, size=stored.size)
    source = reading.source(stored)
    with opened(source) as video:
        videos.check_length(video.seconds, task.tenant.plan)
        made = _looked_at(task, item, video, stored)
    logger.info("The video was looked at", read=source.fetched, size=stored.size)
    kept = [_kept(task, one) for one in made]
    with transaction(task.tenant) as tx:
        _go_on(videos.processed(tx, task.id, kept, run=task.run, at=now()))
    return {"outcome": "processed"}


def _stored(item: MediaItem) -> reading.Stored:
    """Return the version that was pinned before, else the newest one."""
    found = reading.stored(item.object_key, item.object_version)
    if found is None:
        raise UnfitFile("file-missing", "The uploaded file is gone. Upload it again.")
    return found


def _looked_at(task: TaskInput, item: MediaItem, video: Opened, stored: reading.Stored) -> list[_Made]:
    with transaction(task.tenant) as tx:
        _go_on(videos.processing(tx, task.id, run=task.run, at=now()))
    if item.part_size is not None and item.declared_sha256 is not None:
        # Of a file in parts the bucket knows no SHA-256. Its sender has asked for it: nobody is to review what differs.
        uploads.check_content(item, size=stored.size, sha256=reading.digest(stored.key, stored.version))
    deadline = Deadline.within(SECONDS)
    clip = probing.probe(video, deadline)
    still = previews.still(video, deadline)
    pictures = rendering.render(still.picture())
    made = [
        *(_Made(one.variant, "jpg", rendering.CONTENT_TYPE, one.data, one.width, one.height) for one in pictures),
        *_moving(video, still, deadline),
    ]
    print_ = fingerprint.take(next(one.data for one in pictures if one.variant == "small"))
    with transaction(task.tenant) as tx:
        _go_on(videos.describe(tx, task.id, clip, stored.size, print_, run=task.run, at=now()))
    return made


def _moving(video: Opened, still: previews.Still, deadline: Deadline) -> Iterator[_Made]:
    for one in previews.moving(video, still.seconds, deadline):
        yield _Made(one.variant, one.extension, one.content_type, one.data, one.width, one.height)


def _kept(task: TaskInput, made: _Made) -> Derivative:
    key = derivative_key(task.tenant.slug, task.id, made.variant, task.run, made.extension)
    return Derivative(
        variant=made.variant,
        object_key=key,
        object_version=gateway.put(key, made.data, made.content_type),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=len(made.data),
        sha256=sha256(made.data).digest(),
    )


def _go_on(current: bool) -> None:  # noqa: FBT001 # it is the question that the use cases answer
    if not current:
        raise _Superseded
