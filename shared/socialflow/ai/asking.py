"""The one way to a model: reserved, asked, settled; again where that may help, or a reason why there is no answer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from socialflow.ai import gateway, service
from socialflow.ai.gateway import CALL_SECONDS, FAILED, Asked, Complete, Route, Said
from socialflow.ai.model import Purpose, Wanted, most
from socialflow.ai.routing import NoRoute, routes
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.tenancy import Tenant

DEADLINE_SECONDS = 45.0
"""How long all tries take at the most; the function's own timeout is longer."""
PAUSES = (1.0, 2.0)
"""Seconds before each further try. Nobody else retries: neither LiteLLM nor the workflow."""

_TRANSIENT = frozenset({"captioner-unreachable", "captioner-busy", "answer-unusable"})
_ELSEWHERE = frozenset({"captioner-denied", FAILED})
"""What another provider may do better; a budget and a refusal to describe the picture are not tried elsewhere."""

T = TypeVar("T")


class NotAnswered(Exception):
    """No model gave a usable answer; `reason` is in kebab case."""

    def __init__(self, reason: str) -> None:
        """Take the last try's reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Account:
    """On whose behalf a model is asked, and about what."""

    tenant: Tenant
    purpose: Purpose
    subject: UUID
    member: UUID | None = None


@dataclass(frozen=True)
class Answered(Generic[T]):
    """An answer as it was read, and the model that gave it."""

    value: T
    model: str


def ask(  # noqa: PLR0913 # the last three are a test's
    account: Account,
    question: Asked,
    read: Callable[[Any], T],
    *,
    ways: Sequence[Route] | None = None,
    complete: Complete | None = None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answered[T]:
    """Ask a model, again where that may help; `read` raises `ValueError` for what is no answer.

    Without `ways` it goes where the tenant's questions about captions go.
    Raises `NotAnswered` in every case without a usable answer, whatever a provider does.
    """
    try:
        ways = ways or routes(account.tenant)
    except NoRoute as why:
        raise NotAnswered(why.reason) from None
    complete = complete or getattr(gateway.litellm(), question.by)
    began, reason = clock(), FAILED
    for index, wait in enumerate((*PAUSES, None)):
        route = ways[index % len(ways)]
        said = _metered(account, question, route, complete)
        reason = said.used.outcome if said else "budget-exceeded"
        if said and reason == "answered":
            try:
                return Answered(read(said.content), said.model)
            except ValueError:
                reason = "answer-unusable"
        logger.warning("No answer of a model", model=route.model.name, reason=reason, cause=said.cause if said else "")
        too_late = clock() - began + CALL_SECONDS > DEADLINE_SECONDS
        another = reason in _ELSEWHERE and index + 1 < len(ways)
        if wait is None or too_late or not (reason in _TRANSIENT or another):
            break
        pause(wait)
    raise NotAnswered(reason)


def _metered(account: Account, question: Asked, route: Route, complete: Complete) -> Said | None:
    """Reserve, ask once, settle: the call itself outside of any transaction. None where there is no budget."""
    may_be = most(route.model, text=question.text, pictures=question.pictures, max_tokens=question.max_tokens)
    wanted = Wanted(account.purpose, account.subject, account.member, route.model, route.key_owner, may_be, now())
    with transaction(account.tenant) as tx:
        call_id = service.reserve(tx, wanted)
    if call_id is None:
        return None
    said = gateway.call(question, route, complete)
    with transaction(account.tenant) as tx:
        service.settle(tx, call_id, wanted, said.used, at=now())
    used = said.used
    logger.info("A model was asked", model=route.model.name, outcome=used.outcome, milliseconds=used.latency_ms)
    return said
