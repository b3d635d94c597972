"""A media item's life, step by step, as the engine would drive it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import boto3
import psycopg
import pytest

from functions.on_object_created.handler import handler as on_object_created
from functions.task_await_review.handler import handler as task_await_review
from functions.task_process_media.handler import handler as task_process_media
from functions.task_settle_review.handler import handler as task_settle_review
from socialflow.platform import aws, settings, work
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.conftest import Cloud
from tests.integration.conftest import Member
from tests.integration.media.shelf import Shelf
from tests.pictures import photo


class Answers:
    """Step Functions as far as answering tokens goes; it remembers."""

    def __init__(self) -> None:
        self.exceptions = boto3.client("stepfunctions").exceptions
        self.given: list[tuple[str, dict[str, Any]]] = []

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 # the client's names
        self.given.append((taskToken, json.loads(output)))


@dataclass(frozen=True)
class Studio:
    """The bucket, the database and the functions, around one tenant."""

    tenant: Tenant
    cloud: Cloud
    owner: psycopg.Connection
    client: Client
    answers: Answers

    def announce(self, data: bytes, **changed: Any) -> dict[str, Any]:
        """Begin an upload of a JPEG; return the answer."""
        body = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": len(data), **changed}
        reply = self.client.post("/v1/media/uploads", body)
        assert reply.status == 201, reply
        found: dict[str, Any] = reply.json
        return found

    def key(self, media_id: str) -> str:
        """Where the original is kept."""
        return str(self.value("SELECT object_key FROM t_acme.media_items WHERE id = %s", media_id))

    def put(self, media_id: str, data: bytes) -> str:
        """Write the original as a client would; return its version."""
        s3 = boto3.client("s3")
        written = s3.put_object(Bucket=self.cloud.bucket, Key=self.key(media_id), Body=data, ContentType="image/jpeg")
        return str(written["VersionId"])

    def uploaded(self, data: bytes | None = None, **changed: Any) -> str:
        """Return a media item whose file has been confirmed."""
        data = photo() if data is None else data
        media_id = str(self.announce(data, **changed)["id"])
        self.put(media_id, data)
        assert self.client.post(f"/v1/media/{media_id}/confirm").status == 200
        return media_id

    def start(self, media_id: str, kind: str = "ingest") -> int:
        """Begin the next run, as the reconciler does; return its number."""
        return int(
            self.value(
                "UPDATE cell.work SET run = run + 1, wake_at = now() + interval '2 min', token = NULL, token_run = NULL"
                " WHERE id = %s AND kind = %s RETURNING run",
                media_id,
                kind,
            )
        )

    def given(self, media_id: str, run: int, **more: str) -> dict[str, Any]:
        """Return a task's input."""
        return {"v": 1, "tenant": self.tenant.slug, "kind": "ingest", "id": media_id, "run": run, **more}

    def process(self, media_id: str, run: int) -> str:
        """Run Process Media; return its outcome."""
        return str(task_process_media(self.given(media_id, run), None)["outcome"])

    def wait(self, media_id: str, run: int, parked: str = "token-1") -> str:
        """Run Wait For Review's task; return its outcome."""
        return str(task_await_review(self.given(media_id, run, token=parked), None)["outcome"])

    def settle(self, media_id: str, run: int) -> str:
        """Run Settle Review; return its outcome."""
        return str(task_settle_review(self.given(media_id, run), None)["outcome"])

    def in_review(self, data: bytes | None = None, **changed: Any) -> tuple[str, int]:
        """Return a media item that waits for a decision, and its run; nobody has captioned it."""
        media_id = self.uploaded(data, **changed)
        run = self.start(media_id)
        assert self.process(media_id, run) == "processed"
        assert self.wait(media_id, run) == "waiting"
        return media_id, run

    def event(self, key: str, bucket: str | None = None) -> bool:
        """Tell of an object as the bucket does; return whether it belongs to an upload."""
        detail = {"bucket": {"name": bucket or self.cloud.bucket}, "object": {"key": key, "size": 1}}
        event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
        return bool(on_object_created(event, None)["arrived"])

    def read(self, media_id: str) -> dict[str, Any]:
        """Return the media item as the API shows it."""
        reply = self.client.get(f"/v1/media/{media_id}")
        assert reply.status == 200, reply
        found: dict[str, Any] = reply.json
        return found

    def value(self, query: str, *params: object) -> Any:
        """Return one value, as the database's owner."""
        found = self.owner.execute(query, params).fetchone()
        return found[0] if found else None

    def facts(self, media_id: str) -> list[str]:
        """Return the facts about a media item, in order."""
        rows = self.owner.execute(
            "SELECT type FROM cell.outbox WHERE aggregate_id = %s ORDER BY seq", (UUID(media_id),)
        ).fetchall()
        return [row[0] for row in rows]


@pytest.fixture
def answers(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """What parked tokens were answered with."""
    fake = Answers()
    monkeypatch.setattr(work, "client", lambda name: fake if name == "stepfunctions" else aws.client(name))
    yield fake
    settings.forget()


@pytest.fixture
def studio(acme: Tenant, cloud: Cloud, owner: psycopg.Connection, editor: Client, answers: Answers) -> Studio:
    """Everything around acme's media items."""
    return Studio(acme, cloud, owner, editor, answers)


@pytest.fixture
def admin(member: Member, acme: Tenant) -> Client:
    """Acme's admin, who may delete."""
    return member("admin")


@pytest.fixture
def shelf(acme: Tenant, owner: psycopg.Connection) -> Shelf:
    """Acme's library."""
    return Shelf(owner)
