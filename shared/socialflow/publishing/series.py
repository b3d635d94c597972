"""Series: posts that recur. Each occurrence becomes an ordinary post a week ahead, once.

What is made goes the way of every post: it is approved by what it says, held against limits and counted. A change of
the series holds for what is not made yet, and on request for what is made and has not begun.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from socialflow.errors import FieldError, Refusal
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id
from socialflow.publishing import decisions, planning, recurring, series_repository, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.events import SeriesRefused
from socialflow.publishing.findings import Finding, warning
from socialflow.publishing.model import Post, PostState
from socialflow.publishing.planning import Known, Written
from socialflow.publishing.recurring import Occurrence, UnusableRule
from socialflow.publishing.refusals import SeriesChanged, SeriesEnded, TooManySeries, UnknownSeries
from socialflow.publishing.series_repository import Series, SeriesState
from socialflow.publishing.service import Order
from socialflow.publishing.timing import FURTHEST, UnusableTime, nearest, zone_of

AHEAD = timedelta(days=7)
"""How long before it is due an occurrence becomes a post: time to approve it, or to change it."""
AGAIN = timedelta(hours=1)
"""When one that could not be made is tried again."""
MOST = 100
"""Series of a tenant that have not ended."""
FORESEEN = 5
EARLIEST = timedelta(days=366)
"""How long ago a series may have begun: days are counted from there."""
NEW_TEXTS = frozenset({"x", "linkedin", "facebook"})
"""Networks that refuse a text that they have had shortly before."""
_NOT_BEGUN: tuple[PostState, ...] = ("draft", "awaiting_approval", "scheduled")


@dataclass(frozen=True)
class Recurrence:
    """When: a rule, and the clock's time of its first day in a zone."""

    rule: str
    starts_local: datetime
    zone: str


@dataclass(frozen=True)
class Wish:
    """What a person wants to recur."""

    written: Written
    accounts: tuple[UUID, ...]
    recurrence: Recurrence


@dataclass(frozen=True)
class SeriesChanges:
    """What a person wants changed of the `version` that they read; None: as it is. `made`: also what is made."""

    version: int | None
    written: Mapping[str, Any]
    accounts: tuple[UUID, ...] | None = None
    recurrence: Recurrence | None = None
    state: SeriesState | None = None
    made: bool = False


@dataclass(frozen=True)
class SeriesDetail:
    """A series, the posts of it that are made and not due yet, and the occurrences that are foreseen."""

    series: Series
    made: Sequence[Post]
    foreseen: Sequence[Occurrence]
    findings: Sequence[Finding]


def create(tx: Transaction, wish: Wish, known: Known, asked: Asked) -> SeriesDetail:
    """Make a series and what of it is due within a week; raises what making such a post raises, and then none is."""
    when = _understood(wish.recurrence, asked.at)
    if series_repository.living(tx) >= MOST:
        raise TooManySeries(f"A company has up to {MOST} series. End one first: POST /v1/series/{{id}}/end.")
    series = Series(
        id=new_id(),
        version=1,
        state="active",
        rule=when.rule,
        starts_local=when.starts_local,
        zone=when.zone,
        written=wish.written,
        accounts=wish.accounts,
        made_local=_wall(when.zone, asked.at),
        look_at=asked.at,
        missed=0,
        trouble_code=None,
        trouble_detail=None,
        trouble_at=None,
        created_by=asked.by,
        created_at=asked.at,
        updated_at=asked.at,
    )
    _check(series, known, asked)
    series_repository.insert(tx, series)
    return _carried_on(tx, series, known, asked)


