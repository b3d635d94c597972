"""Many posts from one file: how it is answered, and what is done with it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from functions.api_posts import columns, rows, sheet
from functions.api_posts.columns import Column
from functions.api_posts.rows import Asking
from socialflow.errors import FieldError, Invalid
from socialflow.known import chosen, looked_at, named
from socialflow.platform.database import Transaction
from socialflow.platform.http.problems import pointer
from socialflow.publishing import importing
from socialflow.publishing.asking import Asked
from socialflow.publishing.findings import Finding
from socialflow.publishing.importing import Judged, Verdict

MOST_PLACES = 2_500
"""How many targets all rows together may have, and how many media they may name."""
_MOST_FINDINGS = 10


class ImportRefused(Invalid):
    """A file of which at least one row cannot be made into a post."""

    code, title = "import-refused", "Nothing was imported"


class ImportFindingOut(BaseModel):
    """One thing found of a row. An error is what making the post refuses with the same code."""

    severity: Annotated[str, Field(description="An open list: error, warning.")]
    column: Annotated[str, Field(description="By its name in the header; empty: the row as a whole.")]
    code: str
    detail: str
    advice: Annotated[str, Field(description="What to do about it.")]
    limit: float | None
    found: float | None
    as_of: Annotated[str | None, Field(description="The day that the limit is known of.")]
    source: Annotated[str | None, Field(description="Where the limit is from.")]


class ImportLineOut(BaseModel):
    """A row of the file, by the line in which it begins."""

    line: int
    fits: bool
    outcome: Annotated[
        str,
        Field(description="An open list: refused, ready (in a dry run), made, there (an earlier file has made it)."),
    ]
    post_id: UUID | None
    due_at: Annotated[datetime | None, Field(description="UTC; null: a draft.")]
    slot: Annotated[str | None, Field(description="The slot of the queue that its time is of.")]
    findings: list[ImportFindingOut]
    more_findings: Annotated[int, Field(description="How many are left out.")]


class ImportProblemOut(BaseModel):
    """Why the file as a whole is refused."""

    code: str
    detail: str


class ImportOut(BaseModel):
    """What was found of a file, and what was made of it: all of it, or nothing."""

    dry_run: bool
    fits: Annotated[bool, Field(description="Nothing of it would be refused.")]
    rows: int
    new: Annotated[int, Field(description="Posts that were made, or would be.")]
    there: Annotated[int, Field(description="Rows whose posts an earlier file has made.")]
    refused: int
    problem: ImportProblemOut | None
    lines: list[ImportLineOut]


class File:
    """A file that was read, with what its rows ask for."""

    def __init__(self, sent: bytes) -> None:
        """Read it; raises `UnusableFile`."""
        read = sheet.read(sent)
        self.columns: tuple[Column, ...] = columns.columns(read)
        self.askings: list[Asking] = [rows.asking(row, self.columns) for row in read.rows]
        accounts = media = 0
        for one in self.askings:
            accounts, media = accounts + one.places, media + len(one.media)
            if max(accounts, media) > MOST_PLACES:
                what, column = ("accounts", "accounts") if accounts > media else ("media", "media")
                detail = f"All rows together name up to {MOST_PLACES:,} {what}, once more for each reply."
                detail += " Send the rest as another file."
                raise sheet.unusable(one.row.line, column, f"too-many-{what}", detail)

    def look(self, tx: Transaction, asked: Asked) -> ImportOut:
        """Tell what would come of it; nothing is held, and nothing is written."""
        lines, media = self._lines(tx, asked)
        known = looked_at(tx, media, _accounts(lines))
        return self._told(importing.judge(tx, lines, known, asked, hold=False), dry_run=True)

    def bring(self, tx: Transaction, asked: Asked) -> ImportOut:
        """Make all of its posts; raises `ImportRefused`, `LimitReached` and `ImportInFlight`, and then none is made."""
        importing.begin(tx)
        lines, media = self._lines(tx, asked)
        known = chosen(tx, media, _accounts(lines))
        verdict = importing.judge(tx, lines, known, asked, hold=True)
        if not all(one.fits for one in verdict.lines):
            raise self._refusal(verdict)
        return self._told(importing.make(tx, verdict, known, asked), dry_run=False)

    def _lines(self, tx: Transaction, asked: Asked) -> tuple[list[importing.Line], set[UUID]]:
        by_name = named(tx, {name for one in self.askings for name in one.names})
        lines = rows.lines(self.askings, by_name, at=asked.at)
        return lines, {media for line in lines if line.order for media in line.order.written.media_ids()}

    def _told(self, verdict: Verdict, *, dry_run: bool) -> ImportOut:
        lines = [self._line(*pair) for pair in zip(verdict.lines, self.askings, strict=True)]
        outcomes = [line.outcome for line in lines]
        limit = verdict.limit
        return ImportOut(
            dry_run=dry_run,
            fits=verdict.fits,
            rows=len(lines),
            new=outcomes.count("ready") + outcomes.count("made"),
            there=outcomes.count("there"),
            refused=outcomes.count("refused"),
            problem=ImportProblemOut(code=limit.code, detail=limit.detail) if limit else None,
            lines=lines,
        )

    def _line(self, judged: Judged, one: Asking) -> ImportLineOut:
        findings = sorted(judged.findings, key=lambda finding: finding.severity != "error")
        post, due = judged.post, judged.due
        return ImportLineOut(
            line=judged.line.number,
            fits=judged.fits,
            outcome=_outcome(judged),
            post_id=post.id if post else None,
            due_at=post.due_at if post else due.at if due and judged.fits else None,
            slot=post.slot if post else due.slot if due else None,
            findings=[self._finding(finding, one) for finding in findings[:_MOST_FINDINGS]],
            more_findings=max(0, len(findings) - _MOST_FINDINGS),
        )

    def _finding(self, finding: Finding, one: Asking) -> ImportFindingOut:
        given = {name: getattr(finding, name) for name in ImportFindingOut.model_fields if name != "column"}
        return ImportFindingOut(
            **given | {"detail": rows.words(finding, one)}, column=columns.column_of(finding, self.columns)
        )

    def _refusal(self, verdict: Verdict) -> ImportRefused:
        wrong = [
            self._error(judged.line.number, finding, one)
            for judged, one in zip(verdict.lines, self.askings, strict=True)
            for finding in judged.findings
            if finding.severity == "error"
        ]
        refused = sum(not one.fits for one in verdict.lines)
        detail = f"{refused} of {len(verdict.lines)} rows cannot be posts, so none was made. {wrong[0].detail}"
        return ImportRefused(f"{detail} Send it with ?dry_run=true to see all.", errors=wrong)

    def _error(self, line: int, finding: Finding, one: Asking) -> FieldError:
        column = columns.column_of(finding, self.columns)
        where = f"Line {line}, {column}" if column else f"Line {line}"
        detail = f"{where}: {rows.words(finding, one)} {finding.advice}".strip()
        return FieldError(pointer((line, column) if column else (line,)), finding.code, detail)


def _accounts(lines: list[importing.Line]) -> set[UUID]:
    return {account for line in lines if line.order for account in line.order.accounts}


def _outcome(judged: Judged) -> str:
    if judged.post is not None:
        return "made" if judged.made else "there"
    return "ready" if judged.fits else "refused"
