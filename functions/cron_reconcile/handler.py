"""Each minute, and whenever a fact asks for a workflow: every subject that is due gets its execution.

The minute's call also throws away how often somebody asked long ago, gives up calls of models whose function died, and
adds those of more than a month ago to what is kept by day.
While subjects wait for room it stays, and begins each as soon as another is through.
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
SECONDS = 50.0
"""How long one call goes on; the next minute's takes over."""
PAUSE = 0.5
"""Seconds between two looks for room."""


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Take any event; return how many executions were started."""
    until = time.monotonic() + SECONDS
    stays = event.get("detail-type") == "Scheduled Event"
    if stays:
        pace.sweep()
        with engine_room() as connection:
            ai.sweep(connection, at=now())
            ai.roll_up(connection, at=now())
    machines = WorkflowSettings.from_env()
    by_kind = {
        "ingest": machines.ingest_state_machine,
        "publish": machines.publish_state_machine,
        "export": machines.export_state_machine,
        "rendition": machines.render_state_machine,
        "caption": machines.caption_state_machine,
        "digest": machines.hash_state_machine,
        "embedding": machines.embed_state_machine,
    }
    room: dict[work.Kind, int] = {"ingest": machines.ingest_at_once, "rendition": machines.renditions_at_once}
    started = 0
    while True:
        batch = work.start_due(by_kind, room=room, limit=BATCH)
        started += batch
        if time.monotonic() > until or not (batch >= BATCH or (stays and work.waits(room))):
            return {"started": started}
        if batch < BATCH:
            time.sleep(PAUSE)
