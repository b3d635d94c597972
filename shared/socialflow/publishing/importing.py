"""Many posts at once, from the lines of a file: each judged as one that is made alone, then all of them made, or none.

A line is known again by what it says: sent once more it is the post that it made, unless that one was cancelled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.entitlements.model import LimitReached
from socialflow.errors import Conflict, FieldError, Refusal
from socialflow.platform.database import Transaction
from socialflow.publishing import composing, planning, queueing, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.composing import Draft
from socialflow.publishing.findings import Finding, error, warning
from socialflow.publishing.planning import Known
from socialflow.publishing.queueing import Vacancies
from socialflow.publishing.service import Order
from socialflow.publishing.timing import Due

# Two that bring the same file at once would both find that no line of it is there yet.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('import:' || %(tenant)s, 0))"
_THERE = """
SELECT id, request_sha256, due_at, slot FROM {s}.posts
 WHERE id = ANY(%(ids)s) OR (request_sha256 = ANY(%(asked)s) AND state <> 'cancelled')
 ORDER BY created_at, id
"""


class ImportInFlight(Conflict):
    """The tenant's posts are being imported by somebody now."""

    code, title = "import-in-flight", "Another file is being imported now"


@dataclass(frozen=True)
class Line:
    """A post as a line of a file asks for it; None where that could not be read. `findings` are the reader's own."""

    number: int
    order: Order | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class There:
    """A post that is there."""

    id: UUID
    request_sha256: bytes
    due_at: datetime | None
    slot: str | None


@dataclass(frozen=True)
class Judged:
    """What is found of a line, and the time that its post would have; `post` is the one that is there."""

    line: Line
    findings: tuple[Finding, ...]
    due: Due | None = None
    post: There | None = None
    made: bool = False

    @property
    def fits(self) -> bool:
        """Whether nothing of it is refused."""
        return all(one.severity != "error" for one in self.findings)


@dataclass(frozen=True)
class Verdict:
    """What is found of all lines; `limit` is why the plan has no room for those that are new."""

    lines: tuple[Judged, ...]
    limit: LimitReached | None

    @property
    def fits(self) -> bool:
        """Whether all of it would be made."""
        return self.limit is None and all(one.fits for one in self.lines)


def begin(tx: Transaction) -> None:
    """Be the only one who imports here until the commit; raises `ImportInFlight`."""
    if not tx.value(_ALONE, {"tenant": tx.tenant.slug}):
        raise ImportInFlight("Wait until it is done, and send yours again.", retry_after=5)


def judge(tx: Transaction, lines: Sequence[Line], known: Known, asked: Asked, *, hold: bool) -> Verdict:
    """Judge every line in its turn; with `hold` the times of the queue that are given stay so until the commit."""
    there, free = _there(tx, lines), None
    if any(line.order and line.order.due == "next_slot" for line in lines):
        free = queueing.vacancies(tx, at=asked.at, hold=hold)
    repeats = _Repeats()
    judged = tuple(_judged(line, there.get(line.number), known, free, repeats) for line in lines)
    new = sum(one.post is None for one in judged)
    return Verdict(judged, _limit(tx, new, asked.at))


def make(tx: Transaction, verdict: Verdict, known: Known, asked: Asked) -> Verdict:
    """Make every post of a verdict that is not there yet; raises `LimitReached`, and as `service.create` does."""
    if verdict.limit is not None:
        raise verdict.limit
    return replace(verdict, lines=tuple(_made(tx, one, known, asked) for one in verdict.lines))


def _made(tx: Transaction, judged: Judged, known: Known, asked: Asked) -> Judged:
    if judged.post is not None or judged.line.order is None:
        return judged
    order = replace(judged.line.order, due=judged.due)
    detail, is_new = service.create(tx, order, known, asked)
    return replace(judged, post=There(detail.post.id, order.sha256, detail.post.due_at, detail.post.slot), made=is_new)


def _there(tx: Transaction, lines: Sequence[Line]) -> dict[int, There]:
    """Return the posts that lines have made before, or whose ids they name, by the lines' numbers."""
    orders = {line.number: line.order for line in lines if line.order}
    ids = [order.id for order in orders.values() if order.id]
    found = tx.all(There, _THERE, {"ids": ids, "asked": [order.sha256 for order in orders.values() if not order.id]})
    by_id, by_request = {one.id: one for one in found}, {bytes(one.request_sha256): one for one in found}
    pairs = (
        (number, by_id.get(order.id) if order.id else by_request.get(order.sha256)) for number, order in orders.items()
    )
    return {number: post for number, post in pairs if post}


