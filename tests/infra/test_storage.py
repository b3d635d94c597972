"""The stateful stack: media, keys, secrets."""

import pytest

from infra_cdk.stages import PROD
from socialflow.exports.model import EXPORTS, KEPT_FOR
from tests.infra.conftest import Assembly, Template


@pytest.fixture(scope="module")
def storage(prod: Assembly) -> Template:
    """Prod's storage stack."""
    return prod.storage


def test_media_is_private_encrypted_by_its_own_key_and_kept_in_versions(storage: Template) -> None:
    bucket = storage.only("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert storage.target(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]).startswith("MediaKey")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_broken_uploads_and_old_versions_are_forgotten_and_new_objects_are_told_of(storage: Template) -> None:
    bucket = storage.only("S3::Bucket")
    (rule,) = (each for each in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in each)
    assert rule["Status"] == "Enabled"
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert "ExpirationInDays" not in rule
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_archives_of_exports_are_gone_for_good_after_a_week_and_a_day(storage: Template) -> None:
    (rule,) = (each for each in storage.only("S3::Bucket")["LifecycleConfiguration"]["Rules"] if "Prefix" in each)
    assert (rule["Status"], rule["Prefix"]) == ("Enabled", EXPORTS)
    assert rule["ExpirationInDays"] == KEPT_FOR.days
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_a_browser_of_the_web_application_may_upload_and_read(storage: Template) -> None:
    (rule,) = storage.only("S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == list(PROD.cors_origins)
    assert set(rule["AllowedMethods"]) == {"PUT", "GET", "HEAD"}
    assert {"ETag", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha256"} <= set(rule["ExposedHeaders"])


def test_the_bucket_refuses_plain_http_and_old_tls(storage: Template) -> None:
    refused = [
        statement["Condition"]
        for statement in storage.only("S3::BucketPolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in refused
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in refused


def test_both_keys_rotate_and_open_to_their_account_alone(storage: Template) -> None:
    keys = storage.of_type("KMS::Key")
    assert len(keys) == 2
    for key in keys.values():
        assert key["EnableKeyRotation"] is True
        (statement,) = key["KeyPolicy"]["Statement"]
        assert "root" in str(statement["Principal"]["AWS"])


def test_no_secret_has_a_value_in_the_template(storage: Template) -> None:
    secrets = storage.of_type("SecretsManager::Secret")
    assert len(secrets) == 7
    assert all("SecretString" not in secret and "GenerateSecretString" in secret for secret in secrets.values())


def test_prod_outlives_its_stack_and_the_local_stage_does_not(local: Assembly, prod: Assembly) -> None:
    stateful = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"}
    for assembly, expected in ((prod, "Retain"), (local, "Delete")):
        resources = assembly.storage.body["Resources"].values()
        kept = {each["DeletionPolicy"] for each in resources if each["Type"] in stateful}
        assert kept == {expected}
    assert _protected(prod) == {True}
    assert _protected(local) == {False}


def _protected(assembly: Assembly) -> set[bool]:
    stacks = [
        each["properties"]
        for each in assembly.manifest["artifacts"].values()
        if each["type"] == "aws:cloudformation:stack" and each["properties"]["stackName"].endswith("-storage")
    ]
    return {each.get("terminationProtection", False) for each in stacks}


def test_outputs_tell_a_deployment_what_it_needs(local: Assembly) -> None:
    wanted = {"MediaBucket", "DatabaseSecret", "DatabaseOwnerSecret", "CaptionApiKeySecret", "KeyArn"}
    wanted |= {"ClerkWebhookSecret", "InvitationSecret"}
    wanted |= {"ClerkWebhookSecret", "StripeSecret", "NetworkAppsSecret"}
    assert wanted <= set(local.storage.body["Outputs"])
    wanted = {"ApiId", "ApiUrl", "BusName", "DoorbellQueueUrl", "IngestStateMachine", "PublishStateMachine"}
    assert wanted <= set(local.service.body["Outputs"])
