"""A tenant that has something in every state, its export, and the archive that comes of it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import boto3
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from functions.ops_import_tenant.handler import handler as ops_import_tenant
from functions.task_write_export.handler import handler as task_write_export
from socialflow.exports.manifest import Manifest
from socialflow.platform import database, settings
from socialflow.platform.clock import now
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.conftest import Cloud
from tests.integration.conftest import Member

MEDIA = ("awaiting_upload", "processing", "in_review", "approved", "rejected", "expired", "refused", "deleted")
POSTS = {
    "draft": ("scheduled",),
    "awaiting_approval": ("scheduled",),
    "scheduled": ("prepared", "failed"),
    "publishing": ("published", "scheduled", "attempting"),
    "published": ("published",),
    "partial": ("published", "failed"),
    "failed": ("failed",),
    "unconfirmed": ("unconfirmed",),
    "cancelled": ("cancelled",),
}
STAGE = {"awaiting_upload": "uploaded", "processing": "inspecting", "in_review": "in_review"}


@dataclass(frozen=True)
class Office:
    """Acme and contoso, and what is done to them."""

    acme: Tenant
    contoso: Tenant
    cloud: Cloud
    owner: psycopg.Connection
    client: Client
    others: Client

    def furnish(self) -> None:
        """Give acme something of everything."""
        media = {state: self._media(state) for state in MEDIA}
        accounts = [self.account(number) for number in range(3)]
        for state, targets in POSTS.items():
            self._post(state, targets, accounts, media["approved"])
        acme_settings = Jsonb({"approval": "required", "zone": "Europe/Berlin"})
        self.owner.execute("UPDATE control.tenants SET settings = %s WHERE slug = 'acme'", (acme_settings,))

    def put(self, key: str, data: bytes) -> str:
        """Write an object; return its version."""
        s3: Any = boto3.client("s3")
        return str(s3.put_object(Bucket=self.cloud.bucket, Key=key, Body=data)["VersionId"])

    def insert(self, table: str, slug: str = "acme", **values: Any) -> None:
        """Insert a row."""
        columns = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(f"t_{slug}", table), columns, places)
        self.owner.execute(query, list(values.values()))

    def value(self, query: str, *params: object) -> Any:
        """Return one value, as the database's owner."""
        found = self.owner.execute(query, params).fetchone()
        return found[0] if found else None

    def ask(self, client: Client | None = None) -> UUID:
        """Ask for an export; return its id."""
        reply = (client or self.client).post("/v1/exports")
        assert reply.status == 202, reply
        return UUID(reply.json["id"])

    def start(self, export_id: UUID) -> int:
        """Begin the next run, as the reconciler does; return its number."""
        return int(
            self.value(
                "UPDATE cell.work SET run = run + 1, wake_at = now() + interval '2 min' WHERE id = %s RETURNING run",
                export_id,
            )
        )

    def work(self, export_id: UUID, run: int, slug: str = "acme") -> str:
        """Run Write Archive; return its outcome."""
        given = {"v": 1, "tenant": slug, "kind": "export", "id": str(export_id), "run": run}
        return str(task_write_export(given, None)["outcome"])

    def exported(self, client: Client | None = None, slug: str = "acme") -> "Archive":
        """Export a tenant from the request to the archive."""
        export_id = self.ask(client)
        assert self.work(export_id, self.start(export_id), slug) == "written"
        return self.archive(export_id)

    def archive(self, export_id: UUID) -> "Archive":
        """Fetch the archive of an export."""
        key, version = self.owner.execute(
            "SELECT object_key, object_version FROM cell.exports WHERE id = %s", (export_id,)
        ).fetchone() or ("", "")
        body = boto3.client("s3").get_object(Bucket=self.cloud.bucket, Key=key, VersionId=version)["Body"].read()
        return Archive(export_id, key, body)

    def changed(self, archive: "Archive", files: Mapping[str, bytes | None], *, mend: bool = True) -> str:
        """Store an archive with other files (None: without it), its manifest mended to fit; return its key."""
        held = {name: archive.file(name) for name in archive.names()} | dict(files)
        if mend:
            document = json.loads(held["manifest.json"] or b"")
            for name, data in files.items():
                if name != "manifest.json":
                    document["files"].pop(name, None)
                    if data is not None:
                        document["files"][name] = _file(name, data)
            held["manifest.json"] = json.dumps(document).encode()
        return self.packed({name: data for name, data in held.items() if data is not None})

    def packed(self, files: Mapping[str, bytes]) -> str:
        """Store an archive of files; return its key."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in files.items():
                packed.writestr(name, data)
        return self.stored(made.getvalue())

    def stored(self, data: bytes) -> str:
        """Store an archive; return its key."""
        key = f"exports/acme/{new_id()}.zip"
        self.put(key, data)
        return key

    def bring_in(self, key: str, slug: str = "contoso") -> dict[str, Any]:
        """Import an archive, as an operator does."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOCIALFLOW_DATABASE_SECRET", self.cloud.owner_secret)
            settings.forget()
            database.forget()
            answer: dict[str, Any] = ops_import_tenant({"slug": slug, "key": key, "by": "nina"}, None)
        settings.forget()
        database.forget()
        return answer

    def counts(self, slug: str) -> dict[str, int]:
        """Return how many rows each table has, and how many things the tenant shares with others."""
        names = self.owner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'schema_migrations'", (f"t_{slug}",)
        ).fetchall()
        found = {
            name: self.value(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(f"t_{slug}", name)).as_string())
            for (name,) in names
        }
        return found | {
            table: self.value(f"SELECT count(*) FROM cell.{table} WHERE tenant = %s", slug)
            for table in ("work", "usage", "outbox")
        }

    def _media(self, state: str) -> UUID:
        media_id, data = new_id(), f"the original that is {state}".encode()
        key = f"tenants/acme/media/{media_id}/original.jpg"
        version = None if state in ("awaiting_upload", "deleted") else self.put(key, data)
        self.insert(
            "media_items",
            id=media_id,
            state=state,
            stage=STAGE.get(state, "done"),
            file_name=f'{state} "ö" \\ 🌊.jpg',
            declared_type="image/jpeg",
            declared_size=len(data),
            object_key=key,
            object_version=None if state == "processing" else version,
            content_type="image/jpeg",
            size=len(data),
            sha256=hashlib.sha256(data).digest(),
            captured_at="2026-02-03 04:05:06.000007",
            inspections=2,
            upload_expires_at=now(),
            deleted_at=now() if state == "deleted" else None,
            created_by=new_id(),
        )
        if state in ("in_review", "approved", "rejected", "expired"):
            self._reviewed(media_id, state)
        return media_id

    def _reviewed(self, media_id: UUID, state: str) -> None:
        for variant in ("thumb", "large"):
            key = f"tenants/acme/media/{media_id}/{variant}.jpg"
            data = f"{variant} of {media_id}".encode()
            version = self.put(key, data)
            self.put(key, b"what an older run wrote later")
            self.insert(
                "derivatives",
                media_id=media_id,
                variant=variant,
                object_key=key,
                object_version=version,
                content_type="image/jpeg",
                width=1,
                height=1,
                size=len(data),
                sha256=hashlib.sha256(data).digest(),
            )
        wish = new_id()
        self.insert("caption_requests", id=wish, media_id=media_id, state="written", requested_by=new_id())
        for number in (1, 2):
            self.insert(
                "captions",
                id=new_id(),
                media_id=media_id,
                version=number,
                text="Zeile 1\nline\u20282 \\n \t",
                hashtags=["a", 'b"c', "NULL", ""],
                source="ai" if number == 1 else "person",
                author=None if number == 1 else new_id(),
                request_id=wish if number == 1 else None,
            )
        self.insert(
            "reviews",
            media_id=media_id,
            state="open" if state == "in_review" else state,
            expires_at="2099-01-02T03:04:05.678901+02:00",
        )

    def account(self, number: int, slug: str = "acme") -> UUID:
        """Connect an account."""
        account = new_id()
        self.insert(
            "social_accounts",
            slug,
            id=account,
            network="mastodon",
            base_url="https://m.test",
            remote_account=str(number),
            remote_name=f"@{number}",
            secret=b"sealed to acme",
            capabilities=Jsonb({"big": 12345678901234567890123, "small": 1.10, "z": None, "a": []}),
            connected_by=new_id(),
        )
        return account

    def _post(self, state: str, targets: tuple[str, ...], accounts: list[UUID], media_id: UUID) -> None:
        post = new_id()
        due = None if state == "draft" else "2099-01-01T00:00:00Z"
        self.insert(
            "posts",
            id=post,
            state=state,
            text=state,
            due_at=due,
            due_local="2099-01-01 01:00" if due else None,
            due_zone="Europe/Berlin" if due else None,
            approval_required=True,
            content_hash=b"hash",
            approved_hash=b"hash" if state == "scheduled" else None,
            request_sha256=b"request",
            created_by=new_id(),
        )
        self.insert("post_media", post_id=post, position=0, media_id=media_id, piece=Jsonb({"sha256": "00"}))
        self.insert("post_versions", post_id=post, version=1, content=Jsonb({}), content_hash=b"1", author=new_id())
        for number, target in enumerate(targets):
            self._target(post, target, accounts[number], due)

    def _target(self, post: UUID, state: str, account: UUID, due: str | None) -> None:
        target, begun = new_id(), state in ("published", "attempting", "unconfirmed")
        remote = f"remote of {target}" if state == "published" else None
        self.insert(
            "targets",
            id=target,
            post_id=post,
            account_id=account,
            network="mastodon",
            remote_account="1",
            state=state,
            run=7,
            due_at=due,
            content_hash=b"part",
            approval_required=True,
            approved_hash=b"part" if state == "prepared" else None,
            prepared=Jsonb({"media": ["1"]}) if state == "prepared" else None,
            prepared_hash=b"part" if state == "prepared" else None,
            attempt=1 if begun else 0,
            lease=now() if state == "attempting" else None,
            remote_id=remote,
            error_code="no" if state == "failed" else None,
        )
        if begun:
            self.insert(
                "attempts",
                id=new_id(),
                target_id=target,
                account_id=account,
                attempt=1,
                key=f"{target}-1",
                content_hash=b"part",
                outcome=None if state == "attempting" else state,
                remote_id=remote,
                evidence=Jsonb({"seen": True}),
            )


