"""Every tenant's schema brought up to date: a few first, then chunks, each tenant in a transaction of its own.

What is behind is asked of the registry, so that a repetition migrates only those, and a tenant that is up to date costs
nothing. A tenant that fails is noted with the reason and never stops the others, unless it is one of the first few.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from socialflow.platform.database import Connection
from socialflow.platform.migrator import MigrationChanged, MigrationFailed, SchemaBusy, hold, migrate, together
from socialflow.platform.observability import logger
from socialflow.tenants import migration_repository as repository
from socialflow.tenants import schema

CHUNK = 50
CHUNKS = 1_000
"""Chunks of one listing; the tenants after them are in the next one."""
TRIES = 3
"""How often a tenant is tried whose tables somebody holds, each time after the others."""
PASSES = 3
"""How often the registry is asked whether anybody is still behind who has not failed."""
SHOWN = 20
LAST = "~"

Outcome = Literal["migrated", "failed", "again"]
Clock = Callable[[], bool]
"""Whether there is time for another tenant."""


@dataclass
class Progress:
    """What came of a number of tenants: names applied by schema, and reasons by schema."""

    applied: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unfinished: bool = False

    @property
    def outcome(self) -> Outcome:
        """`again` where the time was too short for all."""
        return "again" if self.unfinished else "failed" if self.failed else "migrated"

    def document(self) -> dict[str, object]:
        """Return the outcome and counts: what a state of the workflow answers."""
        return {"outcome": self.outcome, "migrated": len(self.applied), "failed": len(self.failed)}


@dataclass(frozen=True)
class Listing:
    """Who is to be migrated next."""

    canaries: list[str]
    chunks: list[dict[str, str]]


@dataclass(frozen=True)
class Report:
    """How it stands after a pass."""

    outcome: Outcome
    behind: int
    failed: int
    tenants: dict[str, str]


def always() -> bool:
    """Be in no hurry."""
    return True


def begin(connection: Connection) -> tuple[dict[str, list[str]], datetime]:
    """Migrate the registry and the cell, and say what tenants' schemas are to be; return what was applied, and when.

    From the commit on, a tenant is made with the newest schema or not at all. Raises `MigrationFailed`; as
    `SchemaBusy` it is worth another try.
    """
    with together(connection):
        applied = {"control": migrate(connection, "control", "control")}
    with together(connection):
        applied["cell"] = migrate(connection, "cell", "cell")
    with together(connection):
        repository.aim(connection, schema.version())
    return applied, repository.clock(connection)


def begin_patiently(connection: Connection) -> tuple[dict[str, list[str]], datetime]:
    """Begin, and where somebody holds the registry, some more times: each has waited already."""
    for _ in range(TRIES - 1):
        try:
            return begin(connection)
        except SchemaBusy:
            logger.warning("The registry or the cell is held by somebody")
    return begin(connection)


def listing(connection: Connection, since: datetime, *, has_canaries: bool) -> Listing:
    """Return who is behind and has not failed since: the first few, and all of them in chunks."""
    version = schema.version()
    return Listing(
        canaries=repository.canaries(connection, version, since) if has_canaries else [],
        chunks=repository.chunks(connection, version, since, size=CHUNK, limit=CHUNKS),
    )


def migrate_these(connection: Connection, slugs: list[str], since: datetime, has_time: Clock = always) -> Progress:
    """Migrate those of the tenants that are behind and have not failed since."""
    return _migrate(connection, repository.among(connection, schema.version(), since, slugs), has_time)


def migrate_chunk(connection: Connection, first: str, last: str, since: datetime, has_time: Clock = always) -> Progress:
    """Migrate the tenants between two slugs that are behind and have not failed since."""
    return _migrate(connection, repository.within(connection, schema.version(), since, first, last), has_time)


def report(connection: Connection, since: datetime, *, passes: int) -> Report:
    """Tell who is behind: `again` where somebody has come along who was not tried yet, at the most so many times."""
    version = schema.version()
    behind, failed = repository.count(connection, version, since)
    tenants = {one.slug: one.error or one.state for one in repository.behind(connection, version, limit=SHOWN)}
    if behind:
        logger.error("Tenants are behind", behind=behind, failed=failed, tenants=tenants)
    outcome: Outcome = "migrated" if not behind else "again" if behind > failed and passes < PASSES else "failed"
    return Report(outcome, behind, failed, tenants)


def behind(connection: Connection, limit: int = 200) -> list[dict[str, object]]:
    """Return who is behind and why, those that failed first: for operators."""
    return [asdict(one) for one in repository.behind(connection, schema.version(), limit=limit)]


def migrate_everything(connection: Connection, has_time: Clock = always) -> Progress:
    """Do the whole in one process, for installations of a few hundred tenants: what the workflow does for more."""
    applied, since = begin_patiently(connection)
    done = Progress(applied=dict(applied))
    canaries = listing(connection, since, has_canaries=True).canaries
    _add(done, migrate_these(connection, canaries, since, has_time))
    if done.outcome == "migrated":
        _add(done, _migrate(connection, repository.within(connection, schema.version(), since, "", LAST), has_time))
    return done


def _migrate(connection: Connection, slugs: Iterable[str], has_time: Clock) -> Progress:
    """Migrate one after the other; who is busy comes again after the others."""
    done = Progress()
    waiting = list(slugs)
    for tries in range(1, TRIES + 1):
        busy = []
        for slug in waiting:
            if not has_time():
                done.unfinished = True
                return done
            if not _migrate_one(connection, slug, done, is_last=tries == TRIES):
                busy.append(slug)
        waiting = busy
    return done


def _migrate_one(connection: Connection, slug: str, done: Progress, *, is_last: bool) -> bool:
    """Migrate a tenant and note what came of it; False where it is to be tried again."""
    version, name = schema.version(), f"t_{slug}"
    try:
        with together(connection):
            repository.note(connection, slug, "running")
        with together(connection):
            done.applied |= {name: applied} if (applied := _up_to_date(connection, slug, version)) is not None else {}
    except SchemaBusy as busy:
        if not is_last:
            return False
        reason = f"Somebody holds its tables, {TRIES} times: {busy}"
    except (MigrationFailed, MigrationChanged) as failure:
        reason = str(failure)
    else:
        return True
    done.failed[name] = reason
    with together(connection):
        repository.note(connection, slug, "failed", reason)
    logger.error("A tenant could not be migrated", tenant=slug, reason=reason)
    return True


def _up_to_date(connection: Connection, slug: str, version: str) -> list[str] | None:
    """Build the schema, unless under the lock it turns out that somebody has, or that the tenant is gone."""
    hold(connection, f"t_{slug}")
    repository.bound(connection)
    has_schema = repository.has_schema(connection, slug, version)
    if has_schema is None:
        repository.note(connection, slug, "done")
        return None
    if not has_schema:
        raise MigrationFailed(f"The schema t_{slug} is missing: restore it, or provision the tenant again")
    repository.note(connection, slug, "done")
    return schema.build(connection, slug)


def _add(whole: Progress, part: Progress) -> None:
    whole.applied |= part.applied
    whole.failed |= part.failed
    whole.unfinished = whole.unfinished or part.unfinished
