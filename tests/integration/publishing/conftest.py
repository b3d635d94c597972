"""A post's life, step by step, as the engine would drive it, against a Mastodon server on loopback."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import boto3
import psycopg
import pytest

from functions.task_confirm_target.handler import handler as task_confirm_target
from functions.task_open_post.handler import handler as task_open_post
from functions.task_prepare_target.handler import handler as task_prepare_target
from functions.task_publish_target.handler import handler as task_publish_target
from functions.task_settle_post.handler import handler as task_settle_post
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.platform import aws, database, settings, work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import ledger
from socialflow.publishing.content import Destination
from socialflow.publishing.model import Pace
from socialflow.publishing.steps import Step
from tests.api import Client, Reply
from tests.conftest import Cloud
from tests.integration.conftest import Member
from tests.mastodon import TOKEN, Instance, instance
from tests.pictures import photo
from tests.wire import Wire


@pytest.fixture(scope="session")
def mastodon_server(cloud: Cloud) -> Iterator[Instance]:
    """The server, reachable although it is on loopback."""
    with instance() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", running.host)
        settings.forget()
        yield running
    settings.forget()


@pytest.fixture
def mastodon(mastodon_server: Instance) -> Iterator[Instance]:
    """The server, without statuses."""
    mastodon_server.reset()
    yield mastodon_server
    mastodon_server.wire.release.set()


@dataclass(frozen=True)
class Context:
    """An invocation's context."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        """What Lambda says of the time that is left."""
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Attempt:
    """An attempt that was begun and not reported."""

    post: UUID
    id: UUID
    key: str


