"""The wire shapes of what is found of a post while it is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from functions.api_posts.schemas import MediaList, Network, Replies, Targets, Text, Time, Variants, due_of
from socialflow.errors import FieldError
from socialflow.publishing.composing import Billed, Checked, Draft, Report
from socialflow.publishing.findings import Finding
from socialflow.publishing.planning import Written
from socialflow.publishing.quotas import Day
from socialflow.publishing.timing import Due, UnusableTime


class ValidateIn(BaseModel):
    """What is being written. Without targets and networks it is held against every network that is known."""

    model_config = ConfigDict(extra="forbid")

    text: Text = ""
    media: MediaList = []
    variants: Variants = {}
    replies: Replies = []
    targets: Targets = []
    networks: Annotated[
        list[Network], Field(max_length=20, description="By name, before an account is connected.")
    ] = []
    publish_at: Time = None

    def moment(self, at: datetime) -> tuple[datetime, Sequence[FieldError]]:
        """Return when it would go out (now, where that is not said, or the queue says it), and why it cannot then."""
        try:
            wish = due_of(self.publish_at, at)
        except UnusableTime as refused:
            return at, refused.errors
        return wish.at if isinstance(wish, Due) else at, ()

    def draft(self, days: Mapping[UUID, Day], wrong: Sequence[FieldError] = ()) -> Draft:
        """Return what the publishing context is told: with the accounts' days at its time, and what is wrong there."""
        return Draft(
            Written(
                self.text,
                tuple(medium.wanted() for medium in self.media),
                {name: variant.wanted() for name, variant in self.variants.items()},
                tuple(reply.wanted() for reply in self.replies),
            ),
            tuple(target.account_id for target in self.targets),
            tuple(self.networks),
            days,
            tuple(wrong),
        )

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media named."""
        return self.draft({}).written.media_ids()


class FindingOut(BaseModel):
    """One thing found. An error is what scheduling refuses with the same code at the same pointer."""

    severity: Annotated[str, Field(description="An open list: error, warning.")]
    pointer: Annotated[str, Field(description="Where in the request it is (RFC 6901); empty: the post as a whole.")]
    code: str
    detail: str
    advice: Annotated[str, Field(description="What to do about it.")]
    limit: float | None
    found: float | None
    as_of: Annotated[str | None, Field(description="The day that the limit is known of.")]
    source: Annotated[str | None, Field(description="Where the limit is from.")]

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Shape a finding."""
        return cls(**{name: getattr(finding, name) for name in cls.model_fields})


class LengthOut(BaseModel):
    """How long the text is, counted as the network counts."""

    unit: Annotated[str, Field(description="An open list: weighted, graphemes, mastodon, utf16, emoji_bytes.")]
    counted: int
    most: int
    left: Annotated[int, Field(description="Below zero: that much too long.")]


class CostOut(BaseModel):
    """What the network bills for the post."""

    amount: Annotated[str, Field(description="A decimal: 0.015.")]
    currency: str

    @classmethod
    def of(cls, billed: Billed | None) -> Self | None:
        """Shape a cost."""
        return cls(amount=billed.amount, currency=billed.currency) if billed else None


class CheckedOut(BaseModel):
    """What one destination would say."""

    network: str
    account_id: Annotated[UUID | None, Field(description="Null: the network was named.")]
    fits: bool
    length: LengthOut
    cost: CostOut | None
    findings: list[FindingOut]
    as_of: Annotated[str, Field(description="The day that the network's limits are known of.")]
    source: str

    @classmethod
    def of(cls, checked: Checked) -> Self:
        """Shape what was found at a destination."""
        left = checked.most - checked.counted
        return cls(
            network=checked.network,
            account_id=checked.account_id,
            fits=all(finding.severity != "error" for finding in checked.findings),
            length=LengthOut(unit=checked.unit, counted=checked.counted, most=checked.most, left=left),
            cost=CostOut.of(checked.cost),
            findings=[FindingOut.of(finding) for finding in checked.findings],
            as_of=checked.as_of,
            source=checked.source,
        )


class ReportOut(BaseModel):
    """What is found of the post itself, and at each of its destinations."""

    fits: Annotated[bool, Field(description="Nothing of it would be refused anywhere.")]
    findings: list[FindingOut]
    networks: list[CheckedOut]

    @classmethod
    def of(cls, report: Report) -> Self:
        """Shape a report."""
        return cls(
            fits=report.fits,
            findings=[FindingOut.of(finding) for finding in report.findings],
            networks=[CheckedOut.of(checked) for checked in report.checked],
        )
