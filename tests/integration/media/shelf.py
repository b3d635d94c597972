"""A library with media items in it, written straight into the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from socialflow.platform.clock import now
from socialflow.platform.ids import new_id

SOMEBODY = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@dataclass(frozen=True)
class Shelf:
    """A tenant's tables, as the database's owner writes them."""

    owner: psycopg.Connection
    slug: str = "acme"

    def item(self, **columns: Any) -> str:
        """Add a media item; what is not given is that of an approved picture."""
        media_id = new_id()
        values = {
            "id": media_id,
            "state": "approved",
            "stage": "done",
            "percent": 100,
            "file_name": "harbour.jpg",
            "declared_type": "image/jpeg",
            "declared_size": 1_000,
            "object_key": f"tenants/{self.slug}/media/{media_id}/original.jpg",
            "upload_expires_at": now(),
            "created_by": SOMEBODY,
        } | columns
        if values["state"] == "deleted":
            values = {"deleted_at": now(), "deleted_by": SOMEBODY} | values
        self.insert("media_items", values)
        return str(values["id"])

    def post(self, state: str, *media: str, variants: Mapping[str, Sequence[str]] | None = None) -> str:
        """Add a post in a state with media of its own, and others for some networks."""
        post_id = new_id()
        values = {
            "id": post_id,
            "state": state,
            "variants": Jsonb({network: _variant(ids) for network, ids in (variants or {}).items()}),
            "approval_required": False,
            "content_hash": b"hash",
            "request_sha256": b"request",
            "created_by": SOMEBODY,
        }
        self.insert("posts", values)
        for position, media_id in enumerate(media):
            piece = Jsonb(_piece(media_id))
            self.insert("post_media", {"post_id": post_id, "position": position, "media_id": media_id, "piece": piece})
        return str(post_id)

    def insert(self, table: str, values: Mapping[str, Any]) -> None:
        """Insert a row."""
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(f"t_{self.slug}", table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        )
        self.owner.execute(query, list(values.values()))

    def row(self, media_id: str) -> dict[str, Any]:
        """Return a media item's row."""
        query = sql.SQL("SELECT to_jsonb(m) FROM {} m WHERE id = %s").format(
            sql.Identifier(f"t_{self.slug}", "media_items")
        )
        found = self.owner.execute(query, (media_id,)).fetchone()
        assert found is not None
        row: dict[str, Any] = found[0]
        return row


def day(number: int) -> datetime:
    """Return noon (UTC) of a day of June 2026."""
    return datetime.fromisoformat(f"2026-06-{number:02}T12:00:00+00:00")


def _variant(media: Sequence[str]) -> dict[str, Any]:
    return {"text": None, "media": [_piece(media_id) for media_id in media], "options": {}}


def _piece(media_id: str) -> dict[str, str]:
    return {"id": media_id, "sha256": "00", "alt_text": ""}
