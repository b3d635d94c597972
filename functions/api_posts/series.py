"""The wire shapes of series: posts that recur."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from functions.api_posts.checking import FindingOut
from functions.api_posts.schemas import MediaList, Replies, Targets, Text, Variants
from socialflow.errors import FieldError
from socialflow.publishing.planning import Written
from socialflow.publishing.recurring import LONGEST, Occurrence
from socialflow.publishing.series import Recurrence, SeriesChanges, SeriesDetail, Wish
from socialflow.publishing.series_repository import Series, document_of
from socialflow.publishing.timing import UnusableTime

_FORBID = ConfigDict(extra="forbid")
RuleText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        description="RFC 5545: FREQ=WEEKLY;BYDAY=MO,TH. FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, BYDAY,"
        " BYMONTHDAY, and COUNT or UNTIL.",
    ),
]
Local = Annotated[
    str, Field(max_length=40, description="2027-03-01T09:00:00: the time of every day, and where counting begins.")
]
Zone = Annotated[str, Field(max_length=64, description="An IANA name: Europe/Berlin.")]


class SeriesContent(BaseModel):
    """What every post of a series says, and where it goes."""

    model_config = _FORBID

    text: Text = ""
    media: MediaList = []
    variants: Variants = {}
    replies: Replies = []
    targets: Annotated[Targets, Field(min_length=1)]

    def written(self) -> Written:
        """Return what the publishing context is told."""
        return Written(
            self.text,
            tuple(medium.wanted() for medium in self.media),
            {name: variant.wanted() for name, variant in self.variants.items()},
            tuple(reply.wanted() for reply in self.replies),
        )

    @property
    def accounts(self) -> tuple[UUID, ...]:
        """The accounts that it goes to."""
        return tuple(target.account_id for target in self.targets)


class SeriesIn(SeriesContent):
    """A post that is to recur."""

    rule: RuleText
    starts_local: Local
    zone: Zone

    def wish(self) -> Wish:
        """Return what the publishing context is told; raises refusals in words."""
        return Wish(self.written(), self.accounts, Recurrence(self.rule, _parsed(self.starts_local), self.zone))


class PatchSeries(BaseModel):
    """What to change; what is left out stays. Posts that are made stay as they are, unless `apply_to_made` is true:
    then those of them that have not begun are cancelled and made anew.
    """

    model_config = _FORBID

    text: Text | None = None
    media: MediaList | None = None
    variants: Variants | None = None
    replies: Replies | None = None
    targets: Annotated[Targets | None, Field(min_length=1)] = None
    rule: RuleText | None = None
    starts_local: Local | None = None
    zone: Zone | None = None
    state: Literal["active", "paused"] | None = None
    apply_to_made: Annotated[bool, Field(strict=True)] = False

    def changes(self, present: Series, version: int | None) -> SeriesChanges:
        """Return what the publishing context is told; raises refusals in words."""
        written: dict[str, Any] = {} if self.text is None else {"text": self.text}
        if self.media is not None:
            written["media"] = tuple(medium.wanted() for medium in self.media)
        if self.variants is not None:
            written["variants"] = {name: variant.wanted() for name, variant in self.variants.items()}
        if self.replies is not None:
            written["replies"] = tuple(reply.wanted() for reply in self.replies)
        return SeriesChanges(
            version=version,
            written=written,
            accounts=None if self.targets is None else tuple(target.account_id for target in self.targets),
            recurrence=Recurrence(
                self.rule or present.rule,
                present.starts_local if self.starts_local is None else _parsed(self.starts_local),
                self.zone or present.zone,
            ),
            state=self.state,
            made=self.apply_to_made,
        )


class EndSeries(BaseModel):
    """How a series ends."""

    model_config = _FORBID

    cancel_made: Annotated[
        bool, Field(strict=True, description="Also cancel its posts that are made and have not begun.")
    ] = False


class OccurrenceOut(BaseModel):
    """A time that is foreseen; its post is made a week ahead."""

    local: Annotated[datetime, Field(description="As the rule's clock says.")]
    due_at: Annotated[datetime, Field(description="UTC.")]

    @classmethod
    def of(cls, occurrence: Occurrence) -> Self:
        """Shape an occurrence."""
        return cls(local=occurrence.local, due_at=occurrence.due.at)


class MadeOut(BaseModel):
    """A post of the series that is not due yet."""

    post_id: UUID
    state: str
    due_at: datetime | None


class SeriesTroubleOut(BaseModel):
    """Why the next post cannot be made; it is tried again each hour until it is due."""

    code: str
    detail: str
    due_at: datetime | None


class SeriesOut(BaseModel):
    """A post that recurs."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: active, paused, ended.")]
    content: SeriesContent
    rule: str
    starts_local: datetime
    zone: str
    made: list[MadeOut]
    foreseen: Annotated[list[OccurrenceOut], Field(description="The next ones that are not made yet.")]
    missed: Annotated[int, Field(description="How many fell due and could not be made.")]
    trouble: SeriesTroubleOut | None
    findings: Annotated[list[FindingOut], Field(description="What is found when it is made or changed.")]
    created_by: UUID
    created_at: datetime

    @classmethod
    def of(cls, detail: SeriesDetail) -> Self:
        """Shape a series."""
        series = detail.series
        targets = [{"account_id": str(account)} for account in series.accounts]
        code, words = series.trouble_code, series.trouble_detail
        return cls(
            id=series.id,
            version=series.version,
            state=series.state,
            content=SeriesContent.model_validate(document_of(series.written) | {"targets": targets}),
            rule=series.rule,
            starts_local=series.starts_local,
            zone=series.zone,
            made=[MadeOut(post_id=post.id, state=post.state, due_at=post.due_at) for post in detail.made],
            foreseen=[OccurrenceOut.of(one) for one in detail.foreseen],
            missed=series.missed,
            trouble=SeriesTroubleOut(code=code, detail=words or "", due_at=series.trouble_at) if code else None,
            findings=[FindingOut.of(finding) for finding in detail.findings],
            created_by=series.created_by,
            created_at=series.created_at,
        )


class SeriesPageOut(BaseModel):
    """Series, the newest first."""

    items: list[SeriesOut]
    next_cursor: str | None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        detail = f"{text!r} is no time. Write 2027-03-01T09:00:00."
        raise UnusableTime(detail, errors=[FieldError("/starts_local", "not-a-time", detail)]) from None
