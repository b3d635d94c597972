"""Settle Post: how the post ended, read from its targets' rows; or when the next of them needs a step."""

from typing import Any

from socialflow.platform import tasks
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, PublishSettings
from socialflow.publishing import workflow
from socialflow.publishing.model import Pace

NEEDS = (DatabaseSettings, DoorbellSettings, PublishSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return `{outcome, at}`: settled, again or superseded."""
    task = tasks.parse(event)
    with transaction(task.tenant) as tx:
        outcome = workflow.settle(tx, task.id, run=task.run, pace=Pace.of(PublishSettings.from_env()), at=now())
    return outcome.document(now())
