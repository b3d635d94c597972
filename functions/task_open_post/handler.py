"""Open Post: where the post stands, read from the rows; a run that was started again goes on from there."""

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
    """Return `{outcome, prepare_at, targets}`: await_approval, publish, settle, later or superseded."""
    with transaction(task.tenant) as tx:
        opened = workflow.open_post(tx, task.id, run=task.run, pace=Pace.of(PublishSettings.from_env()), at=now())
    return opened.document(now())
