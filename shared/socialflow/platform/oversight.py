"""What operators look at and set in motion, across tenants: the registry, work, and facts that were parked."""

from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from socialflow.errors import Conflict, NotFound
from socialflow.platform.database import control, engine_room
from socialflow.platform.tenancy import Tenant

_FIND = """
SELECT t.slug, t.id::text, t.name, t.status, t.plan, t.cell, t.schema_version, t.created_at,
       (SELECT count(*) FROM control.members m WHERE m.tenant_id = t.id) AS members
  FROM control.tenants t
 WHERE t.slug = %(text)s OR t.id::text = lower(%(text)s)
    OR position(lower(%(text)s) IN t.slug) > 0 OR position(lower(%(text)s) IN lower(t.name)) > 0
 ORDER BY t.slug <> %(text)s, t.slug LIMIT 20
"""
_USAGE = "SELECT meter, period, used FROM cell.usage WHERE tenant = %(tenant)s ORDER BY meter, period"
_STANDING = """
SELECT (SELECT count(*) FROM cell.work WHERE tenant = %(tenant)s AND wake_at IS NOT NULL) AS work,
       (SELECT count(*) FROM cell.work WHERE tenant = %(tenant)s AND wake_at < now() - interval '5 minutes') AS overdue,
       (SELECT count(*) FROM cell.outbox WHERE tenant = %(tenant)s) AS facts,
       (SELECT count(*) FROM cell.outbox WHERE tenant = %(tenant)s AND parked_at IS NOT NULL) AS parked
"""
_WORK = """
SELECT kind, id::text, run, wake_at, token_run IS NOT NULL AND token_run = run AS waits_for_a_person,
       kind || '-' || id || '-' || run AS execution
  FROM cell.work WHERE tenant = %(tenant)s AND id = %(id)s
"""
_RESTART = """
UPDATE cell.work SET wake_at = clock_timestamp(), failures = 0, unheard = false
 WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s RETURNING run
"""
# What waits for its turn leaves by itself: only what was given up is put back, in its old place.
_UNPARK = """
UPDATE cell.outbox SET parked_at = NULL, attempts = 0
 WHERE tenant = %(tenant)s AND (id = %(id)s OR aggregate_id = %(id)s) AND parked_at IS NOT NULL
"""
_WAITS = "SELECT count(*) FROM cell.outbox WHERE tenant = %(tenant)s AND (id = %(id)s OR aggregate_id = %(id)s)"
_WAKE = """
UPDATE cell.work SET wake_at = clock_timestamp()
 WHERE tenant = %(tenant)s AND id = %(id)s AND wake_at IS NOT NULL
"""


class NoSuchWork(NotFound):
    """Nothing is known of that subject's workflow."""

    code, title = "no-such-work", "No such work"


class NothingToReplay(Conflict):
    """There is no fact to send again, and no workflow to wake."""

    code, title = "nothing-to-replay", "There is nothing to send again"


def find(text: str) -> list[dict[str, Any]]:
    """Return tenants by slug, id, or a part of slug or name, the exact one first; deleted ones too."""
    with control() as connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        return cursor.execute(_FIND, {"text": text}).fetchall()


def usage(tenant: str, cell: str) -> dict[str, Any]:
    """Return a tenant's usage by meter and period, and how its work and its facts stand."""
    rows = _read(_USAGE, cell, tenant=tenant)
    return {"usage": {f"{row['meter']} ({row['period']})": row["used"] for row in rows}} | _read(
        _STANDING, cell, tenant=tenant
    )[0]


def work_of(tenant: Tenant, subject: UUID) -> list[dict[str, Any]]:
    """Return the rows of work of one subject, without the token."""
    return _read(_WORK, tenant.cell, tenant=tenant.slug, id=subject)


def restart(tenant: Tenant, kind: str, subject: UUID) -> int:
    """Make a subject's workflow due now; return the run that it leaves behind. Always safe: the next run reads rows."""
    with engine_room(tenant.cell) as connection:
        row = connection.execute(_RESTART, {"tenant": tenant.slug, "kind": kind, "id": subject}).fetchone()
    if row is None:
        raise NoSuchWork(f"Tenant {tenant.slug!r} has no {kind} workflow of {subject}. Look at its state first.")
    run: int = row[0]
    return run


def replay(tenant: Tenant, ident: UUID) -> tuple[int, int]:
    """Put parked facts of that id, or of that aggregate, back into the outbox, and wake the aggregate's workflow.

    Return how many facts and workflows; raises `NothingToReplay`.
    """
    values = {"tenant": tenant.slug, "id": ident}
    with engine_room(tenant.cell) as connection:
        facts = connection.execute(_UNPARK, values).rowcount
        waits = connection.execute(_WAITS, values).fetchone()
        woken = connection.execute(_WAKE, values).rowcount
        if waits == (0,) and not woken:
            raise NothingToReplay(
                f"No fact waits under {ident}, and no workflow of it is under way: what it told has left. "
                "To begin a workflow anew use restart."
            )
    return facts, woken


def _read(query: LiteralString, cell: str, **values: object) -> list[dict[str, Any]]:
    with engine_room(cell) as connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        return cursor.execute(query, values).fetchall()
