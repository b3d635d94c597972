"""Members and invitations."""

from typing import Any

from socialflow.identity import door
from socialflow.platform import announcing, aws
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.team import invitations
from socialflow.team.invitations import Wish
from tests.integration.given import World, preparation


class Postbox:
    """SES as far as sending goes."""

    def send_email(self, **_call: Any) -> dict[str, str]:
        """Take a mail, and throw it away."""
        return {"MessageId": "1"}


@preparation("somebody is invited to acme")
def somebody_is_invited(world: World) -> dict[str, str]:
    """Acme's owner has invited an editor; the mail has not left."""
    who = door.admit(f"Bearer {world.issuer.token('acme-owner')}", "acme")
    with control() as connection:
        made, _ = invitations.invite(connection, who, Wish("nina@new.test", "editor"), at=now())
    announcing.carry("cell-1")
    aws.use("sesv2", Postbox())
    return {"invitation_id": str(made.id)}


@preparation("the link is known")
def the_link_is_known(world: World) -> dict[str, str]:
    """The mail was made, and `${token}` is what its link ends in."""
    row = world.owner.execute("SELECT id, round FROM control.invitations").fetchone()
    assert row is not None
    with control() as connection:
        letter = invitations.letter(connection, row[0], row[1], secret="random", at=now())
    assert letter is not None
    return {"token": letter.token}


@preparation("acme's people are known")
def people_are_known(world: World) -> dict[str, str]:
    """`${owner_id}` and so on are the members' ids."""
    rows = world.owner.execute(
        "SELECT m.role, m.user_id FROM control.members m WHERE m.tenant_id = %s", (world.acme.id,)
    ).fetchall()
    return {f"{role}_id": str(user_id) for role, user_id in rows}
