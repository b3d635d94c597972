"""Late's webhooks: believed by their signature, and then only that a post may have come to its end: Late is asked.

Each tenant has an address of its own. An address that is nobody's, or is not any more, is answered like any other.
"""

import hashlib
import hmac
import re

from socialflow.accounts import gateway as tokens
from socialflow.accounts import late
from socialflow.errors import NotFound
from socialflow.platform import registry
from socialflow.platform.acting import Actor, act_as
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen
from socialflow.platform.database import Connection, control, transaction
from socialflow.platform.http import SignatureRefused, api, current_request, entry, parsed, public, raw_body
from socialflow.platform.observability import logger
from socialflow.platform.receipts import take_once
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, KeySettings
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import hints
from socialflow.publishing.networks import late_api

NEEDS = (DatabaseSettings, KeySettings, DoorbellSettings)
app = api()

_TOKEN = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_SIGNATURES = ("X-Zernio-Signature", "X-Late-Signature")
"""The newer name first."""


class UnknownWebhook(NotFound):
    """The address is no tenant's."""

    code, title = "unknown-webhook", "No such webhook"


@app.post("/v1/webhooks/late/<token>", status_code=204, summary="Take an event of Late's", tags=["webhooks"])
@public
def take(token: str) -> None:
    """Ask Late soon for the post that a signed event names, once. What is nothing to us is taken too."""
    raw = raw_body()
    tenant, sealed = _addressed(token)
    _verify(raw, tenant, sealed)
    event = parsed(raw)
    told = late_api.told_of(event)
    if told is None:
        logger.info("An event of Late's is nothing to us")
        return
    request = current_request()
    act_as(Actor("system", name="Late", request_id=request.app.request_id, address=request.address))
    with control() as connection:
        if _is_new(connection, tenant, event):
            with transaction(tenant) as tx:
                is_ours = hints.ask_soon(tx, told.target_id, told.post_id, at=now())
            logger.info("Late has told of a post", is_ours=is_ours)


def _addressed(token: str) -> tuple[Tenant, bytes]:
    """Return whose address it is, and what is signed with there, sealed; raises `UnknownWebhook`."""
    sealed = None
    with control() as connection:
        slug = late.hooked(connection, token if _TOKEN.fullmatch(token) else "")
        tenant = registry.named_in(connection, slug) if slug else None
    if tenant is not None:
        with transaction(tenant) as tx:
            sealed = late.hook_of(tx, token)
    if tenant is None or sealed is None:
        raise UnknownWebhook("GET /v1/networks/late tells the address that Late's webhooks are to go to.")
    return tenant, sealed


def _verify(raw: bytes, tenant: Tenant, sealed: bytes) -> None:
    given = next(filter(None, map(current_request().header, _SIGNATURES)), "")
    if not _SIGNATURE.fullmatch(given) or not hmac.compare_digest(given.lower(), _signature(raw, tenant, sealed)):
        words = "Sign the body's bytes with the secret of this address, as Late does (X-Zernio-Signature)."
        raise SignatureRefused(words)


def _signature(raw: bytes, tenant: Tenant, sealed: bytes) -> str:
    try:
        secret = tokens.hook_secret(tenant, sealed)
    except CannotOpen:
        raise UnknownWebhook("Renew the webhook: PUT /v1/networks/late with renew_webhook.") from None
    return hmac.new(secret, raw, hashlib.sha256).hexdigest()


def _is_new(connection: Connection, tenant: Tenant, event: dict[str, object]) -> bool:
    """Tell whether an event comes for the first time: by the id in what is signed, else by the header's."""
    own = event.get("id")
    name = own if isinstance(own, str) and own else current_request().header("X-Zernio-Event-Id")
    known = hashlib.sha256(f"{tenant.id} {name}".encode()).hexdigest()
    return not name or take_once(connection, "late", known)


handler = entry(app, *NEEDS)
