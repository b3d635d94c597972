"""Each function's rights, exactly: a right that is not in this table fails, and so does one that is missing."""

import re
from typing import Any

import pytest

from tests.infra.conftest import Assembly, Template

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
DATABASE = {"secretsmanager:GetSecretValue on DatabaseSecretValue"}
OWNER = {"secretsmanager:GetSecretValue on DatabaseOwnerSecretValue"}
RING = {"sqs:SendMessage on MessagingDoorbell"}
STRIPE = {"secretsmanager:GetSecretValue on StripeValue"}
READ = {"s3:GetObject on media-arn/tenants/*", "s3:GetObjectVersion on media-arn/tenants/*", "kms:Decrypt on MediaKey"}
FIND = READ | {"s3:ListBucket on media-arn"}
WRITE = {"s3:PutObject on media-arn/tenants/*", "kms:GenerateDataKey on MediaKey"}
PURGE = {f"s3:{verb} on media-arn/tenants/*" for verb in ("DeleteObject", "DeleteObjectVersion")} | {
    "s3:ListBucketVersions on media-arn"
}
ERASE = PURGE | {"s3:ListBucketMultipartUploads on media-arn", "s3:AbortMultipartUpload on media-arn/tenants/*"}
READ_ARCHIVES = {
    "s3:GetObject on media-arn/exports/*",
    "s3:GetObjectVersion on media-arn/exports/*",
    "kms:Decrypt on MediaKey",
}
MACHINES = (
    "ingest-media",
    "publish-post",
    "export-tenant",
    "render-media",
    "write-caption",
    "hash-video",
    "embed-media",
)
SEAL = {"kms:GenerateDataKey on CredentialsKey for a tenant"}
OPEN = {"kms:Decrypt on CredentialsKey for a tenant"}
CONSUMING = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage")
UNDELIVERED = {f"sqs:{verb} on MessagingUndelivered" for verb in ("SendMessage", "GetQueueUrl", "GetQueueAttributes")}


def _consumes(queue: str) -> set[str]:
    return {f"sqs:{verb} on {queue}" for verb in CONSUMING}


def _machine(action: str, *workflows: str) -> set[str]:
    return {f"states:{action} on {workflow}" for workflow in workflows}


def _answer(*workflows: str) -> set[str]:
    return _machine("SendTaskSuccess", *workflows) | _machine("SendTaskFailure", *workflows)


