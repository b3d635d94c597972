"""What tenants' people and operators do with the running stack, as one call each."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import psycopg

from infra_cdk.local.demo.client import Document, Person
from infra_cdk.local.prepare import invoke
from infra_cdk.local.process import plain_environment
from infra_cdk.local.state import ROOT
from socialflow.exports.manifest import NAME, Manifest
from tests.e2e.stack import LocalStack
from tests.e2e.steps import eventually

COMMAND_TIMEOUT_S = 60
DAILY = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def call(who: Person, method: str, path: str, body: Document | None = None, **headers: str) -> httpx.Response:
    """Ask the API and return whatever it answers."""
    known = {"Authorization": f"Bearer {who.token}", "X-Tenant-Id": who.tenant, **headers}
    return who.http.request(method, who.api + path, headers=known, json=body)


@dataclass(frozen=True)
class Operator:
    """Somebody who may invoke functions and read the database, on this machine."""

    stack: LocalStack

    def invoke(self, function: str, event: Document) -> Document:
        """Call a function of the stack."""
        return invoke(self.stack.state.engine(), function, event)

    def sql(self, query: str, *params: object) -> list[tuple[Any, ...]]:
        """Run a statement as the owner of the database."""
        with psycopg.connect(self.stack.addresses["database"], autocommit=True) as connection:
            cursor = connection.execute(query.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def command(self, *words: str) -> tuple[int, Document]:
        """Run the command line; return how it exited and what it said."""
        ran = subprocess.run(
            [sys.executable, "-m", "infra_cdk.operator", "--home", str(self.stack.state.home), "--json", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=plain_environment(),
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return ran.returncode, json.loads(ran.stdout) if ran.stdout else {"said": ran.stderr}

    def versions(self, prefix: str) -> list[str]:
        """Return the keys of all versions and markers below a prefix of the media bucket."""
        s3 = self.stack.state.engine().client("s3")
        found = s3.list_object_versions(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]]

    def put(self, key: str, body: bytes) -> None:
        """Write an object into the media bucket."""
        self.stack.state.engine().client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    @property
    def bucket(self) -> str:
        """The media bucket."""
        buckets = self.stack.state.engine().client("s3").list_buckets()["Buckets"]
        return next(str(each["Name"]) for each in buckets if "media" in each["Name"])


def link_mailed_to(stack: LocalStack, address: str) -> str:
    """Wait for the invitation's mail in the engine's SES; return the token of its link."""

    def mails() -> list[Document]:
        told = stack.http.get(f"{stack.state.engine().url}/_ministack/ses/messages").raise_for_status().json()
        return [mail for sent in told["messages"].values() for mail in sent if address in mail["To"]]

    (mail,) = eventually(mails, bool)
    found = re.search(r"#token=(\S+)", mail["BodyText"])
    assert found, mail
    return found[1]


def fetched_export(operator: Operator, owner: Person) -> bytes:
    """Ask for an export and fetch its archive by the link."""
    asked = owner.post("/exports")
    operator.invoke("cron_reconcile", {})  # as the minute's schedule does
    ready = eventually(lambda: owner.get(f"/exports/{asked['id']}"), lambda seen: seen["state"] in ("ready", "failed"))
    assert ready["state"] == "ready", ready
    body = httpx.get(ready["url"]).raise_for_status().content
    assert hashlib.sha256(body).hexdigest() == ready["sha256"]
    return body


def checked_manifest(archive: bytes) -> Manifest:
    """Return an archive's manifest, each of its files held against its hash."""
    with zipfile.ZipFile(BytesIO(archive)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    manifest = Manifest.model_validate_json(files.pop(NAME))
    assert {name: hashlib.sha256(body).hexdigest() for name, body in files.items()} == {
        name: said.sha256 for name, said in manifest.files.items()
    }
    return manifest
