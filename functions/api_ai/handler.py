"""What models have cost, and what is left of the budget."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_ai.schemas import AiBudgetOut, AiUsageOut
from socialflow.ai import service as ai
from socialflow.ai.model import By, KeyOwner
from socialflow.errors import FieldError, Invalid
from socialflow.identity import door
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import api, caller, entry, requires
from socialflow.platform.settings import DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings)
app = api(door)

USUAL_DAYS = 31
MOST_DAYS = 366
MOST_LINES = 1_000
OWNERS: tuple[KeyOwner, ...] = ("platform", "tenant")


@app.get("/v1/ai/usage", summary="Read what models have cost", tags=["ai"])
@requires("ai:use")
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


def _before(last: date) -> date:
    return date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))


def _midnight(day: date) -> datetime:
    # The last day that there is has no day after it.
    return datetime.combine(min(day, date.max - timedelta(days=1)), time(), UTC)


handler = entry(app, *NEEDS)
