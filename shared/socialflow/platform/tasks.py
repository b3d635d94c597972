"""What every state of a workflow is given: ids and a run's number. Facts are read from the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast
from uuid import UUID

from socialflow.platform import registry, settings, work
from socialflow.platform.clock import now
from socialflow.platform.entry import Handler, entry
from socialflow.platform.observability import logger
from socialflow.platform.registry import UnknownTenant
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


Task = Callable[[TaskInput, Any], Mapping[str, Any]]


def task_entry(*needs: type[settings.Settings]) -> Callable[[Task], Handler]:
    """Make a handler of a function that takes a task's input; a run whose tenant is gone ends before it."""

    def wrap(function: Task) -> Handler:
        @entry(*needs)
        @wraps(function)
        def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
            try:
                task = parse(event)
            except UnknownTenant:
                return _end(event)
            return function(task, context)

        return handler

    return wrap


def _end(event: Mapping[str, Any]) -> dict[str, Any]:
    """Put the subject to rest, and answer as every task of either workflow may: superseded, with whatever is read."""
    logger.warning("The tenant is gone, and its work ends")
    work.abandon(work.Run(event["tenant"], event["kind"], UUID(event["id"]), int(event["run"])))
    at = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    outcome = {**SUPERSEDED, "at": at, "prepare_at": at, "targets": []}
    if event.get("token"):
        work.answer(event["token"], outcome)
    return outcome
