"""The stateful stack: media, keys and secrets. It outlives every deployment; prod's is protected.

The network and Aurora will be a third stack beside these two, which the local stage does not deploy: there the
database's address comes in through the secrets below, which is how every stage's functions learn it.
"""

from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack, aws_kms, aws_secretsmanager
from constructs import Construct

from infra_cdk.constructs.media import Media
from infra_cdk.constructs.nag import accept
from infra_cdk.stages import Stage


class StorageStack(Stack):
    """Media bucket, the two keys, and the secrets whose values a deployment or a person puts in."""

    def __init__(self, scope: Construct, stage: Stage, **options: Any) -> None:
        """One for each stage."""
        super().__init__(
            scope,
            "Storage",
            stack_name=stage.storage_stack,
            description="SocialFlow: media, keys and secrets",
            termination_protection=stage.protected,
            **options,
        )
        self._kept = RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY
        self.credentials_key = self._key("CredentialsKey", "Data keys of tenants' credentials")
        # Two keys, so that a function that reads photos cannot open a network's credentials.
        self.media = Media(self, "Media", stage, self._key("MediaKey", "Media at rest"), self._kept)
        self.database_secret = self._secret("DatabaseSecretValue", "Database, as the application: JSON")
        self.owner_secret = self._secret("DatabaseOwnerSecretValue", "Database, as the owner who migrates: JSON")
        self.caption_key = self._secret("CaptionApiKeyValue", "The caption provider's API key: text")
        self.clerk_webhook_secret = self._secret("ClerkWebhookSecretValue", "Clerk's webhook signing secrets: text")
        self.invitation_secret = self._secret("InvitationSecretValue", "What invitations' tokens are made with: random")
        self.stripe = self._secret("StripeValue", "Stripe: JSON {api_key, webhook_secrets}")
        self.network_apps = self._secret("NetworkAppsValue", "Networks: JSON {network: {client_id, client_secret}}")
        outputs = {
            "MediaBucket": self.media.bucket.bucket_name,
            "DatabaseSecret": self.database_secret.secret_arn,
            "DatabaseOwnerSecret": self.owner_secret.secret_arn,
            "CaptionApiKeySecret": self.caption_key.secret_arn,
            "ClerkWebhookSecret": self.clerk_webhook_secret.secret_arn,
            "InvitationSecret": self.invitation_secret.secret_arn,
            "StripeSecret": self.stripe.secret_arn,
            "NetworkAppsSecret": self.network_apps.secret_arn,
            "KeyArn": self.credentials_key.key_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _key(self, construct_id: str, description: str) -> aws_kms.Key:
        return aws_kms.Key(
            self, construct_id, description=description, enable_key_rotation=True, removal_policy=self._kept
        )

    def _secret(self, construct_id: str, description: str) -> aws_secretsmanager.Secret:
        secret = aws_secretsmanager.Secret(self, construct_id, description=description, removal_policy=self._kept)
        accept(secret, "SMG4", "Its value belongs to another party: the database's stack or a provider rotates it.")
        return secret
