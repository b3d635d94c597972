"""How a function that is not an HTTP one begins: settings checked, log context set, a bug logged once and raised."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from socialflow.platform import settings
from socialflow.platform.acting import SYSTEM, Actor, act_as
from socialflow.platform.observability import logger

Handler = Callable[[dict[str, Any], Any], Any]
LONGEST_NAME = 200


def entry(*needs: type[settings.Settings]) -> Callable[[Handler], Handler]:
    """Make a handler of a function that takes the event; the settings it needs are checked at its first call."""

    def wrap(function: Handler) -> Handler:
        @wraps(function)
        def handler(event: dict[str, Any], context: Any) -> Any:
            settings.require((settings.CommonSettings, *needs))
            logger.clear_state()
            name = function.__module__.split(".")[-2]
            act_as(_actor(name, event, getattr(context, "aws_request_id", None) or ""))
            logger.append_keys(function=name, **_ids(event, context))
            try:
                return function(event, context)
            except Exception:
                logger.exception("The function failed")
                raise

        return handler

    return wrap


def operator_named(event: object) -> str:
    """Return who asks, as an operator's event says it in `by`; empty where it says nothing that could be a name."""
    by = event.get("by") if isinstance(event, Mapping) else None
    return by.strip() if isinstance(by, str) and by.isprintable() and len(by) <= LONGEST_NAME else ""


def _actor(function: str, event: object, request_id: str) -> Actor:
    """Return to whom a function's changes are attributed: of what operators invoke, to the one whom the event names."""
    if function.startswith("ops_"):
        return Actor("operator", name=operator_named(event) or function, request_id=request_id)
    return replace(SYSTEM, request_id=request_id)


def time_for(context: Any, seconds: float) -> Callable[[], bool]:
    """Return what tells whether the function has so many seconds left: to end in order rather than to be ended."""
    if context is None:
        return lambda: True
    return lambda: context.get_remaining_time_in_millis() > seconds * 1_000


def _ids(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    keys = {"request_id": getattr(context, "aws_request_id", None), "trace_id": os.environ.get("_X_AMZN_TRACE_ID")}
    if isinstance(event, Mapping):
        keys |= {name: event[name] for name in ("tenant", "kind", "id", "run") if name in event}
    return {key: value for key, value in keys.items() if value is not None}
