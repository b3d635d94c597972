"""Clerk's webhooks as Svix sends them, signed by the vendor's own signer."""

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests.api import Client, Reply, event
from tests.conftest import CLERK_SECRETS

SECRET, OLD_SECRET = CLERK_SECRETS.split()
PATH = "/v1/webhooks/clerk"
_numbers = itertools.count()


def headers(body: str, *, message: str = "", at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """Return the headers of a message, signed now unless told otherwise; each has an id of its own."""
    message = message or f"msg_{next(_numbers)}"
    moment = datetime.fromtimestamp(int(time.time() if at is None else at), UTC)
    return {
        "content-type": "application/json",
        "svix-id": message,
        "svix-timestamp": str(int(moment.timestamp())),
        "svix-signature": Webhook(secret).sign(message, moment, body),
    }


def post(body: str | bytes, given: Mapping[str, str]) -> Reply:
    """Send a body with headers."""
    return Client().send(event("POST", PATH, headers=given, body=body))


def send(said: Mapping[str, Any], **how: Any) -> Reply:
    """Sign an event and send it."""
    body = json.dumps(said)
    return post(body, headers(body, **how))


def taken(*events: Mapping[str, Any]) -> None:
    """Send events, one after the other; each must be taken."""
    for each in events:
        assert (reply := send(each)).status == 204, reply


@dataclass(frozen=True)
class Clerk:
    """Makes events of one organization, in milliseconds from a beginning."""

    organization: str = "org_1"
    began: int = field(default_factory=lambda: int(time.time() * 1000) - 60_000)

    def user(self, subject: str, at: int, *, kind: str = "updated", **data: Any) -> dict[str, Any]:
        """An event about a person, as Clerk's documentation shows it."""
        address = {"id": "idn_1", "email_address": f"{subject}@clerk.test", "verification": {"status": "verified"}}
        said = {
            "id": subject,
            "object": "user",
            "first_name": "Ada",
            "last_name": None,
            "primary_email_address_id": "idn_1",
            "email_addresses": [address],
            "updated_at": self.began + at,
        }
        return self._event(f"user.{kind}", {**said, **data}, at)

    def user_deleted(self, subject: str, at: int) -> dict[str, Any]:
        """A person's end."""
        return self._event("user.deleted", {"id": subject, "object": "user", "deleted": True}, at)

    def member(self, subject: str, at: int, role: str = "org:member", *, kind: str = "updated") -> dict[str, Any]:
        """An event about a membership; one that is deleted keeps the time of its last update."""
        person = {"user_id": subject, "first_name": "Ada", "last_name": "L.", "identifier": "not-verified@clerk.test"}
        said = {
            "id": "orgmem_1",
            "object": "organization_membership",
            "organization": {"id": self.organization, "name": "Acme", "slug": "acme"},
            "public_user_data": person,
            "role": role,
            "updated_at": self.began + (at if kind != "deleted" else 0),
        }
        return self._event(f"organizationMembership.{kind}", said, at)

    def organization_deleted(self, at: int) -> dict[str, Any]:
        """The organization's end."""
        return self._event("organization.deleted", {"id": self.organization, "deleted": True}, at)

    def _event(self, kind: str, data: dict[str, Any], at: int) -> dict[str, Any]:
        return {"type": kind, "object": "event", "data": data, "timestamp": self.began + at, "instance_id": "ins_1"}
