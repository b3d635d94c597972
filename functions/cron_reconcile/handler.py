"""Each minute, and whenever a fact asks for a workflow: every subject that is due gets its execution.

The minute's call also throws away how often somebody asked long ago, and gives up calls of models whose function died.
"""

import time
from typing import Any

from socialflow.ai import service as ai
from socialflow.platform import pace, work
from socialflow.platform.clock import now
from socialflow.platform.database import engine_room
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings, WorkflowSettings

NEEDS = (DatabaseSettings, WorkflowSettings)
BATCH = 100
SECONDS = 20.0
"""How long one call goes on; the next minute's takes over."""


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Take any event; return how many executions were started."""
    until = time.monotonic() + SECONDS
    if event.get("detail-type") == "Scheduled Event":
        pace.sweep()
        with engine_room() as connection:
            ai.sweep(connection, at=now())
    machines = WorkflowSettings.from_env()
    by_kind = {
        "ingest": machines.ingest_state_machine,
        "publish": machines.publish_state_machine,
        "export": machines.export_state_machine,
        "rendition": machines.render_state_machine,
    }
    started = 0
    while batch := work.start_due(by_kind, limit=BATCH):
        started += batch
        if batch < BATCH or time.monotonic() > until:
            break
    return {"started": started}