REGISTERED = {"secretsmanager:GetSecretValue on NetworkAppsValue"}
EXPECTED = {
    "api_system": DATABASE,
    "api_me": DATABASE,
    "api_media": DATABASE | RING | READ,
    "api_uploads": DATABASE
    | RING
    | FIND
    | WRITE
    | {f"s3:{verb} on media-arn/tenants/*" for verb in ("ListMultipartUploadParts", "AbortMultipartUpload")},
    "api_renditions": DATABASE | RING | READ,
    "api_reviews": DATABASE | RING | READ,
    "api_posts": DATABASE | RING,
    "api_accounts": DATABASE | RING | SEAL,
    "api_connections": DATABASE | RING | SEAL | OPEN | REGISTERED,
    "api_takedowns": DATABASE | RING | SEAL | OPEN | REGISTERED,
    "api_networks": DATABASE | RING | SEAL,
    "api_late_webhook": DATABASE | RING | OPEN,
    "api_keys": DATABASE,
    "api_tenants": DATABASE | RING | {"lambda:InvokeFunction on opstenantFunction"},
    "api_clerk_webhook": DATABASE | RING | {"secretsmanager:GetSecretValue on ClerkWebhookSecretValue"},
    "api_ai": DATABASE | SEAL,
    "api_captions": DATABASE | RING,
    "api_search": DATABASE,
    "api_audit": DATABASE,
    "api_team": DATABASE | RING,
    "api_support": DATABASE | RING,
    "on_user_invited": DATABASE
    | UNDELIVERED
    | {"secretsmanager:GetSecretValue on InvitationSecretValue"}
    | {f"ses:{verb} on <the stage's domain>" for verb in ("SendEmail", "SendRawEmail")},
    "api_plan": DATABASE | STRIPE,
    "api_stripe_webhook": DATABASE | STRIPE | RING,
    "api_exports": DATABASE | READ_ARCHIVES,
    "task_write_export": DATABASE
    | FIND
    | {f"s3:{verb} on media-arn/exports/*" for verb in ("PutObject", "AbortMultipartUpload")}
    | {"kms:GenerateDataKey on MediaKey"},
    "ops_import_tenant": OWNER | READ_ARCHIVES | WRITE | {"s3:ListBucket on media-arn"},
    "on_object_created": DATABASE | RING | _consumes("onobjectcreatedQueue"),
    "on_doorbell": DATABASE | _consumes("MessagingDoorbell") | {"events:PutEvents on MessagingBus"},
    "on_decision": DATABASE | UNDELIVERED | _answer("ingest-media", "publish-post"),
    "on_execution_failed": DATABASE | UNDELIVERED,
    "cron_reconcile": DATABASE | UNDELIVERED | _consumes("cronreconcileQueue") | _machine("StartExecution", *MACHINES),
    "task_process_media": DATABASE | RING | FIND | WRITE,
    "task_render_image": DATABASE | RING | FIND | WRITE,
    "task_process_video": DATABASE | RING | FIND | WRITE,
    "task_hash_video": DATABASE | RING | FIND,
    "task_write_caption": DATABASE | RING | READ | OPEN,
    "task_embed_media": DATABASE | RING | READ | OPEN,
    "task_transcode_video": DATABASE | RING | FIND | WRITE,
    "task_await_review": DATABASE | RING | _answer("ingest-media"),
    "task_settle_review": DATABASE | RING,
    "task_open_post": DATABASE | RING,
    "task_await_approval": DATABASE | RING | _answer("publish-post"),
    "task_prepare_target": DATABASE | RING | READ | OPEN | SEAL | REGISTERED,
    "task_publish_target": DATABASE | RING | OPEN | SEAL | REGISTERED,
    "task_confirm_target": DATABASE | RING | OPEN | SEAL | REGISTERED,
    "task_settle_post": DATABASE | RING,
    "task_migrate_registry": OWNER,
    "task_list_tenants": DATABASE,
    "task_migrate_tenants": OWNER,
    "task_report_migration": DATABASE,
    "ops_migrate": OWNER,
    "ops_provision": OWNER,
    "ops_look": DATABASE,
    "ops_rouse": DATABASE | RING,
    "ops_tenant": OWNER,
    "ops_suspend": DATABASE | RING,
    "ops_switch": DATABASE,
    "ops_support": OWNER | RING,
    "ops_verify_audit": DATABASE,
    "ops_wake_everything": DATABASE,
    "cron_settle_subscriptions": DATABASE | STRIPE | UNDELIVERED,
    "cron_sweep_uploads": DATABASE
    | UNDELIVERED
    | RING
    | FIND
    | {f"s3:{verb} on media-arn/tenants/*" for verb in ("DeleteObject", "AbortMultipartUpload")},
    "cron_purge_tenants": OWNER | UNDELIVERED | PURGE,
    "on_media_deleted": DATABASE | UNDELIVERED | ERASE,
    "cron_check_accounts": DATABASE | UNDELIVERED | RING | SEAL | OPEN | REGISTERED,
    "cron_embed_media": DATABASE | UNDELIVERED | RING,
    "cron_make_occurrences": DATABASE | UNDELIVERED | RING,
    "cron_erase_media": DATABASE | UNDELIVERED | ERASE,
}
MODEL = {
    "local": {"secretsmanager:GetSecretValue on CaptionApiKeyValue"},
    "prod": {
        f"bedrock:InvokeModel on arn:aws:bedrock:<region>::foundation-model/amazon.nova-{size}-v1:0"
        for size in ("lite", "pro")
    },
}
EMBEDDER = {
    "local": MODEL["local"],
    "prod": {"bedrock:InvokeModel on arn:aws:bedrock:<region>::foundation-model/cohere.embed-v4:0"},
}
TENANT_NAMED = {"Null": {"kms:EncryptionContext:tenant": "false"}}


