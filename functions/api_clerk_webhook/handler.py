"""Clerk's webhooks: what it says of people and memberships, each message verified and taken once."""

import time

from socialflow.errors import Unavailable
from socialflow.identity import clerk, directory, signature
from socialflow.identity.signature import Sealed
from socialflow.platform import doorbell, secrets
from socialflow.platform.acting import Actor, act_as
from socialflow.platform.database import control
from socialflow.platform.http import SignatureRefused, api, current_request, entry, public, raw_body
from socialflow.platform.observability import logger
from socialflow.platform.receipts import take_once
from socialflow.platform.settings import ClerkSettings, DatabaseSettings, DoorbellSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings, ClerkSettings, DoorbellSettings)
app = api()


class WebhooksUnconfigured(Unavailable):
    """The secret holds no signing secret yet."""

    code, title = "webhooks-unconfigured", "Webhooks cannot be verified yet"


@app.post("/v1/webhooks/clerk", status_code=204, summary="Take an event of Clerk's", tags=["webhooks"])
@public
def take() -> None:
    """Take over what a signed event says, once, unless something newer is known. What is nothing to us is taken too."""
    raw = raw_body()
    message = _verified(raw)
    event = clerk.event_of(raw)
    statement = clerk.read(event)
    if statement is None:
        logger.info("An event of Clerk's is nothing to us", event_type=event["type"][:100])
        return
    request = current_request()
    act_as(Actor("system", name="Clerk", request_id=request.app.request_id, address=request.address))
    try:
        cells = _taken(message, statement)
    except directory.UnknownOrganization as unknown:
        # Not noted as taken: once the organization is linked, the same message may be sent again and counts.
        logger.warning("No tenant is linked to an organization", organization=unknown.facts["organization"])
        return
    for cell in cells:
        doorbell.ring(cell)


def _taken(message: str, statement: clerk.Statement) -> set[str]:
    with control() as connection:
        if take_once(connection, "clerk", message):
            return directory.take(connection, OidcSettings.from_env().oidc_issuer, statement)
    logger.info("A message was taken before", message_id=message)
    return set()


def _verified(raw: bytes) -> str:
    """Return the id of a message that Clerk has signed; nothing of it is read before."""
    keys = signature.keys(secrets.text(ClerkSettings.from_env().clerk_webhook_secret))
    if not keys:
        raise WebhooksUnconfigured("Put the signing secret of the endpoint into the stage's secret.", retry_after=60)
    header = current_request().header
    sealed = Sealed(header("svix-id"), header("svix-timestamp"), header("svix-signature"))
    if not signature.signed(keys, raw, sealed, now=time.time()):
        raise SignatureRefused(
            "Sign the exact bytes of the body with the endpoint's secret, and send svix-id, svix-timestamp of the last "
            "five minutes, and svix-signature."
        )
    return sealed.id


handler = entry(app, *NEEDS)
