"""Deleting at its network what was published: asked for by a person, as often as they like."""

from typing import Any
from uuid import UUID

from functions.api_takedowns.schemas import TakenDownOut
from socialflow.accounts import renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account
from socialflow.accounts.renewal import Disconnected, NotRenewed, StillRenewing
from socialflow.errors import Unavailable
from socialflow.identity import door
from socialflow.platform.caller import Caller
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen
from socialflow.platform.database import transaction
from socialflow.platform.http import api, caller, entry, requires
from socialflow.platform.settings import (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    NetworkSettings,
    OidcSettings,
)
from socialflow.publishing import networks, takedown
from socialflow.publishing.model import Target
from socialflow.publishing.networks.port import Deletion, Gateway, Gone, Later, refused
from socialflow.publishing.refusals import NotDeleted

NEEDS = (
    DatabaseSettings,
    OidcSettings,
    KeySettings,
    EgressSettings,
    DoorbellSettings,
    LateSettings,
    NetworkSettings,
)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that the network has: a person waits."""
_GONE = "The account is not connected any more: connect it, or delete the post at the network."


class NetworkBusy(Unavailable):
    """The network does not answer now; asking again is harmless."""

    code, title = "network-unavailable", "The network does not answer"


@app.post("/v1/posts/<post_id>/targets/<target_id>/delete", summary="Delete a target at its network", tags=["posts"])
@requires("publishing:write", takes_away=True)
def delete(post_id: UUID, target_id: UUID) -> TakenDownOut:
    """Delete there what is out. What is there no more counts as deleted; the receipt stays, and says since when."""
    who = caller()
    with transaction(who.tenant) as tx:
        target = takedown.begin(tx, post_id, target_id)
    at = target.deleted_at or _deleted(who, target)
    return TakenDownOut(
        post_id=post_id, target_id=target.id, network=target.network, remote_id=target.remote_id or "", deleted_at=at
    )


def _deleted(who: Caller, target: Target) -> Any:
    answer = _asked(who, target)
    if isinstance(answer, Later):
        raise NetworkBusy(f"{answer.detail} Try again in a while.", retry_after=30)
    if not isinstance(answer, Gone):
        raise NotDeleted(answer.detail, reason=answer.code)
    at = now()
    with transaction(who.tenant) as tx:
        takedown.finish(tx, target, by=who.user.id, at=at)
    return at


def _asked(who: Caller, target: Target) -> Deletion:
    """Ask the network, never inside a transaction."""
    with transaction(who.tenant) as tx:
        credentials = accounts.credentials(tx, target.account_id, target.frozen_route)
    if credentials is None:
        raise NotDeleted(_GONE, reason="account-disconnected")
    try:
        gateway = renewal.opened(who.tenant, credentials, _connect)
    except (Disconnected, CannotOpen):
        raise NotDeleted(_GONE, reason="account-disconnected") from None
    except StillRenewing as error:
        return Later(f"{error}.")
    except NotRenewed as told:
        return refused(told.answer)
    return gateway.delete(target.remote_id or "", seconds=LONGEST_CALL)


def _connect(account: Account, token: str) -> Gateway:
    return networks.reached(account, token)


handler = entry(app, *NEEDS)
