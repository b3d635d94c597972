"""Many posts at once, from the lines of a file: each judged as one that is made alone, then all of them made, or none.

A line is known again by what it says: sent once more it is the post that it made, unless that one was cancelled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.entitlements.model import LimitReached
from socialflow.errors import Conflict, FieldError, Refusal, Unavailable
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction
from socialflow.publishing import composing, queueing, repository, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.composing import Draft
from socialflow.publishing.findings import Finding, error, warning
from socialflow.publishing.planning import Known
from socialflow.publishing.queueing import Vacancies
from socialflow.publishing.refusals import PostExists
from socialflow.publishing.service import Order
from socialflow.publishing.timing import Due

LONGEST = timedelta(seconds=15)
"""From the request to its last row; the gateway waits 30 seconds, and the commit writes the audit."""

# Two that bring the same file at once would both find that no line of it is there yet.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('import:' || %(tenant)s, 0))"
_THERE = """
SELECT id, request_sha256, due_at, slot FROM {s}.posts
 WHERE id = ANY(%(ids)s) OR (request_sha256 = ANY(%(asked)s) AND state <> 'cancelled')
 ORDER BY created_at, id
"""


class ImportTooSlow(Unavailable):
    """It takes longer than a request may."""

    code, title = "import-too-slow", "The import takes too long"


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
    due_at: datetime | None
    slot: str | None


@dataclass(frozen=True)
class _Row(There):
    request_sha256: bytes


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
    judging = _Judging(tx, known, asked, free)
    judged = tuple(judging.of(line, there.get(line.number)) for line in lines)
    return Verdict(judged, _limit(tx, sum(one.post is None for one in judged), asked.at))


def make(tx: Transaction, verdict: Verdict, known: Known, asked: Asked) -> Verdict:
    """Make every post of a verdict that is not there yet; raises `LimitReached`, and what `service.drawn_up` does."""
    if verdict.limit is not None:
        raise verdict.limit
    made = replace(verdict, lines=tuple(_made(tx, one, known, asked) for one in verdict.lines))
    new = sum(one.made for one in made.lines)
    if new:  # last of all, as whoever makes a single post waits for it; of new posts nobody else holds a lock
        entitlements.take(tx, "posts", new, at=asked.at)
    return made


def _made(tx: Transaction, judged: Judged, known: Known, asked: Asked) -> Judged:
    order = judged.line.order
    if order is None or judged.post is not None:
        return judged
    _check_time(asked)
    post, targets = service.drawn_up(tx, replace(order, due=judged.due), known, asked)
    if not repository.insert(tx, post, order.sha256):
        raise PostExists("Somebody has just made a post with an id of the file. Send it again.", post_id=str(post.id))
    service.set_out(tx, post, targets, asked)
    return replace(judged, post=There(post.id, post.due_at, post.slot), made=True)


def _check_time(asked: Asked) -> None:
    if now() - asked.at > LONGEST:
        raise ImportTooSlow("Nothing was imported: the database is slow now. Send it again later, or in two halves.")


def _there(tx: Transaction, lines: Sequence[Line]) -> dict[int, _Row]:
    """Return the posts that lines have made before, or whose ids they name, by the lines' numbers."""
    orders = {line.number: line.order for line in lines if line.order}
    ids = [order.id for order in orders.values() if order.id]
    found = tx.all(_Row, _THERE, {"ids": ids, "asked": [order.sha256 for order in orders.values() if not order.id]})
    by_id, by_request = {one.id: one for one in found}, {bytes(one.request_sha256): one for one in found}
    pairs = (
        (number, by_id.get(order.id) if order.id else by_request.get(order.sha256)) for number, order in orders.items()
    )
    return {number: post for number, post in pairs if post}


def _limit(tx: Transaction, new: int, at: datetime) -> LimitReached | None:
    try:
        entitlements.check_room(tx, "posts", new, at=at)
    except LimitReached as reached:
        return reached
    return None


