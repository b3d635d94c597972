"""The signed-in user's own account; no tenant is needed."""

from functions.api_me.schemas import MeOut, PatchMe
from socialflow.identity import door, service
from socialflow.platform.database import control
from socialflow.platform.http import api, current_user, entry, signed_in
from socialflow.platform.settings import DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings)
app = api(door)


@app.get("/v1/me", summary="Read your account and your tenants", tags=["me"])
@signed_in
def read() -> MeOut:
    """Return the user and every tenant they belong to."""
    user = current_user()
    with control() as connection:
        return MeOut.of(user, service.memberships(connection, user))


@app.patch("/v1/me", summary="Change your name", tags=["me"])
@signed_in
def change(body: PatchMe) -> MeOut:
    """Change the user's name, everywhere they belong."""
    with control() as connection:
        user = service.rename(connection, current_user(), body.name)
        return MeOut.of(user, service.memberships(connection, user))


handler = entry(app, *NEEDS)