def _words(resource: Any) -> str:
    """A resource as the table above writes it: without hashes and the stage's prefix."""
    if isinstance(resource, str):
        return resource
    (kind, value), *_ = resource.items()
    if kind == "Fn::Join":
        if "identity/" in "".join(map(_words, value[1])):
            return "<the stage's domain>"
        return re.sub(r".*:stateMachine:socialflow-\w+-", "", "".join(map(_words, value[1])))
    if kind == "Ref":
        return {"AWS::Partition": "aws", "AWS::Region": "<region>"}.get(value, str(value))
    if kind == "Fn::ImportValue":
        name = str(value).split(":", 1)[1]
        return re.sub(r"^ExportsOutput(Ref|FnGetAtt)(\w+?)[0-9A-F]{8}(Arn)?[0-9A-F]{8}$", r"\2", name)
    return re.sub(r"[0-9A-F]{8}$", "", str(value[0]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def rights(template: Template, function: str) -> set[str]:
    """What the policies of a function's role allow, but for its logs."""
    role = template.target(template.functions()[function]["Role"])
    (resource,) = [each for name, each in template.body["Resources"].items() if name == role]
    assert "ManagedPolicyArns" not in resource["Properties"]
    assert "Policies" not in resource["Properties"]
    found = set()
    for policy in template.of_type("IAM::Policy").values():
        if {"Ref": role} not in policy["Roles"]:
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            condition = statement.get("Condition")
            assert condition in (None, TENANT_NAMED)
            suffix = " for a tenant" if condition else ""
            for resource in _list(statement["Resource"]):
                found |= {f"{action} on {_words(resource)}{suffix}" for action in _list(statement["Action"])}
    logs = {right for right in found if right.split(" on ")[0] in LOGS}
    assert {right.split(" on ")[0] for right in logs} == LOGS
    return found - logs


@pytest.mark.parametrize("function", sorted(EXPECTED))
def test_a_function_may_exactly_what_it_needs(local: Assembly, prod: Assembly, function: str) -> None:
    for stage, assembly in (("local", local), ("prod", prod)):
        models = {"task_write_caption": MODEL, "task_embed_media": EMBEDDER}.get(function, {})
        expected = EXPECTED[function] | models.get(stage, set())
        assert rights(assembly.service, function) == expected, stage


def test_the_table_speaks_of_every_function(prod: Assembly) -> None:
    assert set(prod.service.functions()) == set(EXPECTED)


def test_no_two_functions_share_a_role(prod: Assembly) -> None:
    roles = [prod.service.target(each["Role"]) for each in prod.service.functions().values()]
    assert len(set(roles)) == len(roles)


def test_a_function_logs_to_its_own_group_alone(prod: Assembly) -> None:
    template = prod.service
    groups = [template.target(each["LoggingConfig"]["LogGroup"]) for each in template.functions().values()]
    assert len(set(groups)) == len(groups)
    names = template.of_type("Logs::LogGroup")
    for function, properties in template.functions().items():
        group = names[template.target(properties["LoggingConfig"]["LogGroup"])]
        assert group["LogGroupName"] == f"/aws/lambda/socialflow-prod-{function}"
        assert group["RetentionInDays"] == 90


def test_nothing_is_allowed_on_everything_but_what_has_no_resources(prod: Assembly) -> None:
    wide = set()
    for policy in prod.service.of_type("IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if "*" in _list(statement["Resource"]):
                wide |= {action.split(":")[0] for action in _list(statement["Action"])}
    assert wide == {"logs", "xray"}
