"""Transcode Video: a video, converted from its original to what a network takes, within the time of one call.

It is read from the bucket by ranges and written to disk; each new percent is noted, and the note of an older run is the
end of it. Repeating is harmless, for the reasons that hold in Render Image.
"""

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from socialflow.media import gateway, reading, renditions
from socialflow.media.model import MediaItem, UnfitFile
from socialflow.media.rendition_model import Made, Rendition, rendition_key
from socialflow.media.rendition_spec import VideoSpec
from socialflow.media.video.limits import MAX_SECONDS
from socialflow.media.video.model import VideoWanted
from socialflow.media.video.transcoding import transcode
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.egress import seconds_left
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)
SECONDS = 800.0
"""How long a conversion may take; the function has time left to send what it made, and to say what it did not."""
SENDING = 60.0
CONVERTED = 95
_FASTEST = 60.0


class _Superseded(Exception):
    """A newer run has the rendition."""


@task_entry(*NEEDS)
def handler(task: TaskInput, context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: ready, settled, refused or superseded."""
    with transaction(task.tenant) as tx:
        begun = renditions.begin(tx, task.id, "video", run=task.run, at=now())
    if begun.outcome or begun.rendition is None or begun.item is None:
        return {"outcome": begun.outcome or "superseded"}
    deadline = time.monotonic() + seconds_left(context, at_most=SECONDS, reserve=SENDING)
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = _made(task, begun.rendition, begun.item, Path(folder) / "made.mp4", deadline)
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


def _made(task: TaskInput, rendition: Rendition, item: MediaItem, target: Path, deadline: float) -> Made:
    stored = reading.stored(item.object_key, item.object_version)
    if stored is None:
        raise UnfitFile("file-missing", "The uploaded file is gone. Upload it again.")
    source = reading.source(stored)
    wanted = _wanted(VideoSpec.of(rendition.spec))

    def note(percent: int) -> None:
        with transaction(task.tenant) as tx:
            part = percent * CONVERTED // 100
            _go_on(renditions.advance(tx, task.id, percent=part, run=task.run, at=now()))

    done = transcode(source, target, wanted, progress=note, deadline=deadline)
    with transaction(task.tenant) as tx:
        _go_on(renditions.rendered(tx, task.id, percent=CONVERTED, run=task.run, at=now()))
    key = rendition_key(task.tenant.slug, rendition, task.run, "mp4")
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        version = gateway.put(key, file, done.content_type)
    return Made(
        object_key=key,
        object_version=version,
        content_type=done.content_type,
        width=done.width,
        height=done.height,
        duration_ms=done.duration_ms,
        size=done.size,
        sha256=sha256,
    )


def _wanted(spec: VideoSpec) -> VideoWanted:
    return VideoWanted(
        max_width=spec.max_side,
        max_height=spec.max_short_side,
        max_seconds=MAX_SECONDS if spec.max_seconds is None else spec.max_seconds,
        max_bytes=spec.max_bytes,
        max_frame_rate=_FASTEST if spec.max_frame_rate is None else min(spec.max_frame_rate, _FASTEST),
    )


def _go_on(current: bool) -> None:  # noqa: FBT001 # it is the question that the use cases answer
    if not current:
        raise _Superseded