def _judged(line: Line, there: There | None, known: Known, free: Vacancies | None, repeats: "_Repeats") -> Judged:
    order = line.order
    if order is None:
        return Judged(line, line.findings)
    unread = any(one.severity == "error" for one in line.findings)  # what it meant, nobody knows
    repeated = () if unread else tuple(repeats.of(line, order, known))
    if there is not None and bytes(there.request_sha256) == order.sha256:
        return Judged(line, (), post=there)
    findings = (*line.findings, *_of_content(order, known), *repeated)
    if there is not None:
        findings += (error("/id", "post-exists", "The id belongs to another post.", "Choose a new one."),)
    if any(one.severity == "error" for one in findings):
        return Judged(line, findings)
    return _timed(line, order, findings, known, free)


def _timed(line: Line, order: Order, findings: tuple[Finding, ...], known: Known, free: Vacancies | None) -> Judged:
    if not isinstance(order.due, str):
        return Judged(line, findings, order.due)
    assert free is not None
    try:
        return Judged(line, findings, free.give([(one, known.destinations[one].network) for one in order.accounts]))
    except Refusal as refusal:
        return Judged(line, (*findings, error("/publish_at", refusal.code, refusal.detail, "")))


def _of_content(order: Order, known: Known) -> Iterator[Finding]:
    """Yield what making it refuses, then all else that is found; at its networks a draft is refused nothing yet."""
    planned = order.due is not None
    report = composing.check(Draft(order.written, order.accounts), known)
    found = list(report.findings)
    for checked in report.checked:
        if checked.account_id is not None:
            found += checked.findings if planned else [replace(one, severity="warning") for one in checked.findings]
    errors = {(one.pointer, one.code) for one in found if one.severity == "error"}
    yield from (fault for fault in _refused(order, known, planned=planned) if (fault.pointer, fault.code) not in errors)
    yield from dict.fromkeys(found)


def _refused(order: Order, known: Known, *, planned: bool) -> list[Finding]:
    try:
        service.check_id(order.id)
        content, places = planning.pinned(order.written, known), planning.destinations(order.accounts, known)
        if planned:
            renderings = [content.rendered_for(one.network, one.account_id, one.remote_account) for one in places]
            planning.check_fit(content, list(zip(renderings, places, strict=True)), known)
    except Refusal as refusal:
        faults = refusal.errors or (FieldError("", refusal.code),)
        return [error(one.pointer, one.code, one.detail or refusal.detail, "") for one in faults]
    return []


def _limit(tx: Transaction, new: int, at: datetime) -> LimitReached | None:
    try:
        entitlements.check_room(tx, "posts", new, at=at)
    except LimitReached as reached:
        return reached
    return None


class _Repeats:
    """What the lines before have said, at which account and when."""

    def __init__(self) -> None:
        self._said: dict[tuple[object, ...], int] = {}
        self._ids: dict[UUID, int] = {}

    def of(self, line: Line, order: Order, known: Known) -> Iterator[Finding]:
        """Yield what a line repeats. What goes out twice alike at one time is refused; else somebody may mean it."""
        if order.id is not None and (before := self._ids.setdefault(order.id, line.number)) != line.number:
            yield error("/id", "repeated", f"Line {before} has the same id.", "Each post has its own.")
        due = order.due.at if isinstance(order.due, Due) else order.due
        earlier = {self._before(line, order, account, due, known) for account in order.accounts} - {None}
        for before in sorted(number for number in earlier if number):
            words = f"Line {before} says the same at the same time, for an account of this line."
            if isinstance(order.due, Due):
                yield error("", "repeats-line", words, "Delete one of them, or change its text, its media or its time.")
            else:
                yield warning("", "repeats-line", words, "Delete one of them, unless both are meant.")

    def _before(self, line: Line, order: Order, account: UUID, due: object, known: Known) -> int | None:
        place, written = known.destinations.get(account), order.written
        if place is None:
            return None
        variant = written.variants.get(place.network)
        text = written.text if variant is None or variant.text is None else variant.text
        media = written.media if variant is None or variant.media is None else variant.media
        said = (account, due, text.strip(), tuple(one.id for one in media))
        before = self._said.setdefault(said, line.number)
        return None if before == line.number else before
