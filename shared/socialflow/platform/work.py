"""Work: one row for each subject whose workflow must move.

The database is the truth, executions are workers. A row whose `wake_at` has passed is started, or started again: `run`
goes up by one under the row's lock, and every task of an older run finds itself superseded. A row without `wake_at` is
at rest: it stays for the number of its last run, as that run's name cannot be used again.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from socialflow.platform import registry
from socialflow.platform.aws import client
from socialflow.platform.database import Connection, Transaction, engine_room
from socialflow.platform.observability import logger

Kind = Literal["ingest", "publish", "export", "digest", "rendition", "caption", "embedding"]

GRACE = timedelta(seconds=120)
"""How long a started run may be silent before it is started again (longer once six in a row have failed); a task that
needs longer postpones."""
INPUT_VERSION = 1
DEFAULT_CELL = "cell-1"

_SCHEDULE = """
INSERT INTO cell.work (tenant, kind, id, wake_at) VALUES (%(tenant)s, %(kind)s, %(id)s, %(wake_at)s)
ON CONFLICT (tenant, kind, id) DO UPDATE SET wake_at = excluded.wake_at, failures = 0, unheard = false
"""
_SCHEDULE_RESTING = """
INSERT INTO cell.work AS w (tenant, kind, id, wake_at) SELECT %(tenant)s, %(kind)s, unnest(%(ids)s::uuid[]), %(wake_at)s
ON CONFLICT (tenant, kind, id) DO UPDATE SET wake_at = excluded.wake_at, failures = 0, unheard = false
 WHERE w.wake_at IS NULL
"""
# A run that has finished is over, as a superseded one is: nothing of it may set the subject in motion again.
_OF_RUN = " WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s AND run = %(run)s AND wake_at IS NOT NULL"
_AT_REST = "wake_at = NULL, token = NULL, token_run = NULL, begun_at = NULL, failures = 0, unheard = false"
_FINISH = f"UPDATE cell.work SET {_AT_REST}{_OF_RUN}"
_POSTPONE = "UPDATE cell.work SET wake_at = %(wake_at)s, unheard = false" + _OF_RUN
# What wakes as it has promised has not failed.
_BEGIN: LiteralString = """
UPDATE cell.work w SET run = w.run + 1, token = NULL, token_run = NULL, begun_at = clock_timestamp(),
       failures = w.unheard::int * (w.failures + 1), unheard = true,
       wake_at = clock_timestamp()
           + greatest(%(grace)s, least(2 ^ least(w.unheard::int * (w.failures + 1), 12), 3600) * interval '1 second')
  FROM due WHERE w.tenant = due.tenant AND w.kind = due.kind AND w.id = due.id
RETURNING w.tenant, w.kind, w.id, w.run
"""
# What a suspended tenant has uploaded stays due until it is active again. Its posts are started nevertheless: they stop
# at each step by themselves, but for the evidence of an attempt that was under way. Of a deleted tenant nothing is
# started: it stays due until it is restored, or purged.
_DUE: LiteralString = (
    """
