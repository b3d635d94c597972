"""Messages of Stripe: believed to be Stripe's by their signature, and then only that something may have changed."""

from socialflow.billing import gateway, service
from socialflow.billing.model import prices
from socialflow.platform.clock import now
from socialflow.platform.http import SignatureRefused, api, current_request, entry, parsed, public, raw_body
from socialflow.platform.settings import BillingSettings, DatabaseSettings, DoorbellSettings

NEEDS = (DatabaseSettings, BillingSettings, DoorbellSettings)
app = api(None)


@app.post("/v1/webhooks/stripe", status_code=204, summary="Take a message of Stripe", tags=["webhooks"])
@public
def receive() -> None:
    """Verify the bytes as they were sent, and follow. A message that comes again changes nothing."""
    raw = raw_body()
    if not gateway.is_genuine(raw, current_request().header("Stripe-Signature")):
        raise SignatureRefused("Sign the body's bytes for this endpoint, lately, as Stripe does (Stripe-Signature).")
    hint = service.hint_of(parsed(raw))
    if hint is not None:
        service.follow(hint, prices(BillingSettings.from_env().stripe_prices), at=now())


handler = entry(app, *NEEDS)
