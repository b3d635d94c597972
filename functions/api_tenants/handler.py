"""Tenants: made, read, changed, deleted and restored by the people who belong to them."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_tenants.schemas import DeletedTenantOut, MyTenantOut, MyTenantsOut, NewTenant, PatchTenant, TenantOut
from socialflow.ai import catalogue
from socialflow.errors import FieldError
from socialflow.identity import door
from socialflow.identity import service as identity
from socialflow.identity.api_keys import PeopleOnly
from socialflow.platform import doorbell
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.http import (
    Response,
    answered,
    api,
    caller,
    current_user,
    entry,
    if_match,
    requires,
    signed_in,
    tagged,
)
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, TenantOwnerSettings
from socialflow.team import service as team
from socialflow.tenants import gateway, profile
from socialflow.tenants.model import usable_slug
from socialflow.tenants.refusals import ConfirmationMissing
from socialflow.tenants.settings import checked, checked_name

NEEDS = (DatabaseSettings, OidcSettings, DoorbellSettings, TenantOwnerSettings)
app = api(door)


@app.get("/v1/tenants", summary="List your tenants", tags=["tenants"])
@signed_in
def listed(
    deleted: Annotated[bool, Query(description="List the deleted ones that you may restore instead.")] = False,  # noqa: FBT002 - a query parameter comes by its name
) -> MyTenantsOut:
    """Return every tenant you belong to, by slug, with its status and your role."""
    user = current_user()
    with control() as connection:
        if deleted:
            return MyTenantsOut(items=[MyTenantOut.gone(one) for one in profile.restorable(connection, user.id)])
        return MyTenantsOut(items=[MyTenantOut.of(one) for one in identity.memberships(connection, user)])


@app.post("/v1/tenants", status_code=201, summary="Make a tenant", tags=["tenants"])
@signed_in
def make(body: NewTenant) -> Response[TenantOut]:
    """Make a tenant whose owner you are. The same again answers 200 with what was made."""
    user, settings = current_user(), checked(body.settings.given())
    catalogue.check(settings.get("ai_models", ()), "/settings/ai_models")
    wish = {"slug": usable_slug(body.slug), "name": checked_name(body.name), "settings": settings}
    made = gateway.ask("create", by=user.id, **wish, id=str(body.id) if body.id else None)
    with control() as connection:
        found = profile.read(connection, made["id"])
    doorbell.ring(found.tenant.cell)
    headers: dict[str, str | list[str]] = {"Location": "/v1/tenant", "ETag": f'"{found.version}"'}
    return answered(TenantOut.of(found), status=201 if made["is_new"] else 200, headers=headers)


@app.get("/v1/tenant", summary="Read the tenant", tags=["tenants"])
@requires("team:read")
def read() -> Response[TenantOut]:
    """Return the tenant that the header names, with its settings; a suspended one says since when and why."""
    with control() as connection:
        found = profile.read(connection, caller().tenant.id)
    return tagged(TenantOut.of(found), found.version)


@app.patch("/v1/tenant", summary="Change the tenant", tags=["tenants"])
@requires("settings:manage")
def change(body: PatchTenant) -> Response[TenantOut]:
    """Change the name and the settings that are sent; what is not sent stays."""
    version = if_match()
    settings = body.settings.given() if body.settings else {}
    catalogue.check(settings.get("ai_models", ()), "/settings/ai_models")
    with control() as connection:
        found = profile.change(connection, caller().tenant.id, name=body.name, settings=settings, version=version)
    return tagged(TenantOut.of(found), found.version)


@app.delete("/v1/tenant", summary="Delete the tenant", tags=["tenants"])
@requires("team:manage")
def delete(
    confirm: Annotated[str, Query(description="The tenant's slug, to show that you mean it.")] = "",
) -> DeletedTenantOut:
    """Delete the tenant. Nothing of it is published or seen any more; for 30 days an owner can restore it."""
    who = caller()
    if who.user.kind != "person":
        raise PeopleOnly("A key deletes no tenant. Sign in as one of its owners.")
    if confirm != who.tenant.slug:
        detail = f"Everything of the tenant goes. If you mean it, send ?confirm={who.tenant.slug}."
        raise ConfirmationMissing(detail, errors=[FieldError("?confirm", "confirmation-missing", detail)])
    told = gateway.ask("delete", by=who.user.id, id=str(who.tenant.id))
    doorbell.ring(who.tenant.cell)
    return DeletedTenantOut(id=who.tenant.id, slug=who.tenant.slug, restorable_until=told["restorable_until"])


@app.post("/v1/tenants/<slug>/restore", summary="Restore a deleted tenant", tags=["tenants"])
@signed_in
def restore(slug: str) -> Response[TenantOut]:
    """Bring back a tenant that was deleted less than 30 days ago and that you were an owner of."""
    told = gateway.ask("restore", by=current_user().id, slug=slug)
    with control() as connection:
        found = profile.read(connection, told["id"])
    doorbell.ring(found.tenant.cell)
    return tagged(TenantOut.of(found), found.version)


@app.post("/v1/tenants/<slug>/leave", status_code=204, summary="Leave a tenant", tags=["tenants"])
@signed_in
def leave(slug: str) -> None:
    """Belong to the tenant no longer. Its last owner makes somebody else an owner first, or deletes it."""
    with control() as connection:
        tenant = team.leave(connection, slug, current_user().id, at=now())
    doorbell.ring(tenant.cell)


handler = entry(app, *NEEDS)