WITH due AS (
    SELECT tenant, kind, id FROM cell.work
     WHERE wake_at <= clock_timestamp() AND NOT kind = ANY(%(bounded)s) AND NOT tenant = ANY(%(deleted)s)
     ORDER BY wake_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
    + _BEGIN
)
# Of a kind with room for so many, the tenants take turns: whose fewest are under way comes first, however many wait
# behind. Tenants are found by leaps through the index, and of each only as many rows are read as there is room for.
_ADMIT: LiteralString = (
    """
WITH RECURSIVE who AS (
    (SELECT tenant FROM cell.work WHERE kind = %(kind)s AND wake_at IS NOT NULL ORDER BY tenant LIMIT 1)
    UNION ALL
    SELECT (SELECT w.tenant FROM cell.work w
             WHERE w.kind = %(kind)s AND w.wake_at IS NOT NULL AND w.tenant > who.tenant ORDER BY w.tenant LIMIT 1)
      FROM who WHERE who.tenant IS NOT NULL),
busy AS (
    SELECT tenant, count(*) AS n FROM cell.work
     WHERE kind = %(kind)s AND begun_at IS NOT NULL AND wake_at > clock_timestamp() GROUP BY tenant),
waiting AS (
    SELECT who.tenant, first.id, first.wake_at,
           coalesce(busy.n, 0) + row_number() OVER (PARTITION BY who.tenant ORDER BY first.wake_at) AS turn
      FROM who LEFT JOIN busy USING (tenant) CROSS JOIN LATERAL (
           SELECT id, wake_at FROM cell.work
            WHERE kind = %(kind)s AND tenant = who.tenant AND wake_at <= clock_timestamp()
            ORDER BY wake_at LIMIT %(room)s) first
     WHERE NOT who.tenant = ANY(%(suspended)s) AND NOT who.tenant = ANY(%(deleted)s)),
next AS (
    SELECT tenant, id FROM waiting ORDER BY turn, wake_at
     LIMIT greatest(0, %(room)s - (SELECT coalesce(sum(n), 0) FROM busy))),
due AS (
    SELECT w.tenant, w.kind, w.id FROM cell.work w JOIN next ON w.tenant = next.tenant AND w.id = next.id
     WHERE w.kind = %(kind)s AND w.wake_at <= clock_timestamp() FOR UPDATE OF w SKIP LOCKED)
"""
    + _BEGIN
)
_ALONE = "SELECT set_config('lock_timeout', '5s', true), pg_advisory_xact_lock(hashtext('work'), hashtext(%(kind)s))"
_WAITS = """
SELECT EXISTS (SELECT FROM cell.work WHERE kind = ANY(%(kinds)s) AND wake_at <= clock_timestamp()
                  AND NOT tenant = ANY(%(suspended)s) AND NOT tenant = ANY(%(deleted)s))
"""
_HURRY = (
    """
UPDATE cell.work
   SET wake_at = least(wake_at, clock_timestamp() + least(2 ^ least(failures + 1, 12), 3600) * interval '1 second'),
       begun_at = NULL, unheard = true
"""
    + _OF_RUN
)
# The token stays: by it the execution that waits is told that there is nothing to wait for.
_END = """
UPDATE cell.work SET wake_at = NULL, begun_at = NULL, failures = 0, unheard = false
 WHERE tenant = %(tenant)s AND id = ANY(%(ids)s)
"""
_PARKED = """
SELECT token FROM cell.work
 WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s AND token_run = run
"""
# `least` takes no notice of NULL: without the condition what is at rest would be woken.
_WAKE_EVERYTHING = "UPDATE cell.work SET wake_at = least(wake_at, clock_timestamp()) WHERE wake_at IS NOT NULL"
_RESTART = """
UPDATE cell.work SET wake_at = clock_timestamp(), token = NULL, token_run = NULL
 WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s AND token = %(token)s
"""


@dataclass(frozen=True)
class Run:
    """One run of a subject's workflow."""

    tenant: str
    kind: Kind
    id: UUID
    run: int

    @property
    def name(self) -> str:
        """The execution's name: a closed one is refused for 90 days, so a run starts once."""
        return f"{self.kind}-{self.id}-{self.run}"

    def document(self) -> str:
        """Return the execution's input."""
        facts = {"v": INPUT_VERSION, "tenant": self.tenant, "kind": self.kind, "id": str(self.id), "run": self.run}
        return json.dumps(facts, separators=(",", ":"))


def schedule(tx: Transaction, kind: Kind, subject_id: UUID, *, wake_at: datetime) -> None:
    """Ask for the subject's workflow at `wake_at`; an earlier wish is replaced."""
    tx.execute(_SCHEDULE, {"tenant": tx.tenant.slug, "kind": kind, "id": subject_id, "wake_at": wake_at})


def schedule_resting(tx: Transaction, kind: Kind, subject_ids: Sequence[UUID], *, wake_at: datetime) -> int:
    """Ask for the workflows of those subjects that are at rest; return how many were."""
    given = {"tenant": tx.tenant.slug, "kind": kind, "ids": list(subject_ids), "wake_at": wake_at}
    return tx.execute(_SCHEDULE_RESTING, given)


def postpone(tx: Transaction, kind: Kind, subject_id: UUID, *, run: int, wake_at: datetime) -> bool:
    """Promise to be heard of by `wake_at`; False where the run is superseded."""
    return tx.execute(_POSTPONE, _of_run(tx, kind, subject_id, run) | {"wake_at": wake_at}) == 1


def is_current(tx: Transaction, kind: Kind, subject_id: UUID, *, run: int) -> bool:
    """Tell whether the run is the subject's newest; its row stays locked, so that it is so until the commit."""
    query = "SELECT run FROM cell.work" + _OF_RUN + " FOR UPDATE"
    return tx.value(query, _of_run(tx, kind, subject_id, run)) is not None


def finish(tx: Transaction, kind: Kind, subject_id: UUID, *, run: int) -> bool:
    """Put the subject to rest until it is scheduled again, as the next run; False where the run is superseded."""
    return tx.execute(_FINISH, _of_run(tx, kind, subject_id, run)) == 1


def end(tx: Transaction, subject_ids: Sequence[UUID]) -> None:
    """Put subjects to rest whatever run they are in, of every kind: each finds itself superseded."""
    tx.execute(_END, {"tenant": tx.tenant.slug, "ids": list(subject_ids)})


def park(tx: Transaction, kind: Kind, subject_id: UUID, *, run: int, token: str) -> bool:
    """Keep the task token that wakes the run; the newest wins. False where the run is superseded."""
    query = "UPDATE cell.work SET token = %(token)s, token_run = run, begun_at = NULL" + _OF_RUN
    return tx.execute(query, _of_run(tx, kind, subject_id, run) | {"token": token}) == 1


