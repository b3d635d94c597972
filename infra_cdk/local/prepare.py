"""What a deployed stack still needs before its first request, done the way an operator does it on AWS.

Secrets get their values, `ops_migrate` and `ops_provision` are invoked, and acme's owner connects accounts of
the networks through the API. Each step may be repeated.
"""

import json
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk.local import postgres
from infra_cdk.local.accounts import PEOPLE, TENANTS, Person
from infra_cdk.local.engine import Engine
from infra_cdk.local.issuer import Issuer
from infra_cdk.local.process import LocalError
from infra_cdk.stages import LOCAL

FUNCTIONS = "socialflow-local-"
# A machine that people try things on, and measure, is not to meet the limits of the free plan.
PLAN = "business"
# The offline captioner asks for no key, but a client of its API must send one.
CAPTION_KEY = "offline"
# Nobody sends webhooks to loopback; whoever wants to try one signs it with this.
CLERK_WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 — of Svix's documentation
FIRST_CALL_S = 60.0  # cold starts of several functions behind one another


def put_secrets(engine: Engine, cluster: postgres.Cluster, outputs: Mapping[str, str]) -> None:
    """Give the stack's secrets their values; one that has its value already is left alone."""
    manager = engine.client("secretsmanager")
    wanted = {
        "DatabaseSecret": json.dumps(cluster.secret(postgres.APP)),
        "DatabaseOwnerSecret": json.dumps(cluster.secret(postgres.OWNER)),
        "CaptionApiKeySecret": CAPTION_KEY,
        "ClerkWebhookSecret": CLERK_WEBHOOK_SECRET,
        "StripeSecret": json.dumps({"api_key": "", "webhook_secrets": []}),  # nothing is sold here
        "NetworkAppsSecret": json.dumps({}),
    }
    for output, value in wanted.items():
        arn = outputs[output]
        if _secret(manager, arn) != value:
            manager.put_secret_value(SecretId=arn, SecretString=value)
    # A new one harms nothing: of a link that was mailed only the hash is looked at.
    manager.put_secret_value(SecretId=outputs["InvitationSecret"], SecretString=token_urlsafe(32))


def let_mail_leave(engine: Engine) -> None:
    """Let the engine's SES send for the stage's domain; on AWS the domain's owner proves it once."""
    engine.client("sesv2").create_email_identity(EmailIdentity=LOCAL.mail.domain)


def _secret(manager: Any, arn: str) -> str:
    try:
        value: str = manager.get_secret_value(SecretId=arn)["SecretString"]
    except ClientError:  # it has no value yet
        return ""
    return value


def invoke(engine: Engine, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function of the stack and return its answer; raises LocalError if it fails."""
    try:
        answer = engine.client("lambda").invoke(FunctionName=FUNCTIONS + function, Payload=json.dumps(event).encode())
        told = json.loads(answer["Payload"].read())
    except (ClientError, BotoCoreError, ValueError) as error:
        raise LocalError(f"{function} could not be called: {error}") from error
    if answer.get("FunctionError") or not isinstance(told, dict):
        raise LocalError(f"{function} failed: {json.dumps(told)[:2_000]}; the engine's log says more: {engine.log}")
    return told


def migrate(engine: Engine) -> dict[str, Any]:
    """Bring every schema up to date; returns what was applied, by schema."""
    told = invoke(engine, "ops_migrate", {"action": "migrate"})
    if told.get("outcome") != "migrated":
        raise LocalError(f"the migrations failed: {json.dumps(told)[:2_000]}")
    schemas: dict[str, Any] = told.get("schemas", {})
    return {schema: applied for schema, applied in schemas.items() if applied}


def provision(engine: Engine, issuer: Issuer) -> None:
    """Create the demo tenants with their members."""
    for slug, name in TENANTS.items():
        members = [
            {"issuer": issuer.url, "subject": each.subject, "email": each.email, "name": each.name, "role": each.role}
            for each in PEOPLE
            if each.tenant == slug
        ]
        told = invoke(engine, "ops_provision", {"slug": slug, "name": name, "plan": PLAN, "members": members})
        if told.get("outcome") != "provisioned":
            raise LocalError(f"tenant {slug} could not be provisioned: {json.dumps(told)[:2_000]}")


def connect(front: str, issuer: Issuer, owner: Person, login: Mapping[str, str]) -> bool:
    """Connect the tenant's account on a network, or seal its token anew; False if it was connected."""
    headers = {"Authorization": f"Bearer {issuer.token(owner)}", "X-Tenant-Id": owner.tenant}
    try:
        answer = httpx.post(
            f"{front}/v1/accounts", json=dict(login), headers=headers, timeout=FIRST_CALL_S, trust_env=False
        )
    except httpx.HTTPError as error:
        raise LocalError(f"the front door does not answer: {error}") from error
    if not answer.is_success:
        told = f"{owner.tenant}'s account on {login['network']} was refused ({answer.status_code})"
        raise LocalError(f"{told}: {answer.text[:2_000]}")
    return answer.status_code == httpx.codes.CREATED


def wake(engine: Engine) -> int:
    """Start again what the engine forgot; returns how many subjects have work."""
    subjects = invoke(engine, "ops_wake_everything", {}).get("subjects", 0)
    invoke(engine, "cron_reconcile", {})
    return int(subjects)