def change(tx: Transaction, series_id: UUID, changes: SeriesChanges, known: Known, asked: Asked) -> SeriesDetail:
    """Change a series; with `made`, what is made and has not begun is cancelled and made anew."""
    present = _locked(tx, series_id, changes.version)
    when = _recurrence(present)
    if changes.recurrence is not None and changes.recurrence != when:
        when = _understood(changes.recurrence, asked.at)
    changed = replace(
        present,
        version=present.version + 1,
        state=changes.state or present.state,
        rule=when.rule,
        starts_local=when.starts_local,
        zone=when.zone,
        written=replace(present.written, **changes.written),
        accounts=present.accounts if changes.accounts is None else changes.accounts,
        created_by=asked.by,
        look_at=asked.at,
        trouble_code=None,
        trouble_detail=None,
        trouble_at=None,
    )
    _check(changed, known, asked)
    here = _wall(changed.zone, asked.at)
    if changes.made:
        _cancel_made(tx, changed, asked)
        changed = replace(changed, made_local=here)
    elif changed.made_local is None or (present.state == "paused" and changed.made_local < here):
        changed = replace(changed, made_local=here)  # what fell due meanwhile is not made up for
    series_repository.save(tx, changed)
    return _carried_on(tx, changed, known, asked)


def end(tx: Transaction, series_id: UUID, *, version: int | None, made: bool, asked: Asked) -> SeriesDetail:
    """End a series: nothing more is made of it. With `made`, what has not begun is cancelled."""
    present = _locked(tx, series_id, version, even_ended=True)
    ended = replace(present, version=present.version + 1, state="ended", look_at=None)
    if made:
        _cancel_made(tx, ended, asked)
    series_repository.save(tx, ended)
    return detail(tx, ended, at=asked.at)


def get(tx: Transaction, series_id: UUID, *, at: datetime) -> SeriesDetail:
    """Return a series; raises `UnknownSeries`."""
    series = series_repository.find(tx, series_id)
    if series is None:
        raise _unknown()
    return detail(tx, series, at=at)


def detail(tx: Transaction, series: Series, *, at: datetime, known: Known | None = None) -> SeriesDetail:
    """Return a series with its posts and what is foreseen."""
    made = [row.post() for row in series_repository.upcoming(tx, series.id, at)]
    ahead = _ahead(series, at + FURTHEST) if series.state == "active" else iter(())
    foreseen = list(islice((one for one in ahead if one.due.at > at), FORESEEN))
    return SeriesDetail(series, made, foreseen, _findings(series, known) if known else ())


def carry_on(tx: Transaction, series: Series, known: Known, asked: Asked) -> Series:
    """Make the posts of a locked series that are due within a week; what cannot be made is told and tried again."""
    missed, trouble = 0, None
    for one in _ahead(series, asked.at + AHEAD):
        if one.due.at <= asked.at:
            missed += 1
        else:
            trouble = _tried(tx, series, one, known, asked)
            if trouble is not None:
                break
        series = replace(series, made_local=one.local)
    following = next(_ahead(series, asked.at + FURTHEST), None)
    look_at = _next_look(series, following, asked.at, troubled=trouble is not None)
    carried = replace(
        series,
        missed=series.missed + missed,
        trouble_code=trouble.code if trouble else None,
        trouble_detail=trouble.detail if trouble else None,
        trouble_at=following.due.at if trouble and following else None,
        look_at=look_at,
        state="ended" if look_at is None else series.state,
    )
    if trouble is not None and trouble.code != series.trouble_code:
        tx.emit(SeriesRefused(subject_id=series.id, code=trouble.code))
    series_repository.save(tx, carried)
    return carried


def _tried(tx: Transaction, series: Series, one: Occurrence, known: Known, asked: Asked) -> Refusal | None:
    try:
        with tx.attempt():
            _make(tx, series, one, known, asked)
    except Refusal as refused:
        return refused
    return None


def _carried_on(tx: Transaction, series: Series, known: Known, asked: Asked) -> SeriesDetail:
    """Do the same for whoever waits for the answer: what cannot be made is refused, and nothing is kept."""
    if series.state == "active":
        for one in _ahead(series, asked.at + AHEAD):
            _make(tx, series, one, known, asked)
            series = replace(series, made_local=one.local)
        series = carry_on(tx, series, known, asked)
    return detail(tx, series, at=asked.at, known=known)


