"""Settle Post: how the post ended, read from its targets' rows; or when the next of them needs a step."""

from typing import Any

from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, PublishSettings
from socialflow.platform.tasks import TaskInput, task_entry
from socialflow.publishing import workflow
from socialflow.publishing.model import Pace

NEEDS = (DatabaseSettings, DoorbellSettings, PublishSettings)


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: settled, again or superseded."""
    with transaction(task.tenant) as tx:
        outcome = workflow.settle(tx, task.id, run=task.run, pace=Pace.of(PublishSettings.from_env()), at=now())
    return outcome.document(now())
