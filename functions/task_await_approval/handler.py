"""Wait For Approval: the run's token is parked; where the decision is there already, the wait ends at once."""

from typing import Any

from socialflow.platform import work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings
from socialflow.platform.tasks import TaskInput, task_entry
from socialflow.publishing import workflow

NEEDS = (DatabaseSettings, DoorbellSettings)


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, Any]:
    """Return whether somebody is waited for; the workflow goes on when its token is answered."""
    assert task.token is not None  # the state passes its own
    with transaction(task.tenant) as tx:
        waits = workflow.await_approval(tx, task.id, run=task.run, token=task.token, at=now())
    if not waits:
        work.answer(task.token, {"outcome": "decided"})
    return {"waits": waits}
