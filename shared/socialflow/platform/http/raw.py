"""A body as the bytes that were sent: a file, or what a webhook's sender has signed, before anything is read of it."""

import hashlib
import re
from typing import Any

from socialflow.errors import Unauthenticated, UnsupportedMediaType
from socialflow.platform.http import body
from socialflow.platform.http.guard import current_request

_CSV = re.compile(r"text/csv\s*(;\s*(charset\s*=\s*\"?utf-8\"?|header\s*=\s*\"?present\"?)\s*)*", re.IGNORECASE)


class SignatureRefused(Unauthenticated):
    """The message is not signed by its sender, or not lately."""

    code, title = "signature-refused", "The message is not signed as it must be"


def raw_body() -> bytes:
    """Return the body's bytes, in a route without a body parameter; raises `BodyTooLarge` or `MalformedBody`."""
    event = current_request().app.current_event
    return body.raw(event.body or "", is_base64=bool(event.is_base64_encoded))


class NotCsv(UnsupportedMediaType):
    """The body is no CSV."""

    code, title = "not-csv", "Send CSV"


def csv_body(most: int) -> bytes:
    """Return the bytes of a CSV file, in a route without a body parameter.

    Raises `NotCsv`, `BodyTooLarge` or `MalformedBody`. By its digest an idempotency key knows the file again.
    """
    request = current_request()
    if not _CSV.fullmatch(request.header("Content-Type")):
        raise NotCsv("Send the file as it is, with the header Content-Type: text/csv; charset=utf-8.")
    event = request.app.current_event
    sent = body.raw(event.body or "", is_base64=bool(event.is_base64_encoded), most=most)
    request.app.append_context(body=hashlib.sha256(sent).hexdigest())  # type: ignore[no-untyped-call] # it has none
    return sent


def parsed(raw: bytes) -> dict[str, Any]:
    """Return the object of a body that was verified, under the same limits as any other; raises `MalformedBody`."""
    return body.parse(raw)
