"""What every test may ask for: a PostgreSQL of its own with two tenants, and the AWS services by moto.

Both tenants are always there, so that a statement without its tenant finds the wrong rows and not none.
"""

import asyncio
import importlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it has types, and does not say so

from infra_cdk.local.postgres import APP, OWNER, SUPERUSER, Cluster, test_cluster
from socialflow.ai import gateway
from socialflow.limits import NETWORKS
from socialflow.platform import aws, database, registry, secrets, settings
from socialflow.platform.acting import SYSTEM, act_as
from socialflow.platform.tenancy import Tenant
from socialflow.tenants import migration, schema
from socialflow.tenants import service as tenants
from socialflow.tenants.lifecycle import buried
from socialflow.tenants.model import FirstMember

ISSUER = "https://issuer.test"
REGION = "eu-central-1"
ROLES = ("owner", "admin", "editor", "viewer")
CLERK_SECRETS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
"""The present signing secret and the one that it took over from."""
NETWORK_APPS = {name: {"client_id": f"app-{name}", "client_secret": f"secret-{name}"} for name in NETWORKS}
"""What we are to each network in tests."""
STRIPE_KEYS = {"api_key": "sk_test_1234567", "webhook_secrets": ["whsec_retiring", "whsec_present"]}
PEOPLE = ("users", "members")
"""Tables of the registry that each test finds as the first did."""


@dataclass(frozen=True)
class Cloud:
    """The names of what the stack would have made."""

    bucket: str = "media"
    bus: str = "socialflow"
    queue_url: str = ""
    key_id: str = ""
    ingest: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:ingest"
    publish: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:publish"
    export: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:export"
    render: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:render"
    caption: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:caption"
    hashing: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:hash"
    embedding: str = f"arn:aws:states:{REGION}:123456789012:stateMachine:embed"
    database_secret: str = ""
    stripe_secret: str = ""
    network_apps_secret: str = ""
    owner_secret: str = ""
    clerk_webhook_secret: str = ""
    invitation_secret: str = ""

    def environment(self) -> dict[str, str]:
        """The environment of a function that needs everything."""
        values = {
            "STAGE": "test",
            "DATABASE_SECRET": self.database_secret,
            "DATABASE_OWNER_SECRET": self.owner_secret,
            "TENANT_OWNER_FUNCTION": "ops_tenant",
            "MAIL_SENDER": "no-reply@socialflow.example",
            "INVITATION_PAGE": "https://app.test/invitations",
            "INVITATION_SECRET": self.invitation_secret,
            "MEDIA_BUCKET": self.bucket,
            "BUS_NAME": self.bus,
            "DOORBELL_QUEUE_URL": self.queue_url,
            "KEY_ID": self.key_id,
            "REQUESTS_PER_MINUTE": "1000000",  # so that no test meets a limit that it is not about
            "OIDC_ISSUER": ISSUER,
            "OIDC_JWKS_URL": f"{ISSUER}/.well-known/jwks.json",
            "INGEST_STATE_MACHINE": self.ingest,
            "PUBLISH_STATE_MACHINE": self.publish,
            "EXPORT_STATE_MACHINE": self.export,
            "RENDER_STATE_MACHINE": self.render,
            "CAPTION_STATE_MACHINE": self.caption,
            "HASH_STATE_MACHINE": self.hashing,
            "EMBED_STATE_MACHINE": self.embedding,
            "CAPTION_MODEL": "openai/offline",
            "CLERK_WEBHOOK_SECRET": self.clerk_webhook_secret,
            "STRIPE_SECRET": self.stripe_secret,
            "NETWORK_APPS_SECRET": self.network_apps_secret,
            "STRIPE_PRICES": "pro=price_pro,pro=price_pro_yearly,business=price_business",
            "APP_ORIGINS": "https://app.test,https://other.app.test:8443",
        }
        return {settings.PREFIX + key: value for key, value in values.items()}


class Functions:
    """Lambda as far as calling the project's own functions goes: by their names, in this process."""

    def invoke(self, **call: Any) -> dict[str, Any]:
        """Call a function and wait; what it raises comes back as Lambda says it."""
        handler = importlib.import_module(f"functions.{call['FunctionName']}.handler").handler
        try:
            told = handler(json.loads(call["Payload"]), None)
        except Exception as error:  # noqa: BLE001 - Lambda catches everything too
            failed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failed).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(told).encode())}


