"""Who acts: to whom every change of a request, an event or a task is attributed.

The way in sets it, once: the guard of an HTTP function for its caller, `entry` for everything else. A transaction reads
it, so that no use case has to carry it along.
"""

import json
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Kind = Literal["person", "key", "system", "operator"]


@dataclass(frozen=True)
class Actor:
    """Who makes a change, in which request and from which address."""

    kind: Kind
    id: UUID | None = None
    name: str = ""
    request_id: str = ""
    address: str = ""

    def told(self) -> str:
        """Return the actor as the database is told, whatever a sender has put into the parts."""
        texts = {"name": self.name, "request_id": self.request_id, "address": self.address}
        plain = {key: _plain(text) for key, text in texts.items()}
        return json.dumps({"kind": self.kind, "id": str(self.id) if self.id else None, **plain})


def _plain(text: str) -> str:
    """Return what PostgreSQL can keep of a text, and no more than anybody reads."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:200]


SYSTEM = Actor("system", name="SocialFlow")
"""The product itself: a workflow's task, an event, a schedule."""

_acting: ContextVar[Actor] = ContextVar("acting", default=SYSTEM)


def act_as(actor: Actor) -> None:
    """Attribute what follows to somebody."""
    _acting.set(actor)


def acting() -> Actor:
    """Return to whom a change is attributed now."""
    return _acting.get()