@dataclass(frozen=True)
class Archive:
    """An archive as its owner has fetched it."""

    export_id: UUID
    key: str
    body: bytes

    def names(self) -> list[str]:
        """Return the names of its files, in their order."""
        with zipfile.ZipFile(io.BytesIO(self.body)) as packed:
            return packed.namelist()

    def file(self, name: str) -> bytes:
        """Return a file's bytes."""
        with zipfile.ZipFile(io.BytesIO(self.body)) as packed:
            return packed.read(name)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table's rows."""
        return [json.loads(line) for line in self.file(f"rows/{table}.ndjson").splitlines()]

    @property
    def manifest(self) -> Manifest:
        """Return its manifest."""
        return Manifest.model_validate_json(self.file("manifest.json"))


def _file(name: str, data: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return said | ({"rows": data.count(b"\n")} if name.startswith("rows/") else {})


@pytest.fixture
def office(acme: Tenant, contoso: Tenant, cloud: Cloud, owner: psycopg.Connection, member: Member) -> Iterator[Office]:
    """Both tenants with their owners."""
    yield Office(acme, contoso, cloud, owner, member("owner"), member("owner", "contoso"))
    settings.forget()


@pytest.fixture
def furnished(office: Office) -> Office:
    """Acme has something in every state."""
    office.furnish()
    return office


Change = Callable[[bytes], bytes]
