"""Write Archive: everything that the tenant has, in one archive; begun again from the beginning if it is killed."""

import time
from typing import Any

from socialflow.exports import service, writing
from socialflow.exports.model import BUDGET, Unexportable, archive_key
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, StorageSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry

NEEDS = (DatabaseSettings, StorageSettings)


class _Superseded(Exception):
    """A newer run writes the export."""


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: written, settled, failed or superseded."""
    with transaction(task.tenant) as tx:
        outcome = service.begin(tx, task.id, run=task.run, at=now())
    if outcome != "write":
        return {"outcome": outcome}
    key = archive_key(task.tenant.slug, task.id, task.run)
    try:
        made = writing.write(writing.Order(task.tenant, task.id, key, now(), _Progress(task)))
    except Unexportable as why:
        logger.warning("The export is given up", code=why.code)
        with transaction(task.tenant) as tx:
            failed = service.fail(tx, task.id, why, run=task.run, at=now())
        return {"outcome": "failed"} if failed else SUPERSEDED
    except _Superseded:
        return SUPERSEDED
    with transaction(task.tenant) as tx:
        finished = service.finish(tx, task.id, made, run=task.run, at=now())
    return {"outcome": "written"} if finished else SUPERSEDED


class _Progress:
    """Notes each new percent, stops a superseded run, and gives up before the function's time is over."""

    def __init__(self, task: TaskInput) -> None:
        self._task, self._told = task, -1
        self._until = time.monotonic() + BUDGET.total_seconds()

    def __call__(self, percent: int) -> None:
        if time.monotonic() > self._until:
            raise Unexportable("export-too-large", "The files could not be copied in time. Ask support for the data.")
        if percent == self._told:
            return
        self._told = percent
        with transaction(self._task.tenant) as tx:
            if not service.advance(tx, self._task.id, run=self._task.run, percent=percent):
                raise _Superseded
