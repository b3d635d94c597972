"""A tenant's team, and the post office that its invitations go through."""

import email
import json
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from functions.on_user_invited.handler import handler as on_user_invited
from socialflow.platform import announcing, aws
from tests.api import Client, Reply
from tests.integration.tenants.conftest import Registry, person, registry

__all__ = ["Post", "person", "post", "registry"]


class Post:
    """SES as far as sending goes, and the bus as far as `user.invited` goes."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.sent: list[EmailMessage] = []
        self.closed = False

    def send_email(self, **call: Any) -> dict[str, str]:
        """Take a mail."""
        if self.closed:
            raise RuntimeError("the post office is closed")
        self.sent.append(email.message_from_bytes(call["Content"]["Raw"]["Data"], policy=default))
        return {"MessageId": "1"}

    def events(self) -> list[dict[str, Any]]:
        """Return the facts that ask for mails, as the bus brings them."""
        announcing.carry("cell-1")
        rows = self.registry.owner.execute(
            "SELECT tenant, aggregate_id, data FROM cell.outbox WHERE type = 'user.invited' ORDER BY position"
        ).fetchall()
        return [
            {"detail": {"tenant": tenant, "aggregate": {"type": "invitation", "id": str(one)}, "data": data}}
            for tenant, one, data in rows
        ]

    def deliver(self) -> list[bool]:
        """Bring every fact so far to the function that mails; return which of them sent."""
        return [on_user_invited(json.loads(json.dumps(event)), None)["sent"] for event in self.events()]

    def token(self) -> str:
        """Deliver, and read the link of the newest mail."""
        self.deliver()
        return link_of(self.sent[-1])


def link_of(mail: EmailMessage) -> str:
    """Return the token of a mail's link."""
    return str(mail.get_content().split("#token=")[1].split()[0])


@pytest.fixture
def post(registry: Registry) -> Iterator[Post]:
    """The post office."""
    office = Post(registry)
    aws.use("sesv2", office)
    yield office
    aws.use("sesv2", None)


def invited(client: Client, address: str = "nina@new.test", role: str = "editor") -> Reply:
    """Invite somebody."""
    reply = client.post("/v1/invitations", {"email": address, "role": role})
    assert reply.status == 201, reply
    return reply


Person = Callable[..., Client]
