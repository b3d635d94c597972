"""What every state of a workflow is given: ids and a run's number. Facts are read from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from socialflow.platform import registry
from socialflow.platform.tenancy import Tenant
from socialflow.platform.work import INPUT_VERSION, Kind

SUPERSEDED = {"outcome": "superseded"}
"""A newer run has the subject: this one ends."""


@dataclass(frozen=True)
class TaskInput:
    """A task's input; `token` in states that wait, `target_id` inside a Map."""

    tenant: Tenant
    kind: Kind
    id: UUID
    run: int
    token: str | None = None
    target_id: UUID | None = None


def parse(event: Mapping[str, Any]) -> TaskInput:
    """Read a task's input of this version or the one before: executions outlive deployments."""
    if event["v"] not in (INPUT_VERSION, INPUT_VERSION - 1):
        raise ValueError(f"A task's input of version {event['v']} is not known here")
    target = event.get("target_id")
    return TaskInput(
        tenant=registry.named(event["tenant"]),
        kind=cast("Kind", event["kind"]),
        id=UUID(event["id"]),
        run=int(event["run"]),
        token=event.get("token"),
        target_id=UUID(target) if target else None,
    )
