"""Accounts are looked after: whether their networks still let us in, and until when.

A network is believed when it says no twice, an hour apart: until then it may be its own trouble. When it refuses an
account's token to a post it is believed at once, as other posts may be due, and asked at once whether that is so. A
lapsed account keeps its token and is asked on, so that it is back by itself when the network lets us in again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.accounts import care_repository as repository
from socialflow.accounts.events import AccountConnected, AccountDisconnected, AccountExpiring, AccountFact
from socialflow.accounts.model import Account, AccountState, Credentials
from socialflow.platform.database import Transaction

AHEAD = timedelta(days=10)
"""How long before its end what was granted is renewed, or its account said to be expiring."""
INVALID = "invalid-credentials"
"""What every network's refusal of a token is called."""
EACH, SOON = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Works:
    """The network lets us in; what was granted ends then, where that is known.

    `quota`: the posts of 24 hours that it has had and that its network gives it, where that is told.
    """

    ends_at: datetime | None
    quota: tuple[int, int] | None = None


@dataclass(frozen=True)
class Refuses:
    """The network lets us in no more."""

    code: str
    detail: str


@dataclass(frozen=True)
class Unclear:
    """Nobody knows: it did not answer, or not so that it would say anything about the account."""

    detail: str


Found = Works | Refuses | Unclear


def take_due(tx: Transaction, *, limit: int, at: datetime, only: UUID | None = None) -> list[Credentials]:
    """Take those that are due, the longest first: to be looked at, or, where disconnected, to be given back.

    Whoever takes one has it for an hour; commit before the network is asked.
    """
    return repository.take_due(tx, limit=limit, at=at, until=at + SOON, only=only)


def report(tx: Transaction, looked: Credentials, found: Found, *, at: datetime) -> None:
    """Keep what was found of an account; nothing where it was connected anew, renewed or disconnected meanwhile."""
    before = looked.account
    match found:
        case Unclear():
            return  # it is due again in an hour
        case Works(ends_at):
            ends = ends_at is not None and ends_at <= at + AHEAD
            state: AccountState = "expiring" if ends else "connected"
            after = replace(before, state=state, ends_at=ends_at, trouble_code=None, trouble_detail=None)
        case Refuses(code, detail):
            state = "lapsed" if before.trouble_code else before.state
            after = replace(before, state=state, trouble_code=code, trouble_detail=detail)
    is_new_trouble = before.trouble_code is None and after.trouble_code is not None
    kept = repository.keep(tx, looked, after, at=at, look_at=at + (SOON if is_new_trouble else EACH))
    if kept and after.state != before.state:
        tx.emit(_fact(after))


def note_refusal(tx: Transaction, used: Credentials, code: str, detail: str, *, at: datetime) -> None:
    """Take an account for lapsed whose network has refused its token to a post; what is looked at now decides.

    Nothing where it was connected anew, renewed or disconnected meanwhile, or where the refusal is about the post. What
    Late refuses is its key, or its own matter with the account.
    """
    if code != INVALID or used.account.route == "late" or not repository.lapse(tx, used, code, detail, at=at):
        return
    account = used.account
    tx.emit(AccountDisconnected(subject_id=account.id, network=account.network, by=None, reason=code))


def report_given_back(tx: Transaction, looked: Credentials, *, done: bool, at: datetime) -> None:
    """Throw away the token of a disconnected account that was given back, or could not be for days."""
    repository.end_giving_back(tx, looked, done=done, at=at)


def _fact(account: Account) -> AccountFact:
    if account.state == "lapsed":
        return AccountDisconnected(subject_id=account.id, network=account.network, by=None, reason=account.trouble_code)
    if account.state == "expiring":
        assert account.ends_at is not None  # it is what makes it so
        return AccountExpiring(subject_id=account.id, network=account.network, ends_at=account.ends_at)
    return AccountConnected(subject_id=account.id, network=account.network, by=None)
