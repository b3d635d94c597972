"""Facts: what happened, in the past tense, frozen."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened to one aggregate. It carries ids and names: no captions, no secrets."""

    type: ClassVar[str]
    aggregate: ClassVar[str]

    subject_id: UUID

    def data(self) -> dict[str, Any]:
        """Return the fields beside the subject, as JSON values."""
        return {field.name: _json(getattr(self, field.name)) for field in fields(self) if field.name != "subject_id"}


def _json(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
