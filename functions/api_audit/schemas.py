"""The wire shapes of the audit."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.audit.model import WORKSPACE, Row


class AuditActorOut(BaseModel):
    """Who made a change."""

    kind: Annotated[str, Field(description="An open list: person, key, system, operator.")]
    id: UUID | None
    name: str


class AuditSubjectOut(BaseModel):
    """What a change belongs to."""

    type: Annotated[str, Field(description="An open list: media, post, account, tenant, user, …")]
    id: str


class AuditRowOut(BaseModel):
    """A change. `changes` holds of each field what it was and what it became."""

    id: UUID
    at: datetime
    actor: AuditActorOut
    request_id: str
    address: Annotated[str, Field(description="Where the request came from; empty where there was none.")]
    action: Annotated[str, Field(description="post.create, media.update, account.delete, …")]
    subject: AuditSubjectOut
    item: Annotated[dict[str, Any], Field(description="The key of what changed, where that is a part of the subject.")]
    changes: Annotated[dict[str, tuple[Any, Any]], Field(description="Of each field [before, after].")]
    chain: Annotated[
        Literal["workspace", "cell", "registry"],
        Field(description="Each has a sequence of its own: posts and media; exports and stops; team and tenant."),
    ]
    seq: int
    hash: Annotated[str, Field(description="SHA-256 over the row and the hash before it, in hex.")]

    @classmethod
    def of(cls, row: Row) -> Self:
        """Shape a row."""
        return cls(
            id=row.id,
            at=row.at,
            actor=AuditActorOut(kind=row.actor_kind, id=row.actor_id, name=row.actor_name),
            request_id=row.request_id,
            address=row.address,
            action=row.action,
            subject=AuditSubjectOut(type=row.subject_type, id=row.subject_id),
            item=json.loads(row.item),
            changes=json.loads(row.changes),
            chain=_chain(row.chain),
            seq=row.seq,
            hash=row.hash.hex(),
        )


class AuditPageOut(BaseModel):
    """Changes, the newest first."""

    items: list[AuditRowOut]
    next_cursor: str | None


def _chain(name: str) -> Literal["workspace", "cell", "registry"]:
    """Return what a chain is of: the registry's are named by ids, the cell's by slugs."""
    if name == WORKSPACE:
        return "workspace"
    return "registry" if "-" in name else "cell"
