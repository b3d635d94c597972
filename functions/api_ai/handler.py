"""Which models there are, the tenant's own keys of them, what they have cost, and what is left of the budget."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_ai.schemas import AiBudgetOut, AiKeyIn, AiKeyOut, AiKeysOut, AiUsageOut, ModelOut, ModelsOut
from socialflow.ai import keys
from socialflow.ai import service as ai
from socialflow.ai.catalogue import MODELS
from socialflow.ai.model import By, KeyOwner
from socialflow.errors import FieldError, Invalid
from socialflow.identity import door
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import api, caller, entry, requires
from socialflow.platform.settings import DatabaseSettings, EgressSettings, KeySettings, ModelSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings, KeySettings, EgressSettings, ModelSettings)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that a provider has to say whether it takes a key: a person waits."""
USUAL_DAYS = 31
MOST_DAYS = 366
MOST_LINES = 1_000
OWNERS: tuple[KeyOwner, ...] = ("platform", "tenant")


@app.get("/v1/ai/usage", summary="Read what models have cost", tags=["ai"])
@requires("team:read")
def usage(
    by: Annotated[By, Query(description="What each line is of.")] = "day",
    since: Annotated[date | None, Query(description="The first day (UTC); by default a month before the last.")] = None,
    until: Annotated[date | None, Query(description="The last day (UTC), at most a year on; by default today.")] = None,
) -> AiUsageOut:
    """Return calls, tokens and US dollars by day, the newest first, or by model or member; and this month's budgets."""
    at = now()
    last = until or at.astimezone(UTC).date()
    first = since or _before(last)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        detail = f"Ask for 1 to {MOST_DAYS} days: `since` is not after `until`."
        raise Invalid(detail, errors=[FieldError("/since", "days-out-of-range", detail)])
    begin, end = _midnight(first), _midnight(last) + timedelta(days=1)
    with transaction(caller().tenant) as tx:
        spent = ai.spending(tx, by, since=begin, until=end, limit=MOST_LINES)
        budgets = [AiBudgetOut.of(owner, *ai.purse(tx, owner, at=at)) for owner in OWNERS]
    return AiUsageOut.of((first, last), by, spent, budgets)


@app.get("/v1/models", summary="List the models that may write captions", tags=["ai"])
@requires("media:read")
def models() -> ModelsOut:
    """Return each model with its price, and by whose key it can be asked. The tenant's `ai_models` chooses."""
    with transaction(caller().tenant) as tx:
        own = {key.provider for key in keys.listed(tx)}
    told = ModelSettings.from_env()
    ours = {told.caption_model, *told.caption_fallbacks}
    return ModelsOut(
        items=[
            ModelOut.of(model, "tenant" if model.provider in own else "platform" if model.name in ours else None)
            for model in MODELS.values()
        ]
    )


@app.get("/v1/ai/keys", summary="List your own keys of providers", tags=["ai"])
@requires("settings:read")
def listed() -> AiKeysOut:
    """Return the tenant's keys, each by its last letters."""
    with transaction(caller().tenant) as tx:
        kept = keys.listed(tx)
    return AiKeysOut(items=[AiKeyOut.of(key) for key in kept], providers=list(keys.PROVIDERS))


@app.put("/v1/ai/keys/<provider>", summary="Set your own key of a provider", tags=["ai"])
@requires("settings:manage")
def put(provider: str, body: AiKeyIn) -> AiKeyOut:
    """Try a key and keep it sealed, in the place of the one that was there. Captions are then written with it alone."""
    who = caller()
    new = keys.checked(provider, body.key.get_secret_value(), base_url=body.base_url, model=body.model)
    keys.verify(new, seconds=LONGEST_CALL)
    sealed = keys.seal(who.tenant, new)
    with transaction(who.tenant) as tx:
        return AiKeyOut.of(keys.keep(tx, new, sealed, by=who.user.id, at=now()))


@app.delete("/v1/ai/keys/<provider>", status_code=204, summary="Throw your own key away", tags=["ai"])
@requires("settings:manage", takes_away=True)
def delete(provider: str) -> None:
    """Throw a key away; from the next caption on it is not used."""
    with transaction(caller().tenant) as tx:
        keys.forget(tx, provider)


def _before(last: date) -> date:
    return date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))


def _midnight(day: date) -> datetime:
    # The last day that there is has no day after it.
    return datetime.combine(min(day, date.max - timedelta(days=1)), time(), UTC)


handler = entry(app, *NEEDS)
