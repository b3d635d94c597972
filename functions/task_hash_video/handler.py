"""Hash Video: all of a video is read once for the digest of its content. No review waits for it."""

from typing import Any

from socialflow.media import reading, videos
from socialflow.media.model import UnfitFile
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: hashed, settled or superseded."""
    with transaction(task.tenant) as tx:
        found = videos.stand(tx, task.id, run=task.run, at=now())
    if found.outcome or found.item is None or found.item.object_version is None:
        return {"outcome": found.outcome or "settled"}
    try:
        sha256 = reading.digest(found.item.object_key, found.item.object_version)
    except UnfitFile as why:
        logger.warning("The video cannot be hashed", code=why.code)
        with transaction(task.tenant) as tx:
            return {"outcome": "settled"} if videos.lost(tx, task.id, run=task.run) else SUPERSEDED
    with transaction(task.tenant) as tx:
        return {"outcome": "hashed"} if videos.hashed(tx, task.id, sha256, run=task.run) else SUPERSEDED
