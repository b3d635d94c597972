"""The SQL of series: posts that recur."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.platform.database import Transaction
from socialflow.publishing.planning import Wanted, WantedReply, WantedVariant, Written
from socialflow.publishing.repository import POST
from socialflow.publishing.repository import Row as PostRow

SeriesState = Literal["active", "paused", "ended"]

_SERIES = """
SELECT id, version, state, rule, starts_local, zone, content, accounts, made_local, look_at, missed, trouble_code,
       trouble_detail, trouble_at, created_by, created_at, updated_at
  FROM {s}.series
"""
_ONE = _SERIES + " WHERE id = %(id)s"
_LOCK = _ONE + " FOR UPDATE"
_PAGE = (
    _SERIES
    + """
 WHERE %(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(id)s)
 ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""
)
# Whoever makes the posts of a series has it until the commit; another takes the next.
_DUE = (
    _SERIES
    + """
 WHERE state = 'active' AND look_at <= %(at)s AND NOT id = ANY(%(seen)s)
 ORDER BY look_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
)
_INSERT = """
INSERT INTO {s}.series (id, state, rule, starts_local, zone, content, accounts, made_local, look_at, created_by)
VALUES (%(id)s, %(state)s, %(rule)s, %(starts_local)s, %(zone)s, %(content)s, %(accounts)s, %(made_local)s,
        %(look_at)s, %(created_by)s)
"""
_SAVE = """
UPDATE {s}.series
   SET version = %(version)s, state = %(state)s, rule = %(rule)s, starts_local = %(starts_local)s, zone = %(zone)s,
       content = %(content)s, accounts = %(accounts)s, made_local = %(made_local)s, look_at = %(look_at)s,
       missed = %(missed)s, trouble_code = %(trouble_code)s, trouble_detail = %(trouble_detail)s,
       trouble_at = %(trouble_at)s, updated_at = now()
 WHERE id = %(id)s
"""
_MARK = "UPDATE {s}.posts SET series_id = %(series)s, occurrence = %(local)s WHERE id = %(id)s"
_UPCOMING = POST + " WHERE p.series_id = %(id)s AND p.state <> 'cancelled' AND p.due_at > %(at)s ORDER BY p.due_at"
_LIVING = "SELECT count(*) FROM {s}.series WHERE state <> 'ended'"
# Whoever counts them and adds one waits for the one before.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext(%(schema)s), hashtext('series'))"


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What a series is, beside what its posts say and where they go."""

    id: UUID
    version: int
    state: SeriesState
    rule: str
    starts_local: datetime
    zone: str
    made_local: datetime | None
    look_at: datetime | None
    missed: int
    trouble_code: str | None
    trouble_detail: str | None
    trouble_at: datetime | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Series(_Facts):
    """A post that recurs."""

    written: Written
    accounts: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class _Row(_Facts):
    content: dict[str, Any]
    accounts: list[UUID]

    def series(self) -> Series:
        values = {name: value for name, value in vars(self).items() if name not in ("content", "accounts")}
        return Series(**values, written=written_of(self.content), accounts=tuple(self.accounts))


def find(tx: Transaction, series_id: UUID) -> Series | None:
    """Return a series."""
    row = tx.one(_Row, _ONE, {"id": series_id})
    return row.series() if row else None


def lock(tx: Transaction, series_id: UUID) -> Series | None:
    """Return a series, locked until the commit."""
    row = tx.one(_Row, _LOCK, {"id": series_id})
    return row.series() if row else None


def take_due(tx: Transaction, *, at: datetime, seen: Sequence[UUID]) -> Series | None:
    """Return a series whose next posts are to be made, locked; none of those that were seen."""
    row = tx.one(_Row, _DUE, {"at": at, "seen": list(seen)})
    return row.series() if row else None


def page(tx: Transaction, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Series]:
    """Return series, the newest first, below a position."""
    at, series_id = after or (None, None)
    return [row.series() for row in tx.all(_Row, _PAGE, {"at": at, "id": series_id, "limit": limit})]


def living(tx: Transaction) -> int:
    """Return how many have not ended; who asks is alone until the commit."""
    tx.execute(_ALONE, {"schema": tx.tenant.slug})
    count: int = tx.value(_LIVING)
    return count


def insert(tx: Transaction, series: Series) -> None:
    """Insert a series."""
    tx.execute(_INSERT, _values(series))


def save(tx: Transaction, series: Series) -> None:
    """Write a locked series back."""
    tx.execute(_SAVE, _values(series))


def mark(tx: Transaction, post_id: UUID, series_id: UUID, local: datetime) -> None:
    """Write which occurrence a post is; a second one of it is refused by the database."""
    tx.execute(_MARK, {"id": post_id, "series": series_id, "local": local})


def upcoming(tx: Transaction, series_id: UUID, at: datetime) -> list[PostRow]:
    """Return the posts of a series that are due after a moment, the first one first."""
    return tx.all(PostRow, _UPCOMING, {"id": series_id, "at": at})


def document_of(written: Written) -> dict[str, Any]:
    """Return what was written as JSON values, in the shape in which people send it."""
    return {
        "text": written.text,
        "media": _media(written.media),
        "variants": {
            name: {
                "text": one.text,
                "media": None if one.media is None else _media(one.media),
                "options": dict(one.options),
                "replies": None if one.replies is None else _replies(one.replies),
            }
            for name, one in written.variants.items()
        },
        "replies": _replies(written.replies),
    }


def written_of(document: dict[str, Any]) -> Written:
    """Read what `document_of` gave."""
    variants = {
        name: WantedVariant(
            one["text"],
            None if one["media"] is None else _wanted(one["media"]),
            one["options"],
            None if one["replies"] is None else _wanted_replies(one["replies"]),
        )
        for name, one in document["variants"].items()
    }
    return Written(document["text"], _wanted(document["media"]), variants, _wanted_replies(document["replies"]))


def _media(media: Sequence[Wanted]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(one.id),
            "alt_text": one.alt_text,
            "rendition_id": str(one.rendition_id) if one.rendition_id else None,
        }
        for one in media
    ]


def _replies(replies: Sequence[WantedReply]) -> list[dict[str, Any]]:
    return [{"text": one.text, "media": _media(one.media)} for one in replies]


def _wanted(media: list[dict[str, Any]]) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(UUID(one["id"]), one["alt_text"], UUID(one["rendition_id"]) if one["rendition_id"] else None)
        for one in media
    )


def _wanted_replies(replies: list[dict[str, Any]]) -> tuple[WantedReply, ...]:
    return tuple(WantedReply(one["text"], _wanted(one["media"])) for one in replies)


def _values(series: Series) -> dict[str, Any]:
    values = {name: value for name, value in vars(series).items() if name != "written"}
    return values | {"content": Jsonb(document_of(series.written)), "accounts": list(series.accounts)}
