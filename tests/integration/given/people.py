"""People and tenants."""

import json
from typing import Any

from tests.integration.given import World, preparation
from tests.svix import Clerk, headers


@preparation("acme is suspended")
def acme_is_suspended(world: World) -> dict[str, str]:
    """Suspend acme."""
    world.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE id = %s", (world.acme.id,))
    return {}


@preparation("Clerk says that acme's editor is deleted")
def editor_is_deleted(_world: World) -> dict[str, str]:
    """Sign what Clerk says: `${clerk_event}` with `${svix_id}`, `${svix_timestamp}` and `${svix_signature}`."""
    return _signed(Clerk().user_deleted("acme-editor", 1))


@preparation("Clerk says that a session has begun")
def session_has_begun(_world: World) -> dict[str, str]:
    """Sign what Clerk says of a session, in the same way."""
    return _signed({"type": "session.created", "data": {"id": "sess_1"}, "timestamp": 1661861640000})


def _signed(said: dict[str, Any]) -> dict[str, str]:
    body = json.dumps(said)
    sealed = {name.replace("-", "_"): value for name, value in headers(body).items()}
    return {"clerk_event": body, **sealed}
