"""Wait For Review: the review is opened, and the token kept that wakes the execution. It waits for a person.

Where there is nothing to wait for (a decision made meanwhile, a newer run), the token is answered at once.
"""

from datetime import timedelta
from typing import Any

from socialflow.media import service as media
from socialflow.platform import work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, ReviewSettings
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry
from socialflow.review import service as review

NEEDS = (DatabaseSettings, DoorbellSettings, ReviewSettings)


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input with its token; return an outcome: waiting, decided or superseded."""
    token = task.token
    if token is None:
        raise ValueError("A task that waits is given a token")
    outcome = _park(task, token)
    if outcome["outcome"] != "waiting":
        work.answer(token, outcome)
    return outcome


def _park(task: TaskInput, token: str) -> dict[str, str]:
    at = now()
    with transaction(task.tenant) as tx:
        if not media.open_review(tx, task.id, run=task.run, at=at):
            return SUPERSEDED
        opened = review.open_once(tx, task.id, at=at, ttl=timedelta(seconds=ReviewSettings.from_env().review_ttl))
        work.park(tx, "ingest", task.id, run=task.run, token=token)
        if opened.settled or opened.overdue(at):
            return {"outcome": "decided"}
        # Should the execution be lost, the next run ends the review in its time.
        work.postpone(tx, "ingest", task.id, run=task.run, wake_at=opened.expires_at)
    return {"outcome": "waiting"}
