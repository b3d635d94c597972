"""Somebody has written facts, or a minute is over: the registry's and the cell's outbox are put on the bus."""

import json
from typing import Any

from socialflow.platform.announcing import carry
from socialflow.platform.entry import entry
from socialflow.platform.outbox import relay
from socialflow.platform.settings import BusSettings, DatabaseSettings
from socialflow.platform.work import DEFAULT_CELL

NEEDS = (DatabaseSettings, BusSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Take SQS messages, `{"cell": …}` or the schedule's; return how many facts left."""
    cells = {json.loads(record["body"]).get("cell", DEFAULT_CELL) for record in event["Records"]}
    bus = BusSettings.from_env().bus_name
    for cell in cells:
        carry(cell)
    return {"sent": sum(relay(bus, cell=cell) for cell in sorted(cells))}
