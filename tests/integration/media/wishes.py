"""Asking for renditions, making them and reading them, as one call each."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3

from functions.task_render_image.handler import handler as task_render_image
from tests.api import Reply
from tests.integration.media.conftest import Studio
from tests.pictures import photo

WISH = {"network": "instagram", "ratio": "4:5"}


def processed(studio: Studio, data: bytes | None = None) -> str:
    """Return a media item whose derivatives are made."""
    media_id = studio.uploaded(photo(1800, 1200) if data is None else data)
    assert studio.process(media_id, studio.start(media_id)) == "processed"
    return media_id


def asked(studio: Studio, media_id: str, status: int = 202, **wish: Any) -> dict[str, Any]:
    """Ask for a rendition; return the answer."""
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", {**WISH, **wish})
    assert reply.status == status, reply
    found: dict[str, Any] = reply.json
    return found


def render(studio: Studio, rendition_id: str, run: int) -> str:
    """Run Render Image; return its outcome."""
    given = {"v": 1, "tenant": studio.tenant.slug, "kind": "rendition", "id": rendition_id, "run": run}
    return str(task_render_image(given, None)["outcome"])


def read(studio: Studio, made: dict[str, Any]) -> Reply:
    """Read a rendition."""
    reply = studio.client.get(f"/v1/media/{made['media_id']}/renditions/{made['id']}")
    assert reply.status == 200, reply
    return reply


def served(studio: Studio, shown: dict[str, Any]) -> bytes:
    """Return what the signed address of a rendition names."""
    parts = urlsplit(shown["url"])
    key, version = parts.path.removeprefix("/").removeprefix(f"{studio.cloud.bucket}/"), parse_qs(parts.query)
    s3 = boto3.client("s3")
    body: bytes = s3.get_object(Bucket=studio.cloud.bucket, Key=key, VersionId=version["versionId"][0])["Body"].read()
    return body
