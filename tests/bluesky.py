"""A Bluesky server on loopback behind a wire that can be cut: the real PDS where it is installed, or our stand-in.

Both are spoken to by the same methods, and every test of Bluesky runs against either. The stand-in (`tests.pds.stub`)
is what `make test` has; the real one is brought by `make test-networks`, which runs the same tests against it.
"""

import itertools
import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from infra_cdk.local.process import leashed, plain_environment
from infra_cdk.local.servers import PDS_COMMAND, PDS_ENVIRONMENT
from tests.pds import stub
from tests.wire import Wire, wired

COLLECTION = "app.bsky.feed.post"
ADMIN = "an-admins-password"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Owner:
    """Somebody who has an account there."""

    did: str
    handle: str
    app_password: str
    access: str


@dataclass(frozen=True)
class Pds:
    """The server, the wire before it, and what the server itself shows."""

    client: httpx.Client
    wire: Wire
    url: str
    run: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def owner(self) -> Owner:
        """Make an account with an app password."""
        handle = f"acme{self.run}{next(_numbers)}.test"
        body = {"handle": handle, "email": f"{handle}@acme.test", "password": "the-account's-own"}
        made = self.call("server.createAccount", json=body)
        access = made["accessJwt"]
        password = self.call("server.createAppPassword", access, json={"name": "socialflow"})["password"]
        return Owner(made["did"], handle, password, access)

    def records(self, owner: Owner) -> list[dict[str, Any]]:
        """Return the account's posts as the server lists them."""
        query = {"repo": owner.did, "collection": COLLECTION, "limit": "100"}
        found: list[dict[str, Any]] = []
        while True:
            page = self.call("repo.listRecords", params=query)
            found += page["records"]
            if not page["records"] or "cursor" not in page:
                return found
            query["cursor"] = page["cursor"]

    def texts(self, owner: Owner) -> list[str]:
        """Return the texts of the account's posts."""
        return [record["value"]["text"] for record in self.records(owner)]

    def answered(self, owner: Owner) -> list[tuple[str, str]]:
        """Return the texts of the account's posts with what each is a reply to, the oldest first."""
        records = sorted(self.records(owner), key=lambda record: str(record["value"]["createdAt"]))
        said = {record["uri"]: str(record["value"]["text"]) for record in records}
        replies = [record["value"].get("reply", {}).get("parent", {}).get("uri", "") for record in records]
        return [(said[record["uri"]], said.get(uri, "")) for record, uri in zip(records, replies, strict=True)]

    def put(self, owner: Owner, rkey: str, text: str) -> dict[str, Any]:
        """Put a post there as the account's owner."""
        record = {"$type": COLLECTION, "text": text, "createdAt": "2026-11-27T12:00:00.000Z"}
        body = {"repo": owner.did, "collection": COLLECTION, "rkey": rkey, "record": record}
        return self.call("repo.putRecord", owner.access, json=body)

    def take_down(self, owner: Owner) -> None:
        """Take an account down, as the server's operator does."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": owner.did}
        body = {"subject": subject, "takedown": {"applied": True, "ref": "test"}}
        self._send("admin.updateSubjectStatus", json=body, auth=("admin", ADMIN))

    def deactivate(self, owner: Owner) -> None:
        """Deactivate an account, as its owner does."""
        self._send("server.deactivateAccount", owner.access, json={})

    def call(self, method: str, token: str | None = None, **more: Any) -> dict[str, Any]:
        """Call a method; return its answer."""
        answer: dict[str, Any] = self._send(method, token, **more).json()
        return answer

    def _send(self, method: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        verb = "POST" if "json" in more else "GET"
        answer = self.client.request(verb, f"/xrpc/com.atproto.{method}", headers=headers, **more)
        assert answer.is_success, answer.text
        return answer


@contextmanager
def stand_in() -> Iterator[Pds]:
    """Start our stand-in and its wire; stop both at the end."""
    with (
        stub.running(ADMIN) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        yield Pds(client, wire, url)


@contextmanager
def real() -> Iterator[Pds]:
    """Start the real PDS and its wire; stop both at the end."""
    with TemporaryDirectory() as folder:
        command = leashed([*PDS_COMMAND, folder, "0", ADMIN])
        environment = plain_environment(**PDS_ENVIRONMENT)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            try:
                line = next((one for one in process.stdout if '"directoryPort"' in one), "")
                assert line, "The PDS did not start: run `make test-networks` first."
                address = f"http://127.0.0.1:{json.loads(line)['port']}"
                with httpx.Client(base_url=address, timeout=40) as client, wired(client) as (wire, url):
                    yield Pds(client, wire, url)
            finally:
                process.terminate()
