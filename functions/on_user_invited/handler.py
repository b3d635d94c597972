"""Somebody is invited: the mail with the link leaves, after the commit.

The link's token is made here, from a secret that no other function may read, and only its hash is kept. A fact that
comes twice sends once; dying between the mail and the note of it sends the same link again.
"""

from typing import Any
from uuid import UUID

from socialflow.platform import secrets
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, MailSettings
from socialflow.team import gateway, invitations

NEEDS = (DatabaseSettings, MailSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """Take a fact from the bus; return whether a mail was sent."""
    detail = event["detail"]
    invitation, mail_round = UUID(detail["aggregate"]["id"]), int(detail["data"]["round"])
    secret = secrets.text(MailSettings.from_env().invitation_secret)
    with control() as connection:
        letter = invitations.letter(connection, invitation, mail_round, secret=secret, at=now())
    if letter is None:
        logger.info("Nothing is to be mailed any more", invitation=str(invitation))
        return {"sent": False}
    gateway.send(letter)
    with control() as connection:
        invitations.note_sent(connection, letter, at=now())
    return {"sent": True}
