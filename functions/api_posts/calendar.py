"""The wire shapes of the calendar."""

import datetime as dates
from typing import Annotated, Self

from pydantic import BaseModel, Field

from functions.api_posts.shown import PostOut
from socialflow.publishing.calendar import Days
from socialflow.publishing.service import Detail


class CalendarEntryOut(BaseModel):
    """A post on its day."""

    date: Annotated[dates.date, Field(description="The day in the calendar's zone.")]
    local: Annotated[dates.datetime, Field(description="When it is due, as a clock in that zone shows it.")]
    post: PostOut

    @classmethod
    def of(cls, detail: Detail, days: Days) -> Self:
        """Shape an entry."""
        assert detail.post.due_at is not None
        local = days.shown(detail.post.due_at)
        return cls(date=local.date(), local=local, post=PostOut.of(detail))


class CalendarOut(BaseModel):
    """Posts by the time that they are due, without the single attempts."""

    zone: str
    items: list[CalendarEntryOut]
    next_cursor: str | None
