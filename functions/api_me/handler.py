"""The signed-in user's own account; no tenant is needed."""

from functions.api_me import queue
from functions.api_me.schemas import MeOut, PatchMe, QueueOut
from socialflow.identity import door, service
from socialflow.identity.model import Changes
from socialflow.platform.clock import now
from socialflow.platform.database import Connection, control
from socialflow.platform.http import User, api, current_user, entry, signed_in
from socialflow.platform.settings import DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings)
app = api(door)


@app.get("/v1/me", summary="Read your account and your tenants", tags=["me"])
@signed_in
def read() -> MeOut:
    """Return the user and every tenant they belong to."""
    user = current_user()
    with control() as connection:
        return _me(connection, user)


@app.patch("/v1/me", summary="Change your name, locale or time zone", tags=["me"])
@signed_in
def change(body: PatchMe) -> MeOut:
    """Change what the user says of themselves, everywhere they belong; from then on the issuer's name is not taken."""
    with control() as connection:
        changes = Changes(body.name, body.locale, body.time_zone)
        return _me(connection, service.change(connection, current_user(), changes))


@app.get("/v1/me/queue", summary="List what waits for you in all your tenants", tags=["me"])
@signed_in
def waiting() -> QueueOut:
    """Return open reviews, posts to approve and posts in trouble, of each tenant where your role decides them."""
    with control() as connection:
        members = service.memberships(connection, current_user())
    return QueueOut.of(list(queue.of(members, now())))


def _me(connection: Connection, user: User) -> MeOut:
    return MeOut.of(user, service.memberships(connection, user), service.active(connection, user))


handler = entry(app, *NEEDS)