class Together(LoadScopeScheduling):  # type: ignore[misc] # see its import
    """Leaves to one worker, in their order, the tests that share costly fixtures: a stack, a synthesis, a module's own.

    By their places: xdist's groups by mark need what pytest has no more (an item's `_nodeid`), and fall apart silently.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = PurePosixPath(path).parent.name
        return folder if folder in {"e2e", "infra"} else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Have xdist give tests to its workers so."""
    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> Iterator[None]:
    """A loop for LiteLLM: its blocking calls ask the main thread for one, and would make one and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away PostgreSQL."""
    with test_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def cloud(cluster: Cluster) -> Iterator[Cloud]:
    """The AWS services, by moto, with the environment of the functions set."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for key in [key for key in os.environ if key.startswith("AWS_")]:
            patch.delenv(key)
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        made = _make(cluster)
        aws.use("lambda", Functions())
        for key, value in made.environment().items():
            patch.setenv(key, value)
        settings.forget()
        aws.forget()
        yield made
    settings.forget()
    aws.use("lambda", None)
    aws.forget()


def _make(cluster: Cluster) -> Cloud:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    boto3.client("events").create_event_bus(Name="socialflow")
    boto3.client("sesv2").create_email_identity(EmailIdentity="no-reply@socialflow.example")
    keeper = boto3.client("secretsmanager")
    arns = {
        user: keeper.create_secret(Name=user, SecretString=json.dumps(cluster.secret(user)))["ARN"]
        for user in (APP, OWNER)
    }
    return Cloud(
        queue_url=boto3.client("sqs").create_queue(QueueName="doorbell")["QueueUrl"],
        key_id=boto3.client("kms").create_key()["KeyMetadata"]["KeyId"],
        database_secret=arns[APP],
        stripe_secret=keeper.create_secret(Name="stripe", SecretString=json.dumps(STRIPE_KEYS))["ARN"],
        network_apps_secret=keeper.create_secret(Name="networks", SecretString=json.dumps(NETWORK_APPS))["ARN"],
        owner_secret=arns[OWNER],
        clerk_webhook_secret=keeper.create_secret(Name="clerk", SecretString=CLERK_SECRETS)["ARN"],
        invitation_secret=keeper.create_secret(Name="invitations", SecretString="random")["ARN"],
    )


@pytest.fixture(scope="session")
def owner(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """A connection as the owner of the database: to look, and to put things as no function may."""
    with psycopg.connect(cluster.dsn(OWNER), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def schemas(cloud: Cloud, owner: psycopg.Connection) -> tuple[str, ...]:
    """Everything migrated, tenants acme and contoso provisioned with their members."""
    migration.migrate_everything(owner)
    for slug, roles in (("acme", ROLES), ("contoso", ("owner",))):
        members = [
            FirstMember(ISSUER, f"{slug}-{role}", f"{role}@{slug}.test", f"{role.title()} of {slug}", role)
            for role in roles
        ]
        tenants.provision(owner, slug, slug.title(), settings={}, members=members)
    owner.execute("UPDATE control.tenants SET plan = 'business'")  # so that no test meets a limit that it is not about
    owner.execute("CREATE SCHEMA kept")
    for table in PEOPLE:
        owner.execute(sql.SQL("CREATE TABLE kept.{0} AS TABLE control.{0}").format(sql.Identifier(table)))
    return ("t_acme", "t_contoso")


@pytest.fixture(scope="session")
def superuser(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """A connection that no trigger sees: to clean, and to tamper with the audit."""
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture(scope="session")
def deployed(schemas: tuple[str, ...], owner: psycopg.Connection) -> Callable[[], None]:
    """What makes the registry forget that a test has migrated, or pretended to."""
    version = schema.version()

    def reset() -> None:
        owner.execute("UPDATE control.tenants SET schema_version = %s", (version,))
        owner.execute("UPDATE control.schema_target SET version = %s", (version,))
        owner.execute("DELETE FROM control.migration_state")

    return reset


@pytest.fixture
def clean(
    schemas: tuple[str, ...], owner: psycopg.Connection, superuser: psycopg.Connection, deployed: Callable[[], None]
) -> Iterator[None]:
    """A database in which nothing has happened yet; both tenants exist."""
    act_as(SYSTEM)
    superuser.execute("TRUNCATE control.audit_log, control.audit_head")
    yield
    database.forget()
    secrets.forget_all()
    gateway.forget()
    owner.execute("DELETE FROM control.billing")
    _unmake_tenants(owner)
    superuser.execute(_truncate(owner, schemas))
    superuser.execute("TRUNCATE control.api_keys, control.support_grants")
    deployed()
    owner.execute(
        "UPDATE control.tenants SET status = 'active', settings = '{}', name = initcap(slug), plan = 'business',"
        " version = 1, suspended_at = NULL, suspended_for = NULL, deleted_at = NULL, deleted_by = NULL"
    )
    superuser.execute("TRUNCATE control.outbox, control.invitations")
    owner.execute("DELETE FROM control.users; DELETE FROM control.clerk_organizations")
    owner.execute("DELETE FROM control.webhook_receipts")
    for table in PEOPLE:
        owner.execute(sql.SQL("INSERT INTO control.{0} TABLE kept.{0}").format(sql.Identifier(table)))


def _unmake_tenants(owner: psycopg.Connection) -> None:
    """Drop what a test has made, and give both tenants back the schemas that it may have hidden."""
    for tenant_id, slug in owner.execute("SELECT id, slug FROM control.tenants").fetchall():
        hidden = owner.execute("SELECT to_regnamespace(%s)", (buried(tenant_id),)).fetchone()
        if slug in ("acme", "contoso"):
            if hidden != (None,):
                names = sql.Identifier(buried(tenant_id)), sql.Identifier(f"t_{slug}")
                owner.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(*names))
            continue
        for name in (f"t_{slug}", buried(tenant_id)):
            owner.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
        owner.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"t_{slug}_rw")))
        owner.execute("DELETE FROM control.tenants WHERE id = %s", (tenant_id,))


@pytest.fixture
def acme(clean: None) -> Tenant:
    """A tenant with an owner, an admin, an editor and a viewer."""
    return registry.named("acme")


@pytest.fixture
def contoso(clean: None) -> Tenant:
    """Another tenant, with an owner."""
    return registry.named("contoso")


def _truncate(owner: psycopg.Connection, schemas: tuple[str, ...]) -> sql.Composed:
    kept = ["schema_migrations", "outbox_shard"]
    rows = owner.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) AND NOT tablename = ANY(%s)",
        ([*schemas, "cell"], kept),
    ).fetchall()
    return sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(sql.Identifier(*row) for row in rows))
