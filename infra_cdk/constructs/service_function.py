"""One Lambda function of SocialFlow: every default once, and each capability with exactly its rights and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aws_cdk import Duration, Stack, aws_iam, aws_kms, aws_lambda, aws_secretsmanager, aws_sqs
from aws_cdk import Size as Storage
from aws_cdk.aws_events import EventBus
from constructs import Construct

from infra_cdk.constructs.layers import ARCHITECTURE, RUNTIME, Layers
from infra_cdk.constructs.logs import log_group
from infra_cdk.constructs.media import Media
from infra_cdk.constructs.nag import accept
from infra_cdk.stages import LIVE, Stage
from layers import archive

# Every object of a tenant is below the first prefix, every archive below the second; nothing else is in the bucket.
OBJECTS = "tenants/*"
ARCHIVES = "exports/*"
PREFIX = "SOCIALFLOW_"
# Credentials are sealed and opened for a tenant by name, or not at all.
FOR_A_TENANT = {"Null": {"kms:EncryptionContext:tenant": "false"}}


@dataclass(frozen=True)
class Size:
    """How much a function gets: memory and disk in MB (CPU comes with memory), and seconds until it is ended."""

    memory: int = 512
    timeout: int = 30
    disk: int = 512


class ServiceFunction(Construct):
    """The function made from the folder `functions/<name>`, with a role of its own that may log and no more."""

    def __init__(  # noqa: PLR0913 - what differs between functions, each by its name
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        layers: Layers,
        size: Size,
        extra_layers: Sequence[str] = (),
        reserved: int | None = None,
        snapshot: bool = False,
    ) -> None:
        """`name` is the folder, the construct's id and the end of the physical name.

        With a `snapshot` sandboxes begin from the memory of one that has started; the folder's code must know of it.
        """
        super().__init__(scope, name)
        self.name = name
        self.stage = stage
        self.size = size
        self.logs = log_group(self, stage, f"/aws/lambda/{stage.function_name(name)}")
        self.role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
        self.may(["logs:CreateLogStream", "logs:PutLogEvents"], self.logs.log_group_arn)
        package, digest = archive.function(name)
        self.function = aws_lambda.Function(
            self,
            "Function",
            function_name=stage.function_name(name),
            code=aws_lambda.Code.from_asset(str(package), asset_hash=digest),
            handler=f"functions.{name}.handler.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            layers=[layers[each] for each in ("core", *extra_layers)],
            memory_size=size.memory,
            timeout=Duration.seconds(size.timeout),
            ephemeral_storage_size=Storage.mebibytes(size.disk),
            role=self.role,
            log_group=self.logs,
            logging_format=aws_lambda.LoggingFormat.JSON,
            reserved_concurrent_executions=reserved,
            snap_start=aws_lambda.SnapStartConf.ON_PUBLISHED_VERSIONS if snapshot else None,
            environment={f"{PREFIX}STAGE": stage.name, f"{PREFIX}LOG_LEVEL": stage.log_level},
        )
        accept(
            self,
            "L1",
            "3.13 is what the layers are built, measured and tested for; a newer runtime is a change of its own.",
        )

        self._live = self._alias() if snapshot else None

    @property
    def arn(self) -> str:
        """What is invoked, and may be: the version that is live where there are versions, the function elsewhere."""
        return self._live.function_arn if self._live else self.function.function_arn

    def _alias(self) -> aws_lambda.Alias:
        """Only a published version has a snapshot: each deployment that changes it publishes one, and points here."""
        return aws_lambda.Alias(self, "Live", alias_name=LIVE, version=self.function.current_version)

    def may(self, actions: list[str], *resources: str, when: Mapping[str, Any] | None = None) -> Self:
        """Allow the function exactly these actions on these resources, and only under the conditions given."""
        statement = aws_iam.PolicyStatement(actions=actions, resources=list(resources), conditions=when)
        self.role.add_to_policy(statement)
        return self

    def knows(self, **settings: str | int | Sequence[str]) -> Self:
        """Put settings into the environment, as `SOCIALFLOW_<NAME>`; a list becomes a comma list."""
        for name, value in settings.items():
            text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ",".join(value)
            self.function.add_environment(f"{PREFIX}{name.upper()}", text)
        return self

    def uses_database(self, secret: aws_secretsmanager.Secret) -> Self:
        """Connect as the user of the secret: the application's, or for operations the owner's."""
        self.may(["secretsmanager:GetSecretValue"], secret.secret_arn)
        return self.knows(database_secret=secret.secret_arn)

    def owns_database(self, secret: aws_secretsmanager.Secret) -> Self:
        """Connect as the database's owner, by a setting of its own: such a function has no other login."""
        self.may(["secretsmanager:GetSecretValue"], secret.secret_arn)
        return self.knows(database_owner_secret=secret.secret_arn)

    def asks_tenant_owner(self, owner: "ServiceFunction") -> Self:
        """Have tenants created, deleted and restored by the one function that may."""
        self.may(["lambda:InvokeFunction"], owner.arn)
        return self.knows(tenant_owner_function=self.stage.function_name(owner.name))

    def signs_in(self) -> Self:
        """Verify the tokens of the stage's issuer. The keys are public: no right is needed."""
        identity = self.stage.identity
        return self.knows(
            oidc_issuer=identity.issuer,
            oidc_jwks_url=identity.keys_url,
            oidc_audience=identity.audience,
            oidc_authorized_parties=identity.authorized_parties,
            requests_per_minute=self.stage.requests_per_minute,
        )

    def takes_webhooks_of_clerk(self, secret: aws_secretsmanager.Secret) -> Self:
        """Verify what Clerk signs."""
        self.may(["secretsmanager:GetSecretValue"], secret.secret_arn)
        return self.knows(clerk_webhook_secret=secret.secret_arn)

    def knows_media(self, media: Media) -> Self:
        """Know which bucket it is: no right comes with that."""
        return self.knows(media_bucket=media.bucket.bucket_name, presign_ttl=self.stage.timing.presign_ttl)

    def reads_media(self, media: Media) -> Self:
        """Read objects, and sign links that read them."""
        self.may(["kms:Decrypt"], media.key.key_arn)
        return self._objects(["s3:GetObject", "s3:GetObjectVersion"], media)

    def finds_media(self, media: Media) -> Self:
        """Read objects that may not be there: who may not list is told 403 by S3, and not 404."""
        self.may(["s3:ListBucket"], media.arn)
        return self.reads_media(media)

    def writes_media(self, media: Media) -> Self:
        """Write objects, and sign links that write them."""
        self.may(["kms:GenerateDataKey"], media.key.key_arn)
        return self._objects(["s3:PutObject"], media)

    def collects_parts(self, media: Media) -> Self:
        """See what has come of a file in parts, put it together, or throw it away; for who finds and writes media.

        Each part but the first is written under the data key of the upload, which is opened for it: `kms:Decrypt`.
        """
        return self._objects(["s3:ListMultipartUploadParts"], media).drops_parts(media)

    def clears_media(self, media: Media) -> Self:
        """Delete objects, whose versions stay for a while, and what has come of files in parts; for who finds media."""
        return self._objects(["s3:DeleteObject"], media).drops_parts(media)

    def drops_parts(self, media: Media) -> Self:
        """Throw away what has come of a file in parts."""
        return self._objects(["s3:AbortMultipartUpload"], media)

    def reads_archives(self, media: Media) -> Self:
        """Read archives of exports, and sign links that read them; no media."""
        self.may(["kms:Decrypt"], media.key.key_arn)
        return self._objects(["s3:GetObject", "s3:GetObjectVersion"], media, ARCHIVES)

    def finds_archives(self, media: Media) -> Self:
        """Read archives that may not be there."""
        self.may(["s3:ListBucket"], media.arn)
        return self.reads_archives(media)

    def writes_archives(self, media: Media) -> Self:
        """Write archives in parts, and throw away the parts of one that fails."""
        # Each part but the first is written under the data key of the upload, which is opened for it.
        self.may(["kms:GenerateDataKey", "kms:Decrypt"], media.key.key_arn)
        return self._objects(["s3:PutObject", "s3:AbortMultipartUpload"], media, ARCHIVES)

    def purges_media(self, media: Media) -> Self:
        """Find and delete every version of an object."""
        self.may(["s3:ListBucketVersions"], media.arn)
        return self._objects(["s3:DeleteObject", "s3:DeleteObjectVersion"], media)

    def erases_media(self, media: Media) -> Self:
        """Find and delete every version of an object, and uploads in parts that are under way."""
        self.may(["s3:ListBucketMultipartUploads"], media.arn)
        self._objects(["s3:AbortMultipartUpload"], media)
        return self.purges_media(media)

    def rings(self, doorbell: aws_sqs.Queue) -> Self:
        """Tell the relay that facts are waiting."""
        self.may(["sqs:SendMessage"], doorbell.queue_arn)
        return self.knows(doorbell_queue_url=doorbell.queue_url)

    def puts_facts_on(self, bus: EventBus) -> Self:
        """Put facts on the bus: the relay alone may."""
        self.may(["events:PutEvents"], bus.event_bus_arn)
        return self.knows(bus_name=bus.event_bus_name)

    def seals_credentials(self, key: aws_kms.Key) -> Self:
        """Encrypt an account's credentials; whoever only seals cannot open."""
        self.may(["kms:GenerateDataKey"], key.key_arn, when=FOR_A_TENANT)
        return self.knows(key_id=key.key_arn)

    def opens_credentials(self, key: aws_kms.Key) -> Self:
        """Decrypt an account's credentials."""
        self.may(["kms:Decrypt"], key.key_arn, when=FOR_A_TENANT)
        return self.knows(key_id=key.key_arn)

    def calls_networks(self) -> Self:
        """Call hosts that a user named, by way of the one egress client."""
        return self.knows(egress_allowed_hosts=self.stage.egress_allowed_hosts)

    def goes_by_late(self) -> Self:
        """Know where Late is, by way of which networks may be reached."""
        return self.knows(late_api_base=self.stage.late_api_base)

    def is_registered(self, apps: aws_secretsmanager.Secret) -> Self:
        """Say to networks who we are, where they let people in and renew what was granted for nobody else."""
        self.may(["secretsmanager:GetSecretValue"], apps.secret_arn)
        return self.knows(network_apps_secret=apps.secret_arn, network_homes=self.stage.network_homes)

    def times_publishing(self, lease: int) -> Self:
        """Know when a post is prepared and started, and for how many seconds an attempt is its own."""
        timing = self.stage.timing
        return self.knows(prepare_lead=timing.prepare_lead, horizon=timing.horizon, publish_lease=lease)

    def starts(  # noqa: PLR0913 # each machine by its name
        self, *, ingest: str, publish: str, export: str, render: str, caption: str, hashing: str, embedding: str
    ) -> Self:
        """Start executions of the workflows."""
        self.may(["states:StartExecution"], ingest, publish, export, render, caption, hashing, embedding)
        self.knows(
            ingest_state_machine=ingest,
            publish_state_machine=publish,
            export_state_machine=export,
            render_state_machine=render,
            caption_state_machine=caption,
            hash_state_machine=hashing,
            embed_state_machine=embedding,
        )
        return self.knows(ingest_at_once=self.stage.ingest_at_once, renditions_at_once=self.stage.renditions_at_once)

    def answers_tokens_of(self, *machines: str) -> Self:
        """Wake executions that wait on a token."""
        return self.may(["states:SendTaskSuccess", "states:SendTaskFailure"], *machines)

    def knows_models(self) -> Self:
        """Know which models the platform pays for."""
        captioner = self.stage.captioner
        return self.knows(caption_model=captioner.model, caption_fallbacks=captioner.fallbacks)

    def knows_embedder(self) -> Self:
        """Know which model makes the platform's vectors."""
        return self.knows(embedding_model=self.stage.captioner.embedder)

    def makes_vectors(self, api_key: aws_secretsmanager.Secret) -> Self:
        """Ask the stage's model for vectors: Bedrock by the function's role, any other provider by its key."""
        captioner = self.stage.captioner
        self._asks_models(api_key, captioner.embedder)
        return self.knows_embedder().knows(caption_api_base=captioner.api_base)

    def paces_captions(self) -> Self:
        """Know how many captions a tenant has."""
        return self.knows(captions_per_minute=self.stage.captioner.per_minute)

    def writes_captions(self, api_key: aws_secretsmanager.Secret) -> Self:
        """Ask the stage's model: Bedrock by the function's role, any other provider by its key."""
        captioner = self.stage.captioner
        self._asks_models(api_key, captioner.model, *captioner.fallbacks)
        return self.knows_models().paces_captions().knows(caption_api_base=captioner.api_base)

    def _asks_models(self, api_key: aws_secretsmanager.Secret, *models: str) -> Self:
        # LiteLLM would fetch a price table from the internet at import, and read any .env that it finds.
        self.function.add_environment("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        self.function.add_environment("LITELLM_MODE", "PRODUCTION")
        if self.stage.captioner.is_bedrock:
            stack = Stack.of(self)
            names = [name.removeprefix("bedrock/") for name in models]
            arns = [f"arn:{stack.partition}:bedrock:{stack.region}::foundation-model/{name}" for name in names]
            return self.may(["bedrock:InvokeModel"], *arns).knows(caption_api_key_secret="")
        self.may(["secretsmanager:GetSecretValue"], api_key.secret_arn)
        return self.knows(caption_api_key_secret=api_key.secret_arn)

    def mails_invitations(self, secret: aws_secretsmanager.Secret) -> Self:
        """Send mail from the stage's domain, with links that it alone can make."""
        mail, stack = self.stage.mail, Stack.of(self)
        identity = f"arn:{stack.partition}:ses:{stack.region}:{stack.account}:identity/{mail.domain}"
        self.may(["ses:SendEmail", "ses:SendRawEmail"], identity)  # SES asks for both where a mail comes ready-made
        self.may(["secretsmanager:GetSecretValue"], secret.secret_arn)
        return self.knows(
            mail_sender=mail.sender, invitation_page=mail.invitation_page, invitation_secret=secret.secret_arn
        )

    def asks_stripe(self, keys: aws_secretsmanager.Secret) -> Self:
        """Sell plans, hear of what became of them, and end them."""
        billing = self.stage.billing
        self.may(["secretsmanager:GetSecretValue"], keys.secret_arn)
        return self.knows(stripe_secret=keys.secret_arn, stripe_api_base=billing.api_base, stripe_prices=billing.prices)

    def _objects(self, actions: list[str], media: Media, below: str = OBJECTS) -> Self:
        self.may(actions, f"{media.arn}/{below}")
        one_bucket = "One bucket holds all tenants' objects; which of them, is decided in the code that asks."
        accept(self.role, f"IAM5[Resource::{media.export}/{below}]", one_bucket)
        return self.knows_media(media)
