"""What happens to exports, in order. Every change of the workflow is fenced by the run that makes it."""

from datetime import datetime
from uuid import UUID

from socialflow.exports import repository
from socialflow.exports.model import (
    KEPT_FOR,
    SILENCE,
    TRIES,
    Export,
    ExportNotFound,
    ExportRunning,
    Unexportable,
    Written,
)
from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id

KIND: work.Kind = "export"


def ask(tx: Transaction, *, by: UUID, at: datetime) -> Export:
    """Ask for an export; raises `ExportRunning` where one is open already."""
    export_id = new_id()
    if not repository.add(tx, export_id, by=by, at=at):
        running = repository.running(tx)
        raise ExportRunning(
            "An export of this tenant is being written. Wait until it is ready: GET /v1/exports tells.",
            export_id=str(running) if running else None,  # it may have ended meanwhile
        )
    work.schedule(tx, KIND, export_id, wake_at=at)
    return get(tx, export_id)


def get(tx: Transaction, export_id: UUID) -> Export:
    """Return an export; raises `ExportNotFound`."""
    found = repository.find(tx, export_id)
    if found is None:
        raise ExportNotFound("There is no such export. GET /v1/exports lists them.")
    return found


def page(tx: Transaction, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Export]:
    """Return exports, the newest first, below a position."""
    return repository.page(tx, after=after, limit=limit)


def begin(tx: Transaction, export_id: UUID, *, run: int, at: datetime) -> str:
    """Begin to write, from the beginning: `write`, `settled`, `failed` or `superseded`.

    An export that takes its worker down each time is given up.
    """
    export = repository.lock(tx, export_id)
    if export is None or not work.is_current(tx, KIND, export_id, run=run):
        return "superseded"
    if export.state not in ("queued", "writing"):
        work.finish(tx, KIND, export_id, run=run)
        return "settled"
    if export.tries >= TRIES:
        why = Unexportable("export-broken", f"The export was begun {TRIES} times and never ended. Ask support.")
        fail(tx, export_id, why, run=run, at=at)
        return "failed"
    repository.begin(tx, export_id)
    work.postpone(tx, KIND, export_id, run=run, wake_at=at + SILENCE)
    return "write"


def advance(tx: Transaction, export_id: UUID, *, run: int, percent: int) -> bool:
    """Note how far it is; False where the run is superseded."""
    if not work.is_current(tx, KIND, export_id, run=run):
        return False
    repository.advance(tx, export_id, stage="files", percent=percent)
    return True


def finish(tx: Transaction, export_id: UUID, made: Written, *, run: int, at: datetime) -> bool:
    """Note the archive; False where the run is superseded."""
    if not work.finish(tx, KIND, export_id, run=run):
        return False
    repository.finish(tx, export_id, made, at=at, expires_at=at + KEPT_FOR)
    return True


def fail(tx: Transaction, export_id: UUID, why: Unexportable, *, run: int, at: datetime) -> bool:
    """Note why there is no archive; False where the run is superseded."""
    if not work.finish(tx, KIND, export_id, run=run):
        return False
    repository.fail(tx, export_id, code=why.code, detail=why.detail, at=at)
    return True
