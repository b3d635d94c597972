"""Exports at each point of their way."""

from functions.task_write_export.handler import handler as task_write_export
from socialflow.exports import service
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.integration.given import World, preparation


@preparation("an export's run")
def export_run(world: World) -> dict[str, str]:
    """Ask for an export of acme and start it: `${export_id}`, run 1."""
    with transaction(world.acme) as tx:
        export = service.ask(tx, by=new_id(), at=now())
    world.owner.execute("UPDATE cell.work SET run = 1 WHERE id = %s", (export.id,))
    return {"export_id": str(export.id)}


@preparation("an archive")
def archive(world: World) -> dict[str, str]:
    """Export acme: `${archive}` is the archive's key."""
    known = export_run(world)
    given = {"v": 1, "tenant": "acme", "kind": "export", "id": known["export_id"], "run": 1}
    assert task_write_export(given, None) == {"outcome": "written"}
    return known | {"archive": f"exports/acme/{known['export_id']}-1.zip"}