@dataclass(frozen=True)
class Desk:
    """The API, the workflow's functions and the network, around acme."""

    tenant: Tenant
    cloud: Cloud
    owner: psycopg.Connection
    mastodon: Instance
    editor: Client
    admin: Client

    # What people do

    def account(self, *, keeps_keys: bool = True, token: str = TOKEN) -> str:
        """Connect an account; return its id."""
        body = {"network": "mastodon", "base_url": self.mastodon.url, "access_token": token}
        reply = self.admin.post("/v1/accounts", body | {"capabilities": {"idempotency_key": keeps_keys}})
        assert reply.status in (200, 201), reply
        return str(reply.json["id"])

    def media(self, *, state: str = "approved", alt_text: str = "A harbour at dusk") -> str:
        """Return a media item in a state, with the file that would be published."""
        media_id = new_id()
        data = photo(64, 48, sky=f"#{media_id.hex[-6:]}")
        key = f"tenants/acme/media/{media_id}/large.jpg"
        written = boto3.client("s3").put_object(Bucket=self.cloud.bucket, Key=key, Body=data, ContentType="image/jpeg")
        self.owner.execute(
            "INSERT INTO t_acme.media_items (id, state, file_name, declared_type, declared_size, object_key,"
            " upload_expires_at, created_by) VALUES (%s, %s, 'harbour.jpg', 'image/jpeg', 1, %s, now(), %s)",
            (media_id, state, key, new_id()),
        )
        self.owner.execute(
            "INSERT INTO t_acme.derivatives VALUES (%s, 'large', %s, %s, 'image/jpeg', 64, 48, %s, %s)",
            (media_id, key, written["VersionId"], len(data), hashlib.sha256(data).digest()),
        )
        self.owner.execute(
            "INSERT INTO t_acme.captions (id, media_id, version, text, alt_text, source, author)"
            " VALUES (%s, %s, 1, 'Dusk', %s, 'person', %s)",
            (new_id(), media_id, alt_text, new_id()),
        )
        return str(media_id)

    def post(
        self, text: str = "Good evening", *, accounts: list[str], at: object = "now", **more: Any
    ) -> dict[str, Any]:
        """Make a post; return it."""
        reply = self.try_post(text, accounts=accounts, at=at, **more)
        assert reply.status == 201, reply
        made: dict[str, Any] = reply.json
        return made

    def try_post(self, text: str = "Good evening", *, accounts: list[str], at: object = "now", **more: Any) -> Reply:
        """Ask for a post; return the answer."""
        targets = [{"account_id": account} for account in accounts]
        return self.editor.post("/v1/posts", {"text": text, "targets": targets, "publish_at": at, **more})

    def read(self, post_id: str) -> dict[str, Any]:
        """Return a post as the API shows it."""
        found: dict[str, Any] = self.editor.get(f"/v1/posts/{post_id}").json
        return found

    def target(self, post_id: str, index: int = 0) -> dict[str, Any]:
        """Return a target of a post as the API shows it."""
        found: dict[str, Any] = self.read(post_id)["targets"][index]
        return found

    def approvals(self, policy: str) -> None:
        """Set the tenant's policy."""
        self.owner.execute("UPDATE control.tenants SET settings = jsonb_build_object('approval', %s::text)", (policy,))

    # What the engine does

    def start(self, post_id: str) -> int:
        """Begin the next run, as the reconciler does; return its number."""
        return int(
            self.value(
                "UPDATE cell.work SET run = run + 1, wake_at = now() + interval '2 min', token = NULL, token_run = NULL"
                " WHERE id = %s RETURNING run",
                post_id,
            )
        )

    def given(self, post_id: str, run: int, **more: str) -> dict[str, Any]:
        """Return a task's input."""
        return {"v": 1, "tenant": self.tenant.slug, "kind": "publish", "id": post_id, "run": run, **more}

    def open(self, post_id: str, run: int) -> dict[str, Any]:
        """Run Open Post."""
        opened: dict[str, Any] = task_open_post(self.given(post_id, run), None)
        return opened

    def prepare(self, post_id: str, run: int, index: int = 0) -> dict[str, Any]:
        """Run Prepare Target."""
        return self._step(task_prepare_target, post_id, run, index)

    def publish(self, post_id: str, run: int, index: int = 0, *, seconds: float | None = None) -> dict[str, Any]:
        """Run Publish Target, in an invocation that has `seconds` left."""
        return self._step(task_publish_target, post_id, run, index, None if seconds is None else Context(seconds))

    def claim_and_die(self, post_id: str, run: int) -> Attempt:
        """Do what Publish Target does up to the call, and no more; return the attempt that it leaves."""
        attempt = self.try_to_claim(post_id, run)
        assert attempt is not None
        return attempt

    def try_to_claim(self, post_id: str, run: int) -> Attempt | None:
        """Do what Publish Target does up to the call; None where the claim is refused."""
        step = Step(UUID(post_id), UUID(self.target(post_id)["id"]), run)
        with transaction(self.tenant) as tx:
            found = accounts.credentials(tx, *ledger.way_to(tx, step))
            assert found is not None
            account = found.account
            place = Destination(
                account.id, account.network, account.base_url, account.remote_account, route=account.route
            )
            begun = ledger.begin_publishing(tx, step, place, pace=Pace.of(PublishSettings.from_env()), at=now())
        if not isinstance(begun, ledger.Publishing):
            return None
        return Attempt(UUID(post_id), begun.attempt_id, begun.key)

    def confirm(self, post_id: str, run: int, index: int = 0) -> dict[str, Any]:
        """Run Confirm Target, once the attempt's lease is over."""
        self.let_lease_pass(post_id)
        return self._step(task_confirm_target, post_id, run, index)

    def confirm_now(self, post_id: str, run: int, index: int = 0) -> dict[str, Any]:
        """Run Confirm Target at once."""
        return self._step(task_confirm_target, post_id, run, index)

    def settle(self, post_id: str, run: int) -> dict[str, Any]:
        """Run Settle Post."""
        settled: dict[str, Any] = task_settle_post(self.given(post_id, run), None)
        return settled

    def ready(self, post_id: str) -> int:
        """Start a run and prepare every target; return the run."""
        run = self.start(post_id)
        assert self.open(post_id, run)["outcome"] == "publish"
        for index in range(len(self.read(post_id)["targets"])):
            assert self.prepare(post_id, run, index)["outcome"] == "prepared"
        return run

    def ready_first(self, post_id: str) -> int:
        """Start a run and prepare what it begins with; return the run."""
        run = self.start(post_id)
        assert self.open(post_id, run)["outcome"] == "publish"
        assert self.prepare(post_id, run, 0)["outcome"] == "prepared"
        return run

    def _step(self, handler: Any, post_id: str, run: int, index: int, context: object = None) -> dict[str, Any]:
        target_id = self.target(post_id, index)["id"]
        outcome: dict[str, Any] = handler(self.given(post_id, run, target_id=target_id), context)
        return outcome

    def meanwhile(self, method: str, path: str, errand: Callable[[], object]) -> None:
        """Do something while the next such request to Mastodon is on its way."""
        self.meanwhile_at(self.mastodon.wire, method, path, errand)

    def meanwhile_at(self, wire: Wire, method: str, path: str, errand: Callable[[], object]) -> None:
        """Do something while the next such request on a wire is on its way."""

        def run() -> None:
            try:
                errand()
            finally:
                database.forget()  # the wire's thread has a connection of its own

        wire.meanwhile(method, path, run)

    # Time and truth

    def let_lease_pass(self, post_id: str) -> None:
        """Let the attempt's lease be over."""
        self.owner.execute("UPDATE t_acme.targets SET lease = now() - interval '1 s' WHERE post_id = %s", (post_id,))

    def let_pause_pass(self, post_id: str) -> None:
        """Let the wait before the next try be over."""
        self.owner.execute("UPDATE t_acme.targets SET next_at = now() - interval '1 s' WHERE post_id = %s", (post_id,))

    def let_look_be_due(self) -> None:
        """Let all accounts be due to be looked at."""
        self.owner.execute("UPDATE t_acme.social_accounts SET look_at = now(), renewing_until = NULL")

    def reseal(self) -> None:
        """Seal every account's token again, after its address was changed in the database."""
        with transaction(self.tenant) as tx:
            profiles = [account.profile for account in accounts.page(tx, after=None, limit=10)]
        for profile in profiles:
            sealed = tokens.seal(self.tenant, profile, TOKEN)
            where = (sealed, profile.remote_account)
            self.owner.execute("UPDATE t_acme.social_accounts SET secret = %s WHERE remote_account = %s", where)

    def value(self, query: str, *params: object) -> Any:
        """Return one value, as the database's owner."""
        found = self.owner.execute(query, params).fetchone()
        return found[0] if found else None

    def facts(self, post_id: str) -> list[str]:
        """Return the facts about a post, in order."""
        query = "SELECT type FROM cell.outbox WHERE aggregate_id = %s ORDER BY seq"
        return [row[0] for row in self.owner.execute(query, (UUID(post_id),)).fetchall()]

    def in_minutes(self, minutes: float) -> str:
        """Return a moment as a client writes it."""
        return (now() + timedelta(minutes=minutes)).isoformat()


class _Answers:
    """Step Functions as far as answering tokens goes; it remembers."""

    def __init__(self) -> None:
        self.exceptions = boto3.client("stepfunctions").exceptions
        self.given: list[str] = []

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 # the client's names
        assert json.loads(output)
        self.given.append(taskToken)


@pytest.fixture
def answers(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that were answered."""
    fake = _Answers()
    monkeypatch.setattr(work, "client", lambda name: fake if name == "stepfunctions" else aws.client(name))
    return fake.given


@pytest.fixture
def desk(acme: Tenant, cloud: Cloud, owner: psycopg.Connection, mastodon: Instance, member: Member) -> Desk:
    """Everything around acme's posts."""
    return Desk(acme, cloud, owner, mastodon, member("editor"), member("admin"))
