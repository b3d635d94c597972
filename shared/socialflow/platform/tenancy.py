"""Which tenant: what every transaction, task and request is bound to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

Status = Literal["active", "suspended", "deleted"]


@dataclass(frozen=True)
class Tenant:
    """A tenant as the registry has it. It comes from a verified membership or from the registry, never from a name."""

    id: UUID
    slug: str
    name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str

    @property
    def schema(self) -> str:
        """The schema of its rows; the role that may touch them is this with `_rw`."""
        return f"t_{self.slug}"

    @property
    def active(self) -> bool:
        """Whether it may change things and publish."""
        return self.status == "active"
