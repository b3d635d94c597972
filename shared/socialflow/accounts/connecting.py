"""Connecting an account by signing in at its network: begun and completed by one member, once, within minutes."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.accounts import connection_repository as repository
from socialflow.accounts.model import Connection
from socialflow.errors import Conflict, FieldError, Invalid, NotFound
from socialflow.platform.database import Transaction

LIVES = timedelta(minutes=10)
"""How long a sign-in may take, and a choice after it."""


class UnknownConnection(NotFound):
    """There is no such sign-in of this member's."""

    code, title = "unknown-connection", "No such sign-in"


class ConnectionOver(Conflict):
    """It was completed before, or too much time has passed."""

    code, title = "connection-over", "That sign-in is over"


class StateMismatch(Invalid):
    """What the network handed back is not what this sign-in was begun with."""

    code, title = "state-mismatch", "That is another sign-in's answer"


class SignInRefused(Invalid):
    """The network, or the person there, has said no."""

    code, title = "sign-in-refused", "The network did not let us in"


class NotSetUp(Conflict):
    """The stage has no registration with the network."""

    code, title = "network-not-set-up", "Signing in there is not set up"


def begin(tx: Transaction, connection: Connection, *, at: datetime) -> None:
    """Keep a sign-in that begins; what is long over is forgotten."""
    repository.forget(tx, before=at - timedelta(days=1))
    repository.add(tx, connection, at=at)


def hashed(state: str) -> bytes:
    """Return what is kept of the value that the network hands back."""
    return hashlib.sha256(state.encode()).digest()


def take(tx: Transaction, connection_id: UUID, state: str, *, by: UUID, at: datetime) -> Connection:
    """Take the right to complete a sign-in: once, by who began it.

    Raises `UnknownConnection`, `ConnectionOver`, `StateMismatch`; commit before the network is asked.
    """
    found = _mine(tx, connection_id, by)
    if found.state != "begun" or found.expires_at <= at:
        raise ConnectionOver("It was completed before, or ten minutes have passed: GET /v1/accounts, or begin again.")
    if not hmac.compare_digest(found.state_sha256, hashed(state)):
        detail = "Send the state that came back with the code, to the sign-in that it belongs to."
        raise StateMismatch(detail, errors=[FieldError("/state", "state-mismatch", detail)])
    repository.set_state(tx, found.id, "completing", secret=found.secret)
    return found


def offer(tx: Transaction, connection: Connection, sealed: bytes) -> None:
    """Keep what may be chosen."""
    repository.set_state(tx, connection.id, "choosing", secret=sealed)


def offered(tx: Transaction, connection_id: UUID, *, by: UUID, at: datetime) -> Connection:
    """Return a sign-in whose places are still to be chosen, locked; raises `UnknownConnection`, `ConnectionOver`."""
    found = _mine(tx, connection_id, by)
    if found.state != "choosing" or found.expires_at <= at:
        raise ConnectionOver("Nothing is left to choose there: GET /v1/accounts, or begin again.")
    return found


def end(tx: Transaction, connection: Connection) -> None:
    """End a sign-in: nothing of it is kept."""
    repository.set_state(tx, connection.id, "done", secret=b"")


def picked(choices: Mapping[str, Mapping[str, str]], names: list[str]) -> list[Mapping[str, str]]:
    """Return the places that were chosen; raises `SignInRefused` where one was not offered."""
    wrong = [
        FieldError(f"/places/{index}", "unknown-place", "It was not offered.")
        for index, name in enumerate(names)
        if name not in choices or name in names[:index]
    ]
    if wrong or not names:
        offer_of = ", ".join(choices) or "none"
        raise SignInRefused(f"Choose of the places that were offered: {offer_of}.", errors=wrong)
    return [choices[name] for name in names]


def _mine(tx: Transaction, connection_id: UUID, by: UUID) -> Connection:
    found = repository.lock(tx, connection_id)
    if found is None or found.begun_by != by:
        raise UnknownConnection("You have begun no such sign-in. POST /v1/connections begins one.")
    return found