def step_aside(tx: Transaction, kind: Kind, subject_id: UUID, *, run: int, wake_at: datetime) -> bool:
    """Promise to be heard of by `wake_at`, and leave the room to others until then; False where superseded."""
    query = "UPDATE cell.work SET wake_at = %(wake_at)s, begun_at = NULL" + _OF_RUN
    return tx.execute(query, _of_run(tx, kind, subject_id, run) | {"wake_at": wake_at}) == 1


def parked_token(tx: Transaction, kind: Kind, subject_id: UUID) -> str | None:
    """Return the token that the subject's present run waits on."""
    token: str | None = tx.value(_PARKED, {"tenant": tx.tenant.slug, "kind": kind, "id": subject_id})
    return token


def restart(tx: Transaction, kind: Kind, subject_id: UUID, *, token: str) -> None:
    """Make the subject due now: whoever waited on this token is gone."""
    tx.execute(_RESTART, {"tenant": tx.tenant.slug, "kind": kind, "id": subject_id, "token": token})


def answer(token: str, outcome: Mapping[str, object]) -> bool:
    """Wake the waiting execution, after the commit. False where it no longer waits: the decision is a row anyway."""
    states = client("stepfunctions")
    try:
        states.send_task_success(taskToken=token, output=json.dumps(dict(outcome)))
    except (states.exceptions.TaskTimedOut, states.exceptions.TaskDoesNotExist, states.exceptions.InvalidToken):
        return False
    return True


def hurry(run: Run, *, cell: str = DEFAULT_CELL) -> bool:
    """Bring a run's next start forward: its execution is known to have failed. False where a newer run has it.

    The wait doubles with each failure in a row (2 s, 4 s, … one hour): what fails for ever does not cost for ever.
    """
    with engine_room(cell) as connection:
        where = {"tenant": run.tenant, "kind": run.kind, "id": run.id, "run": run.run}
        return connection.execute(_HURRY, where).rowcount == 1


def abandon(run: Run, *, cell: str = DEFAULT_CELL) -> bool:
    """Put the subject of a run to rest whose tenant is gone; False where a newer run has it."""
    with engine_room(cell) as connection:
        where = {"tenant": run.tenant, "kind": run.kind, "id": run.id, "run": run.run}
        return connection.execute(_FINISH, where).rowcount == 1


def wake_everything(*, cell: str = DEFAULT_CELL) -> int:
    """Make every subject due that is not at rest: all executions are known to be gone. Return how many there are.

    Safe at any time: a run that is alive after all finds itself superseded, and a subject with nothing to do yet goes
    back to sleep.
    """
    with engine_room(cell) as connection:
        return connection.execute(_WAKE_EVERYTHING).rowcount


def start_due(
    machines: Mapping[str, str], *, room: Mapping[Kind, int], cell: str = DEFAULT_CELL, limit: int = 100
) -> int:
    """Start an execution for each subject that is due, by kind of machine (ARNs); return how many were started.

    Of a kind in `room` only as many are under way at once; what waits for its turn is begun by a later call. Nothing
    of such a kind is begun for a suspended tenant; what has begun ends as it may.
    The run's number is committed first. Dying before the start costs a grace period, never a second run of one number.
    """
    given = {"grace": GRACE, "limit": limit, "suspended": registry.suspended(), "deleted": registry.deleted()}
    with engine_room(cell) as connection:
        runs = _runs(connection, _DUE, given | {"bounded": list(room)})
    for kind, most in room.items():
        with engine_room(cell) as connection:
            connection.execute(_ALONE, {"kind": kind})  # two that count at once would both find room
            runs += _runs(connection, _ADMIT, given | {"kind": kind, "room": most})
    for run in runs:
        _start(machines[run.kind], run)
    return len(runs)


def waits(kinds: Collection[Kind], *, cell: str = DEFAULT_CELL) -> bool:
    """Tell whether a subject of these kinds is due and not begun, for want of room."""
    given = {"kinds": list(kinds), "suspended": registry.suspended(), "deleted": registry.deleted()}
    with engine_room(cell) as connection:
        return connection.execute(_WAITS, given).fetchone() == (True,)


def _runs(connection: Connection, query: LiteralString, given: Mapping[str, object]) -> list[Run]:
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(query, given).fetchall()


def _start(machine: str, run: Run) -> None:
    states = client("stepfunctions")
    try:
        states.start_execution(stateMachineArn=machine, name=run.name, input=run.document())
    except states.exceptions.ExecutionAlreadyExists:
        logger.info("The run was started already", execution=run.name)


def _of_run(tx: Transaction, kind: Kind, subject_id: UUID, run: int) -> dict[str, object]:
    return {"tenant": tx.tenant.slug, "kind": kind, "id": subject_id, "run": run}
