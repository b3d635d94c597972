"""Settle Review: the rows say how the review ended, not the answer or the timer that woke the execution."""

from typing import Any

from socialflow.media import service as media
from socialflow.media.model import State
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry
from socialflow.review import service as review
from socialflow.search import service as search

NEEDS = (DatabaseSettings, DoorbellSettings)


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: approved, rejected, expired, waiting or superseded."""
    at = now()
    with transaction(task.tenant) as tx:
        if media.alive(tx, task.id, run=task.run, at=at) is None:
            return SUPERSEDED
        ended = review.settle(tx, task.id, at=at)
        if not ended.settled:
            return {"outcome": "waiting"}
        if media.settle(tx, task.id, State(ended.state), run=task.run, at=at) and ended.state == "approved":
            search.look_again(tx, task.id, at=at)  # the caption may be another one now
    return {"outcome": ended.state}
