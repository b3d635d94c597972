"""How an operator's function begins: whoever asks is named, and a refusal is an answer in words."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from socialflow.errors import Invalid, Refusal
from socialflow.platform import settings
from socialflow.platform.acting import acting
from socialflow.platform.entry import Handler, entry, operator_named
from socialflow.platform.observability import logger


class OperatorUnnamed(Invalid):
    """Nobody says who asks for a change."""

    code, title = "operator-unnamed", "Say who you are"


def operation(*needs: type[settings.Settings], anonymous: bool = False) -> Callable[[Handler], Handler]:
    """Make a handler of a function that operators invoke, whose changes are attributed to `by` of the event.

    Without it nothing is done, unless the function is `anonymous`: it only reads, or deployments invoke it too, and it
    is attributed to the function's own name then.
    """

    def wrap(function: Handler) -> Handler:
        @entry(*needs)
        @wraps(function)
        def handler(event: dict[str, Any], context: Any) -> Any:
            try:
                if not anonymous:
                    _check_named(event)
                told = function(event, context)
            except Refusal as refusal:
                logger.info("Refused", code=refusal.code, operator=acting().name)
                return {"outcome": "refused", "code": refusal.code, "detail": refusal.detail}
            if not anonymous:
                logger.info("An operator has changed something", operator=acting().name, action=event.get("action"))
            return told

        return handler

    return wrap


def _check_named(event: Mapping[str, Any]) -> None:
    if not operator_named(event):
        raise OperatorUnnamed("Send `by`, your name: the audit says who has changed what. Nothing was done.")
