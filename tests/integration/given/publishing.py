"""Accounts and posts at each point of their way. The accounts' server is a name that nobody has."""

from datetime import datetime, timedelta
from uuid import UUID

from functions.task_open_post.handler import handler as task_open_post
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Profile
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.publishing import decisions, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.content import Destination
from socialflow.publishing.model import Pace
from socialflow.publishing.networks import REVOKING
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.planning import Known, Written
from socialflow.publishing.service import Order
from socialflow.publishing.timing import Due
from tests.integration.given import World, preparation

SERVER = "https://no-such-server.invalid"
Ids = dict[str, str]


@preparation("a connected account")
def connected_account(world: World) -> Ids:
    """Connect an account of acme: `${account_id}`."""
    profile = Profile("mastodon", SERVER, "1", "@acme@no-such-server.invalid", {"idempotency_key": True})
    sealed = tokens.seal(world.acme, profile, "a-token")
    with transaction(world.acme) as tx:
        account, _ = accounts.connect(tx, profile, sealed, by=new_id(), at=now())
    return {"account_id": str(account.id)}


@preparation("a connected account that is due")
def due_account(world: World) -> Ids:
    """Connect an account of acme that is to be looked at now: `${account_id}`."""
    known = connected_account(world)
    world.owner.execute("UPDATE t_acme.social_accounts SET look_at = now()")
    return known


@preparation("a disconnected account whose token is to be given back")
def disconnected_account(world: World) -> Ids:
    """Connect an account of acme and disconnect it, as at a network that takes tokens back: `${account_id}`."""
    profile = Profile("x", SERVER, "1", "@acme")
    sealed = tokens.seal(world.acme, profile, Grant("a-token", "another").document())
    with transaction(world.acme) as tx:
        account, _ = accounts.connect(tx, profile, sealed, by=new_id(), at=now())
        accounts.disconnect(tx, account.id, by=new_id(), at=now(), revoking=REVOKING)
    return {"account_id": str(account.id)}


@preparation("a scheduled post")
def scheduled_post(world: World) -> Ids:
    """Schedule a post for an hour from now: `${post_id}`, version 1, target `${target_id}`."""
    return _post(world, now() + timedelta(hours=1))


@preparation("a post's first run")
def first_run(world: World) -> Ids:
    """Start the run of the one post that there is: run 1."""
    world.owner.execute("UPDATE cell.work SET run = 1 WHERE kind = 'publish'")
    return {}


@preparation("a post's run")
def post_run(world: World) -> Ids:
    """Schedule a post for an hour from now and open it: run 1."""
    return _opened(world, now() + timedelta(hours=1))


@preparation("a due post's run")
def due_post_run(world: World) -> Ids:
    """Make a post for now and open it: run 1."""
    return _opened(world, now())


@preparation("a due post's run whose account is disconnected")
def disconnected_run(world: World) -> Ids:
    """Make a post for now and open it; then its account is disconnected."""
    known = due_post_run(world)
    with transaction(world.acme) as tx:
        accounts.disconnect(tx, UUID(known["account_id"]), by=new_id(), at=now())
    return known


@preparation("a cancelled post's run")
def cancelled_run(world: World) -> Ids:
    """Open a post; then it is cancelled."""
    known = post_run(world)
    with transaction(world.acme) as tx:
        decisions.cancel(tx, UUID(known["post_id"]))
    return known


@preparation("a post that waits for an approval")
def awaiting_post(world: World) -> Ids:
    """Schedule a post of a tenant that approves: run 1 waits; its `${content_hash}` is what an approval names."""
    world.owner.execute(
        'UPDATE control.tenants SET settings = \'{"approval": "required"}\' WHERE id = %s', (world.acme.id,)
    )
    return _opened(world, now() + timedelta(hours=1))


@preparation("an unconfirmed target")
def unconfirmed_target(world: World) -> Ids:
    """A target of which nobody knows whether it is out."""
    known = due_post_run(world)
    world.owner.execute("UPDATE t_acme.targets SET state = 'unconfirmed', attempt = 1")
    world.owner.execute("UPDATE t_acme.posts SET state = 'unconfirmed'")
    return known


def _opened(world: World, due_at: datetime) -> Ids:
    known = _post(world, due_at)
    world.owner.execute("UPDATE cell.work SET run = 1 WHERE id = %s", (known["post_id"],))
    task_open_post({"v": 1, "tenant": "acme", "kind": "publish", "id": known["post_id"], "run": 1}, None)
    return known


def _post(world: World, due_at: datetime) -> Ids:
    account_id = connected_account(world)["account_id"]
    place = Destination(UUID(account_id), "mastodon", SERVER, "1")
    order = Order(None, Written("Good evening"), (place.account_id,), Due(due_at.replace(microsecond=0)), b"request")
    asked = Asked(new_id(), now(), Pace.of(PublishSettings.from_env()))
    with transaction(registry.named("acme")) as tx:
        made, _ = service.create(tx, order, Known(destinations={place.account_id: place}), asked)
    return {
        "account_id": account_id,
        "post_id": str(made.post.id),
        "target_id": str(made.targets[0].id),
        "content_hash": made.post.content_hash.hex(),
    }
