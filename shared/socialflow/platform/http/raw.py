"""A body as the bytes that were sent: what a webhook's sender has signed, before anything is read from it."""

from typing import Any

from socialflow.errors import Unauthenticated
from socialflow.platform.http import body
from socialflow.platform.http.guard import current_request


class SignatureRefused(Unauthenticated):
    """The message is not signed by its sender, or not lately."""

    code, title = "signature-refused", "The message is not signed as it must be"


def raw_body() -> bytes:
    """Return the body's bytes, in a route without a body parameter; raises `BodyTooLarge` or `MalformedBody`."""
    event = current_request().app.current_event
    return body.raw(event.body or "", is_base64=bool(event.is_base64_encoded))


def parsed(raw: bytes) -> dict[str, Any]:
    """Return the object of a body that was verified, under the same limits as any other; raises `MalformedBody`."""
    return body.parse(raw)