class _Judging:
    """One line after the other: what the earlier ones say, and the times that they are given, counts for the later."""

    def __init__(self, tx: Transaction, known: Known, asked: Asked, free: Vacancies | None) -> None:
        self._tx, self._known, self._asked, self._free = tx, known, asked, free
        self._repeats = _Repeats(known)

    def of(self, line: Line, there: _Row | None) -> Judged:
        """Judge a line; `there` is the post that it has made, or that has its id."""
        order = line.order
        if order is None:
            return Judged(line, line.findings)
        _check_time(self._asked)
        unread = any(one.severity == "error" for one in line.findings)  # what it means, nobody knows
        repeated = () if unread else tuple(self._repeats.of(line.number, order))
        if there is not None and bytes(there.request_sha256) == order.sha256:
            return Judged(line, (), post=there)
        findings = (*line.findings, *self._of_content(order), *repeated)
        if there is not None:
            findings += (error("/id", "post-exists", "The id belongs to another post.", "Choose a new one."),)
        if any(one.severity == "error" for one in findings):
            return Judged(line, findings)
        return self._timed(line, order, findings)

    def _timed(self, line: Line, order: Order, findings: tuple[Finding, ...]) -> Judged:
        if not isinstance(order.due, str):
            return Judged(line, findings, order.due)
        assert self._free is not None
        places = [(account, self._known.destinations[account].network) for account in order.accounts]
        try:
            return Judged(line, findings, self._free.give(places))
        except Refusal as refusal:
            return Judged(line, (*findings, error("/publish_at", refusal.code, refusal.detail, "")))

    def _of_content(self, order: Order) -> Iterator[Finding]:
        """Yield what making it refuses, then all else that is found; at its networks a draft is refused nothing yet."""
        found: list[Finding] = []
        if order.accounts:
            report = composing.check(Draft(order.written, order.accounts), self._known)
            found += report.findings
            at_networks = [one for checked in report.checked if checked.account_id for one in checked.findings]
            found += at_networks if order.due else [replace(one, severity="warning") for one in at_networks]
        told = {(one.pointer, one.code) for one in found if one.severity == "error"}
        yield from (fault for fault in self._refused(order) if (fault.pointer, fault.code) not in told)
        yield from dict.fromkeys(found)

    def _refused(self, order: Order) -> list[Finding]:
        due = Due(self._asked.at) if isinstance(order.due, str) else order.due  # the queue is asked when all else fits
        try:
            service.drawn_up(self._tx, replace(order, due=due), self._known, self._asked)
        except Refusal as refusal:
            faults = refusal.errors or (FieldError("", refusal.code),)
            return [error(one.pointer, one.code, one.detail or refusal.detail, "") for one in faults]
        return []


class _Repeats:
    """What the lines before have said, at which account and when."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._said: dict[tuple[object, ...], int] = {}
        self._ids: dict[UUID, int] = {}

    def of(self, number: int, order: Order) -> Iterator[Finding]:
        """Yield what a line repeats. What goes out twice alike at one time is refused; else somebody may mean it."""
        if order.id is not None and (before := self._ids.setdefault(order.id, number)) != number:
            yield error("/id", "repeated", f"Line {before} has the same id.", "Each post has its own.")
        for before in sorted({self._before(number, order, account) for account in order.accounts} - {number}):
            words = f"Line {before} says the same at the same time, for an account of this line."
            if isinstance(order.due, Due):
                yield error("", "repeats-line", words, "Delete one of them, or change its text, its media or its time.")
            else:
                yield warning("", "repeats-line", words, "Delete one of them, unless both are meant.")

    def _before(self, number: int, order: Order, account: UUID) -> int:
        """Return the first line that says there what this one says, which may be itself."""
        place, written = self._known.destinations.get(account), order.written
        if place is None:
            return number
        variant = written.variants.get(place.network)
        text = written.text if variant is None or variant.text is None else variant.text
        media = written.media if variant is None or variant.media is None else variant.media
        due = order.due.at if isinstance(order.due, Due) else order.due
        return self._said.setdefault((account, due, text.strip(), tuple(one.id for one in media)), number)
