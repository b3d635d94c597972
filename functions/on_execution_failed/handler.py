"""An execution has failed, timed out or was aborted: its subject is started again soon instead of after the grace."""

import json
from typing import Any
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings

NEEDS = (DatabaseSettings,)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """Take Step Functions' status change; return whether the failed run was the subject's newest."""
    detail = event["detail"]
    given = json.loads(detail["input"])
    run = work.Run(tenant=given["tenant"], kind=given["kind"], id=UUID(given["id"]), run=int(given["run"]))
    logger.error("An execution has failed", execution=run.name, status=detail["status"], error=detail.get("error"))
    return {"hurried": work.hurry(run)}
