"""People and tenants."""

from tests.integration.given import World, preparation


@preparation("acme is suspended")
def acme_is_suspended(world: World) -> dict[str, str]:
    """Suspend acme."""
    world.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE id = %s", (world.acme.id,))
    return {}
