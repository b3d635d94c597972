"""The SQL of the library: lists, counts, tags."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from socialflow.media.listing import REMEMBERED, Direction, Filters, Ordering, Part, Sort
from socialflow.media.model import MediaItem
from socialflow.media.repository import COLUMNS, typed
from socialflow.platform.database import Transaction

# Each is what an index is over, and beside it a mark's value in the same terms.
_KEYS: Mapping[Sort, tuple[LiteralString, LiteralString]] = {
    "created_at": ("created_at", "%(value)s::timestamptz"),
    "captured_at": (
        "coalesce(captured_at, '-infinity'::timestamp)",
        "coalesce(%(value)s::timestamp, '-infinity'::timestamp)",
    ),
    "file_name": ('lower(file_name) COLLATE "C"', 'lower(%(value)s::text) COLLATE "C"'),
    "size": ("coalesce(size, declared_size)", "%(value)s::bigint"),
}
_BEYOND: Mapping[Direction, LiteralString] = {"asc": ">", "desc": "<"}
# Which parts there are is known when the statement is planned: what is not asked for costs nothing.
_ASKED: LiteralString = """
   state = ANY(%(states)s) AND (deleted_at IS NULL OR deleted_at > %(remembered)s)
   AND (%(kind)s::text IS NULL OR kind = %(kind)s)
   AND (%(tags)s::text[] = '{{}}' OR tags @> %(tags)s)
   AND (%(uploaded_from)s::timestamptz IS NULL OR created_at >= %(uploaded_from)s)
   AND (%(uploaded_before)s::timestamptz IS NULL OR created_at < %(uploaded_before)s)
   AND (%(captured_from)s::timestamp IS NULL OR captured_at >= %(captured_from)s)
   AND (%(captured_before)s::timestamp IS NULL OR captured_at < %(captured_before)s)
   AND (%(colour)s::text IS NULL OR %(colour)s = ANY(colour_names))
   AND (%(uploader)s::uuid IS NULL OR created_by = %(uploader)s)
   AND (%(text)s::text IS NULL OR strpos(lower(title), lower(%(text)s)) > 0
        OR strpos(lower(file_name), lower(%(text)s)) > 0)
   AND (%(used)s::boolean IS NULL
        OR %(used)s = EXISTS (SELECT FROM {s}.posts_with(m.id) p WHERE p.state <> 'cancelled'))
"""
_PAGES: Mapping[Ordering, LiteralString] = {
    Ordering(sort, direction): f"""
SELECT {COLUMNS}
  FROM {{s}}.media_items m
 WHERE (%(id)s::uuid IS NULL OR ({key}, id) {beyond} ({value}, %(id)s)) AND {_ASKED}
 ORDER BY {key} {direction}, id {direction} LIMIT %(limit)s
"""
    for sort, (key, value) in _KEYS.items()
    for direction, beyond in _BEYOND.items()
}
_COUNTS = "SELECT state, kind, count(*) AS count FROM {s}.media_items WHERE state <> 'deleted' GROUP BY state, kind"
_TAGS = """
SELECT tag, count(*) AS count FROM {s}.media_items CROSS JOIN unnest(tags) AS tag
 WHERE tags <> '{{}}' AND starts_with(tag, %(beginning)s)
 GROUP BY tag ORDER BY count DESC, tag COLLATE "C" LIMIT %(limit)s
"""
# In the order of ids: those who lock several never wait for each other in a circle.
_LOCK_MANY = f"SELECT {COLUMNS} FROM {{s}}.media_items WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"
_SAVE = """
UPDATE {s}.media_items SET title = %(title)s, alt_text = %(alt_text)s, tags = %(tags)s, focal_x = %(focal_x)s,
       focal_y = %(focal_y)s, version = version + 1, updated_at = %(at)s
 WHERE id = %(id)s
"""
_SAVE_TAGS = """
UPDATE {s}.media_items m
   SET tags = ARRAY(SELECT jsonb_array_elements_text(c.tags)), version = version + 1, updated_at = %(at)s
  FROM jsonb_to_recordset(%(changed)s) AS c (id uuid, tags jsonb)
 WHERE m.id = c.id
"""
_PROGRESS = """
SELECT m.id, m.version, m.state, m.stage, m.percent, m.refusal_code, d.object_key AS thumb_key,
       d.object_version AS thumb_version, d.content_type AS thumb_type
  FROM {s}.media_items m LEFT JOIN {s}.derivatives d ON d.media_id = m.id AND d.variant = 'thumb'
 WHERE m.id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Counted:
    """So many media items are of a kind and in a state."""

    state: str
    kind: str
    count: int


@dataclass(frozen=True)
class Tag:
    """A tag, and how many media items have it."""

    tag: str
    count: int


@dataclass(frozen=True)
class Progress:
    """Where a media item stands, and its thumb's object where there is one."""

    id: UUID
    version: int
    state: str
    stage: str
    percent: int
    refusal_code: str | None
    thumb_key: str | None
    thumb_version: str | None
    thumb_type: str | None


def page(tx: Transaction, filters: Filters, part: Part, *, at: datetime) -> list[MediaItem]:
    """Return a part of the media items that pass the filters, in its order."""
    asked = asdict(filters) | {"states": list(filters.states), "tags": list(filters.tags)}
    mark = {"value": part.after and part.after.value, "id": part.after and part.after.id}
    more = mark | {"limit": part.limit, "remembered": at - REMEMBERED}
    return [typed(item) for item in tx.all(MediaItem, _PAGES[part.ordering], asked | more)]


def counts(tx: Transaction) -> list[Counted]:
    """Return how many media items there are of each kind in each state."""
    return tx.all(Counted, _COUNTS)


def tags(tx: Transaction, *, beginning: str, limit: int) -> list[Tag]:
    """Return the tags that begin so, the most used first."""
    return tx.all(Tag, _TAGS, {"beginning": beginning, "limit": limit})


def progress(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    """Return where media items stand, by their ids."""
    return {one.id: one for one in tx.all(Progress, _PROGRESS, {"ids": list(media_ids)})}


def lock_many(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, MediaItem]:
    """Return media items by their ids, their rows locked until the commit."""
    return {item.id: typed(item) for item in tx.all(MediaItem, _LOCK_MANY, {"ids": list(media_ids)})}


def save(tx: Transaction, item: MediaItem, *, at: datetime) -> None:
    """Write what people say of a locked media item."""
    tx.execute(_SAVE, asdict(item) | {"at": at})


def save_tags(tx: Transaction, changed: Mapping[UUID, Sequence[str]], *, at: datetime) -> None:
    """Write the tags of locked media items."""
    rows = [{"id": str(media_id), "tags": list(tags)} for media_id, tags in changed.items()]
    tx.execute(_SAVE_TAGS, {"changed": Jsonb(rows), "at": at})
