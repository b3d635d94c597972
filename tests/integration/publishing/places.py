"""Where posts go in tests that hold for every network: one account there, what it lists, and the wire to it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Profile
from socialflow.platform import settings
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.publishing.networks.grants import Grant
from tests.integration.publishing.conftest import Desk
from tests.wire import Wire

ALLOWED = "SOCIALFLOW_EGRESS_ALLOWED_HOSTS"


@dataclass(frozen=True)
class Place:
    """An account of acme's on a network; `listed` are the texts there, the oldest first.

    `mutation` and `evidence` are the requests (method and how their path begins) that publish and that look for it.
    `repeats`: sending the same again makes no second post there, so that it is done without a person.
    """

    network: str
    desk: Desk
    wire: Wire
    account: Callable[[], str]
    listed: Callable[[], list[str]]
    mutation: tuple[str, str]
    evidence: tuple[str, str]
    repeats: bool = False
    media_first: bool = False
    """Whether a post there needs a medium."""
    answered: Callable[[], list[tuple[str, str]]] = list
    """Every text there with what it is a reply to, the oldest first."""
    replying: tuple[str, str] | None = None
    """The request that publishes a reply, where it is another than that of a post; how its path may end."""

    def post(self, text: str, **more: Any) -> dict[str, Any]:
        """Make a post for the account."""
        if self.media_first and "media" not in more:
            more["media"] = [{"id": self.desk.media()}]
        return self.desk.post(text, accounts=[self.account()], **more)

    def asked(self) -> int:
        """Return how often publishing was asked for."""
        method, path = self.mutation
        return sum(1 for one in self.wire.seen if one[0] == method and one[1].startswith(path))


@contextmanager
def reachable(host: str) -> Iterator[None]:
    """Let a server on loopback be called until the end of the block, beside those that may be already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ALLOWED, ",".join(filter(None, [os.environ.get(ALLOWED), host])))
        settings.forget()
        yield
    settings.forget()


def granted(desk: Desk, profile: Profile, grant: Grant) -> str:
    """Connect an account by what its owner has granted, as the end of signing in there does; return its id."""
    sealed = tokens.seal(desk.tenant, profile, grant.document())
    with transaction(desk.tenant) as tx:
        account, _ = accounts.connect(tx, profile, sealed, by=new_id(), at=now())
    return str(account.id)
