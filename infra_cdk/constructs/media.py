"""Where media is kept: a private bucket under a key of its own, every version of every object for a while."""

from aws_cdk import Duration, RemovalPolicy, Stack, aws_kms, aws_s3
from constructs import Construct

from infra_cdk.constructs.nag import accept
from infra_cdk.stages import Stage

# A day is more than a slow upload needs; what is left of a broken one is not worth storing.
ABANDONED_UPLOAD = Duration.days(1)
# Deleted and overwritten objects can be brought back for as long as the database's backups can.
UNDELETE = Duration.days(7)

# An archive of everything is there to be fetched, and not to lie about. A day later it is gone for good.
EXPORTS = "exports/"
EXPORT = Duration.days(7)
GONE = Duration.days(1)


class Media(Construct):
    """The bucket, its key, and its ARN under a name that other stacks import."""

    def __init__(
        self, scope: Construct, construct_id: str, stage: Stage, key: aws_kms.Key, kept: RemovalPolicy
    ) -> None:
        """`kept` tells whether the bucket outlives its stack."""
        super().__init__(scope, construct_id)
        self.key = key
        self.bucket = self._bucket(stage, key, kept)
        self.export = f"{stage.storage_stack}:media-arn"
        self.arn = Stack.of(self).export_value(self.bucket.bucket_arn, name=self.export)

    def _bucket(self, stage: Stage, key: aws_kms.Key, kept: RemovalPolicy) -> aws_s3.Bucket:
        bucket = aws_s3.Bucket(
            self,
            "Bucket",
            encryption=aws_s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=kept,
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    id="forget-what-was-abandoned",
                    abort_incomplete_multipart_upload_after=ABANDONED_UPLOAD,
                    noncurrent_version_expiration=UNDELETE,
                    expired_object_delete_marker=True,
                ),
                aws_s3.LifecycleRule(
                    id="forget-exports", prefix=EXPORTS, expiration=EXPORT, noncurrent_version_expiration=GONE
                ),
            ],
            cors=[
                aws_s3.CorsRule(
                    allowed_origins=list(stage.cors_origins),
                    allowed_methods=[aws_s3.HttpMethods.PUT, aws_s3.HttpMethods.GET, aws_s3.HttpMethods.HEAD],
                    allowed_headers=["*"],
                    exposed_headers=[
                        "ETag",
                        "x-amz-checksum-crc64nvme",
                        "x-amz-checksum-sha256",
                        "x-amz-version-id",
                    ],
                    max_age=3_600,
                )
            ],
        )
        # The construct's own switch works through a function in the stack; the bucket has the property itself.
        resource = bucket.node.default_child
        assert isinstance(resource, aws_s3.CfnBucket)
        resource.notification_configuration = aws_s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=aws_s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        accept(bucket, "S1", "Objects are reached by signed links and named roles; who read what is the audit log's.")
        return bucket
