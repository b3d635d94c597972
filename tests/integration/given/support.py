"""Support access."""

from socialflow.identity import support_service
from socialflow.identity.support import Wanted
from socialflow.platform.clock import now
from tests.integration.given import World, preparation


@preparation("an operator may look into acme")
def looking_in(world: World) -> dict[str, str]:
    """Nina may look into acme for an hour: `${grant_id}`, with `${bearer}`."""
    why = "Ticket 4711: captions are missing."
    grant, bearer = support_service.give(world.owner, world.acme, Wanted("nina", why), at=now())
    return {"grant_id": str(grant.id), "bearer": bearer}
