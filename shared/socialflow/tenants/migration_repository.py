"""How far each tenant's schema is, in the registry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

import psycopg
from psycopg.rows import class_row, dict_row, scalar_row

from socialflow.platform import migrator

LONGEST_STATEMENT = "300s"

_NOW = "SELECT clock_timestamp()"
_AIMED = "SELECT FROM control.schema_target WHERE version = %s"
_AIM = """
INSERT INTO control.schema_target (version) VALUES (%s)
ON CONFLICT (only_row) DO UPDATE SET version = excluded.version, set_at = now()
"""
# Behind is what differs and is not newer: after a roll-back, what the newer deployment has migrated is left alone.
_BEHIND: LiteralString = """
  FROM control.tenants t LEFT JOIN control.migration_state m ON m.tenant_id = t.id
 WHERE t.status <> 'deleted' AND t.schema_version <> '' AND t.schema_version <> %(version)s
   AND split_part(t.schema_version, ':', 1) COLLATE "C" <= split_part(%(version)s, ':', 1)
"""
_FAILED_SINCE: LiteralString = "coalesce(m.state = 'failed' AND m.attempted_at >= %(since)s, false)"
_WAITING: LiteralString = _BEHIND + " AND NOT " + _FAILED_SINCE
_WITHIN = "SELECT t.slug" + _WAITING + ' AND t.slug COLLATE "C" BETWEEN %(first)s AND %(last)s ORDER BY 1'
_AMONG = "SELECT t.slug" + _WAITING + " AND t.slug = ANY(%(slugs)s) ORDER BY 1"
# The oldest, the newest and one between: schemas that have come different ways.
_CANARIES = (
    "WITH waiting AS (SELECT t.slug, row_number() OVER (ORDER BY t.created_at, t.slug) AS n, count(*) OVER () AS of"
    + _WAITING
    + ") SELECT slug FROM waiting WHERE n IN (1, (of + 1) / 2, of) ORDER BY n"
)
_CHUNKS = (
    """
WITH waiting AS (SELECT t.slug COLLATE "C" AS slug,
                        (row_number() OVER (ORDER BY t.slug COLLATE "C") - 1) / %(size)s AS chunk
"""
    + _WAITING
    + ") SELECT min(slug) AS first, max(slug) AS last FROM waiting GROUP BY chunk ORDER BY chunk LIMIT %(limit)s"
)
_STANDING = (
    "SELECT t.slug, t.schema_version, coalesce(m.state, 'pending') AS state, m.error, m.attempted_at"
    + _BEHIND
    + " ORDER BY m.state = 'failed' DESC NULLS LAST, t.slug LIMIT %(limit)s"
)
_COUNT = "SELECT count(*), count(*) FILTER (WHERE " + _FAILED_SINCE + ")" + _BEHIND
_CANDIDATE = "SELECT to_regnamespace('t_' || t.slug) IS NOT NULL" + _BEHIND + " AND t.slug = %(slug)s"
_NOTE = """
INSERT INTO control.migration_state (tenant_id, state, error) SELECT id, %s, %s FROM control.tenants WHERE slug = %s
ON CONFLICT (tenant_id)
    DO UPDATE SET state = excluded.state, error = excluded.error, attempted_at = excluded.attempted_at
"""


@dataclass(frozen=True)
class Behind:
    """A tenant whose schema is not what this deployment wants."""

    slug: str
    schema_version: str
    state: str
    error: str | None
    attempted_at: datetime | None


def clock(connection: psycopg.Connection) -> datetime:
    """Return the database's time: attempts are compared with it."""
    row = connection.execute(_NOW).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def aim(connection: psycopg.Connection, version: str) -> None:
    """Say what every schema is to be; waits for those who are making tenants by other rules, if it was another."""
    if connection.execute(_AIMED, (version,)).fetchone() is None:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (migrator.LOCK_TIMEOUT,))
        connection.execute(_AIM, (version,))


def bound(connection: psycopg.Connection) -> None:
    """Give up a statement of this transaction that takes so long that its worker would be ended first."""
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (LONGEST_STATEMENT,))


def within(connection: psycopg.Connection, version: str, since: datetime, first: str, last: str) -> list[str]:
    """Return the slugs of one chunk that are behind and have not failed since."""
    values = {"version": version, "since": since, "first": first, "last": last}
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_WITHIN, values).fetchall()


def among(connection: psycopg.Connection, version: str, since: datetime, slugs: list[str]) -> list[str]:
    """Return those of the slugs that are behind and have not failed since."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_AMONG, {"version": version, "since": since, "slugs": slugs}).fetchall()


def canaries(connection: psycopg.Connection, version: str, since: datetime) -> list[str]:
    """Return the few that go first."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_CANARIES, {"version": version, "since": since}).fetchall()


def chunks(
    connection: psycopg.Connection, version: str, since: datetime, *, size: int, limit: int
) -> list[dict[str, str]]:
    """Return `{first, last}` of each chunk: slugs between them, so that a listing stays small."""
    values = {"version": version, "since": since, "size": size, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_CHUNKS, values).fetchall()


def behind(connection: psycopg.Connection, version: str, *, limit: int) -> list[Behind]:
    """Return tenants that are behind, those that failed first."""
    with connection.cursor(row_factory=class_row(Behind)) as cursor:
        return cursor.execute(_STANDING, {"version": version, "limit": limit}).fetchall()


def count(connection: psycopg.Connection, version: str, since: datetime) -> tuple[int, int]:
    """Return how many are behind, and how many of them have failed since."""
    row = connection.execute(_COUNT, {"version": version, "since": since}).fetchone()
    assert row is not None
    return row[0], row[1]


def has_schema(connection: psycopg.Connection, slug: str, version: str) -> bool | None:
    """Return whether a tenant that is behind has its schema; None where it is not behind, or gone."""
    row = connection.execute(_CANDIDATE, {"slug": slug, "version": version}).fetchone()
    return row[0] if row else None


def note(
    connection: psycopg.Connection, slug: str, state: Literal["running", "done", "failed"], error: str | None = None
) -> None:
    """Note how it goes: before an attempt too, so that who kills a worker is known by name."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (migrator.LOCK_TIMEOUT,))
    connection.execute(_NOTE, (state, error and error[:500], slug))