def _make(tx: Transaction, series: Series, one: Occurrence, known: Known, asked: Asked) -> None:
    digest = hashlib.sha256(f"series {series.id} {one.local.isoformat()}".encode()).digest()
    order = Order(id=None, written=series.written, accounts=series.accounts, due=one.due, sha256=digest)
    made, _ = service.create(tx, order, known, replace(asked, by=series.created_by))
    series_repository.mark(tx, made.post.id, series.id, one.local)


def _cancel_made(tx: Transaction, series: Series, asked: Asked) -> None:
    for row in series_repository.upcoming(tx, series.id, asked.at):
        if row.state in _NOT_BEGUN:
            decisions.cancel(tx, row.id)


def _ahead(series: Series, until: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences that are not made, up to a moment."""
    rule, zone = recurring.parsed(series.rule), ZoneInfo(series.zone)
    every = recurring.occurrences(rule, series.starts_local, zone, until=until)
    return (one for one in every if series.made_local is None or one.local > series.made_local)


def _next_look(series: Series, following: Occurrence | None, at: datetime, *, troubled: bool) -> datetime | None:
    """Return when to look again; None once the last of its occurrences is due: until then it may be changed."""
    if following is not None:
        return at + AGAIN if troubled else max(following.due.at - AHEAD, at + AGAIN)
    last = nearest(series.made_local, ZoneInfo(series.zone)).at if series.made_local else at
    return last if last > at else None


def _understood(wish: Recurrence, at: datetime) -> Recurrence:
    """Return a recurrence whose rule is understood and has a day within two years; raises refusals in words."""
    rule, start = recurring.parsed(wish.rule), wish.starts_local.replace(microsecond=0)
    zone = zone_of(wish.zone)
    if zone is None:
        raise _unusable("/zone", "unknown-zone", f"{wish.zone!r} is no time zone. Use a name such as Europe/Berlin.")
    if start.tzinfo is not None:
        raise _unusable("/starts_local", "offset-and-zone", "With a zone, the local time has no offset of its own.")
    here = _wall(wish.zone, at)
    if not here - EARLIEST <= start <= here + FURTHEST:
        words = "A series begins within the next two years, or has begun within the last one."
        raise _unusable("/starts_local", "too-far", words)
    every = recurring.occurrences(rule, start, zone, until=at + FURTHEST)
    if not any(one.due.at > at for one in every):
        detail = "The rule has no day within the next two years."
        raise UnusableRule(detail, errors=[FieldError("/rule", "no-day", detail)])
    return Recurrence(rule.text, start, wish.zone)


def _check(series: Series, known: Known, asked: Asked) -> None:
    """Raise what making a post of the series would raise."""
    content = planning.pinned(series.written, known)
    places = planning.destinations(series.accounts, known)
    pairs = [
        (target.rendering(content), place)
        for place in places
        for target in service.new_targets(series.id, place, content, asked.at, required=False)
    ]
    planning.check_fit(content, pairs, known)


def _findings(series: Series, known: Known) -> list[Finding]:
    networks = sorted({known.destinations[one].network for one in series.accounts if one in known.destinations})
    return [
        warning(
            "/rule",
            "repeated-text",
            f"{network} refuses a text that it has had shortly before.",
            "Choose a rule with longer pauses, or change each post's words when it is made.",
        )
        for network in networks
        if network in NEW_TEXTS
    ]


def _recurrence(series: Series) -> Recurrence:
    return Recurrence(series.rule, series.starts_local, series.zone)


def _wall(zone: str, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)


def _locked(tx: Transaction, series_id: UUID, version: int | None, *, even_ended: bool = False) -> Series:
    series = series_repository.lock(tx, series_id)
    if series is None:
        raise _unknown()
    if version is not None and version != series.version:
        raise SeriesChanged("Read it again and repeat what you want of it.", current_version=series.version)
    if series.state == "ended" and not even_ended:
        raise SeriesEnded("The series has ended: make another.")
    return series


def _unknown() -> UnknownSeries:
    return UnknownSeries("There is no such series. GET /v1/series lists them.")


def _unusable(pointer: str, code: str, detail: str) -> UnusableTime:
    return UnusableTime(detail, errors=[FieldError(pointer, code, detail)])
