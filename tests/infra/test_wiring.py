"""What reaches what: routes, rules, queues and schedules, and where a failed delivery goes."""

import re
from typing import Any

import pytest

from infra_cdk.stages import PROD
from tests.infra.conftest import Assembly, Template

ROUTES = {
    "GET /v1/health": "api_system",
    "$default": "api_system",
    "ANY /v1/me": "api_me",
    "ANY /v1/me/{proxy+}": "api_me",
    "ANY /v1/webhooks/clerk": "api_clerk_webhook",
    "ANY /v1/media": "api_media",
    "ANY /v1/media/{proxy+}": "api_media",
    "ANY /v1/media/uploads": "api_uploads",
    "ANY /v1/media/uploads/{proxy+}": "api_uploads",
    "ANY /v1/media/{media_id}/confirm": "api_uploads",
    "ANY /v1/media/{media_id}/upload": "api_uploads",
    "ANY /v1/media/{media_id}/upload/{action}": "api_uploads",
    "ANY /v1/media/{media_id}/renditions": "api_renditions",
    "ANY /v1/media/{media_id}/renditions/{rendition_id}": "api_renditions",
    "ANY /v1/media/{media_id}/fit": "api_renditions",
    "ANY /v1/reviews": "api_reviews",
    "ANY /v1/reviews/{proxy+}": "api_reviews",
    "ANY /v1/media/{media_id}/review": "api_reviews",
    "ANY /v1/media/{media_id}/review/{action}": "api_reviews",
    "ANY /v1/posts": "api_posts",
    "ANY /v1/posts/{proxy+}": "api_posts",
    "ANY /v1/calendar": "api_posts",
    "ANY /v1/queue-slots": "api_posts",
    "ANY /v1/series": "api_posts",
    "ANY /v1/series/{proxy+}": "api_posts",
    "ANY /v1/plans": "api_plan",
    "ANY /v1/plan": "api_plan",
    "ANY /v1/plan/{proxy+}": "api_plan",
    "ANY /v1/webhooks/stripe": "api_stripe_webhook",
    "ANY /v1/accounts": "api_accounts",
    "ANY /v1/networks": "api_networks",
    "ANY /v1/webhooks/late/{token}": "api_late_webhook",
    "ANY /v1/networks/{proxy+}": "api_networks",
    "ANY /v1/ai/{proxy+}": "api_ai",
    "ANY /v1/models": "api_ai",
    "ANY /v1/media/{media_id}/captions": "api_captions",
    "ANY /v1/media/{media_id}/captions/{proxy+}": "api_captions",
    "ANY /v1/media/{media_id}/related": "api_search",
    "ANY /v1/search/{proxy+}": "api_search",
    "ANY /v1/exports": "api_exports",
    "ANY /v1/exports/{proxy+}": "api_exports",
    "ANY /v1/accounts/{proxy+}": "api_accounts",
    "ANY /v1/posts/{post_id}/targets/{target_id}/delete": "api_takedowns",
    "ANY /v1/connections": "api_connections",
    "ANY /v1/connections/{proxy+}": "api_connections",
    "ANY /v1/api-keys": "api_keys",
    "ANY /v1/api-keys/{proxy+}": "api_keys",
    "ANY /v1/members": "api_team",
    "ANY /v1/members/{proxy+}": "api_team",
    "ANY /v1/invitations": "api_team",
    "ANY /v1/invitations/{proxy+}": "api_team",
    "ANY /v1/tenant": "api_tenants",
    "ANY /v1/tenants": "api_tenants",
    "ANY /v1/tenants/{proxy+}": "api_tenants",
    "ANY /v1/support-access": "api_support",
    "ANY /v1/support-access/{proxy+}": "api_support",
    "ANY /v1/audit": "api_audit",
    "ANY /v1/audit/{proxy+}": "api_audit",
}
FACTS = {
    "on_decision": {
        "media.deleted",
        "review.decided",
        "post.approved",
        "post.rejected",
        "post.cancelled",
        "post.rescheduled",
    },
    "cron_check_accounts": {"account.disconnected"},
    "on_media_deleted": {"media.deleted"},
    "on_user_invited": {"user.invited"},
    "cron_settle_subscriptions": {"tenant.deleted", "tenant.restored"},
    "cron_reconcile": {
        "media.uploaded",
        "media.refused",
        "media.deleted",
        "review.requested",
        "rendition.requested",
        "rendition.ready",
        "rendition.refused",
        "caption.requested",
        "post.scheduled",
        "post.rescheduled",
        "post.approved",
        "post.reported",
    },
}


@pytest.fixture(scope="module")
def service(prod: Assembly) -> Template:
    """Prod's service stack."""
    return prod.service


def _rules(service: Template) -> dict[str, dict[str, Any]]:
    """The rules that start a function, by its name and what they listen to."""
    found = {}
    for rule in service.of_type("Events::Rule").values():
        (target,) = rule["Targets"]
        times = {"rate(1 minute)": "each minute", "rate(1 hour)": "each hour", "rate(1 day)": "each day"}
        schedule = times.get(rule.get("ScheduleExpression", ""))
        what = schedule or "".join(rule["EventPattern"]["source"])
        logical = service.target(target["Arn"])
        is_queue = service.body["Resources"][logical]["Type"] == "AWS::SQS::Queue"
        to = _consumers(service).get(logical, "doorbell") if is_queue else service.function_at(target["Arn"])
        found[f"{what} → {to}"] = rule
    return found


def _consumers(service: Template) -> dict[str, str]:
    """Which function takes batches of which queue; the doorbell's is not among them."""
    return {
        service.target(source["EventSourceArn"]): function
        for source in service.of_type("Lambda::EventSourceMapping").values()
        if (function := service.function_at(source["FunctionName"])) != "on_doorbell"
    }


def test_each_route_reaches_its_function_and_no_gateway_decides_who_may(service: Template) -> None:
    integrations = service.of_type("ApiGatewayV2::Integration")
    found = {}
    for route in service.of_type("ApiGatewayV2::Route").values():
        assert route.get("AuthorizationType", "NONE") == "NONE"
        integration = integrations[service.target(route["Target"])]
        assert integration["PayloadFormatVersion"] == "2.0"
        found[route["RouteKey"]] = service.function_at(integration["IntegrationUri"])
    assert found == ROUTES
    assert not service.of_type("ApiGatewayV2::Authorizer")


def test_the_api_may_invoke_each_function_that_it_routes_to(service: Template) -> None:
    permissions = service.of_type("Lambda::Permission").values()
    allowed = {
        service.function_at(each["FunctionName"])
        for each in permissions
        if each["Principal"] == "apigateway.amazonaws.com"
    }
    assert allowed == set(ROUTES.values())


def test_the_api_is_throttled_logged_and_open_to_the_web_application_alone(service: Template) -> None:
    stage = service.only("ApiGatewayV2::Stage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    settings = stage["DefaultRouteSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (500, 1000)
    assert "$context.status" in stage["AccessLogSettings"]["Format"]
    assert "path" not in stage["AccessLogSettings"]["Format"].lower()
    cors = service.only("ApiGatewayV2::Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == list(PROD.cors_origins)
    assert not cors.get("AllowCredentials", False)
    assert set(cors["AllowHeaders"]) == {
        "Authorization",
        "Content-Type",
        "X-Tenant-Id",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "X-Request-Id",
    }
    exposed = {"ETag", "Link", "Location", "Retry-After", "X-Request-Id", "Idempotency-Replayed"}
    limits = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    assert set(cors["ExposeHeaders"]) == exposed | limits


def test_rules_and_schedules_are_these(service: Template) -> None:
    assert set(_rules(service)) == {
        "each minute → doorbell",
        "each minute → cron_reconcile",
        "each hour → cron_sweep_uploads",
        "each hour → cron_check_accounts",
        "each hour → cron_embed_media",
        "each hour → cron_make_occurrences",
        "each day → cron_purge_tenants",
        "each day → cron_erase_media",
        "each day → cron_settle_subscriptions",
        "socialflow → cron_check_accounts",
        "socialflow → cron_reconcile",
        "socialflow → cron_settle_subscriptions",
        "socialflow → on_decision",
        "socialflow → on_media_deleted",
        "socialflow → on_user_invited",
        "aws.s3 → on_object_created",
        "aws.states → on_execution_failed",
    }


@pytest.mark.parametrize("function", sorted(FACTS))
def test_facts_start_their_function_from_the_products_own_bus(service: Template, function: str) -> None:
    rule = _rules(service)[f"socialflow → {function}"]
    assert set(rule["EventPattern"]["detail-type"]) == FACTS[function]
    assert service.target(rule["EventBusName"]) in service.of_type("Events::EventBus")


def test_schedules_run_each_minute(service: Template) -> None:
    for name, rule in _rules(service).items():
        if name.startswith("each minute"):
            assert rule["ScheduleExpression"] == "rate(1 minute)"
    ring = _rules(service)["each minute → doorbell"]["Targets"][0]
    assert ring["Input"] == '{"reason":"schedule"}'


def test_originals_of_the_media_bucket_alone_are_taken(service: Template) -> None:
    detail = _rules(service)["aws.s3 → on_object_created"]["EventPattern"]["detail"]
    assert detail["object"] == {"key": [{"wildcard": "tenants/*/media/*/original.*"}]}
    (bucket,) = detail["bucket"]["name"]
    assert "Media" in bucket["Fn::ImportValue"]


def test_failed_executions_of_our_machines_alone_are_taken(service: Template) -> None:
    pattern = _rules(service)["aws.states → on_execution_failed"]["EventPattern"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    arns = ["".join(map(str, arn["Fn::Join"][1])) for arn in pattern["detail"]["stateMachineArn"]]
    names = {re.split(r"stateMachine:", arn)[1] for arn in arns}
    machines = {each["StateMachineName"] for each in service.of_type("StepFunctions::StateMachine").values()}
    assert names == {
        f"socialflow-prod-{name}"
        for name in (
            "ingest-media",
            "publish-post",
            "export-tenant",
            "render-media",
            "write-caption",
            "hash-video",
            "embed-media",
        )
    }
    # A migration that failed is in the registry, and is started again by a person.
    assert machines - names == {"socialflow-prod-migrate-tenants"}


def test_what_a_rule_cannot_deliver_and_what_a_function_fails_on_is_kept(service: Template) -> None:
    for name, rule in _rules(service).items():
        (target,) = rule["Targets"]
        assert service.target(target["DeadLetterConfig"]["Arn"]).startswith("MessagingUndelivered"), name
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == (0 if name.startswith("each ") else 8), name
    kept = {
        service.function_at(each["FunctionName"]): service.target(each["DestinationConfig"]["OnFailure"]["Destination"])
        for each in service.of_type("Lambda::EventInvokeConfig").values()
    }
    # What takes batches of a queue gives up into the same one by the queue's own rule.
    gathered = set(_consumers(service).values())
    started = {name.split(" → ")[1] for name in _rules(service)} - {"doorbell"}
    by_schedule = {name.split(" → ")[1] for name in _rules(service) if name.startswith("each ")}
    assert set(kept) == (started - gathered) | (by_schedule - {"doorbell"})
    assert all(queue.startswith("MessagingUndelivered") for queue in kept.values())


def test_each_queue_waits_for_its_function_and_gives_up_into_a_kept_one(service: Template) -> None:
    queues = service.of_type("SQS::Queue")
    found = {}
    for source in service.of_type("Lambda::EventSourceMapping").values():
        function, queue = service.function_at(source["FunctionName"]), queues[service.target(source["EventSourceArn"])]
        assert queue["VisibilityTimeout"] >= 6 * service.functions()[function]["Timeout"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
        dead = service.target(queue["RedrivePolicy"]["deadLetterTargetArn"])
        found[function] = (
            dead.removeprefix("Messaging")[:8],
            source["ScalingConfig"]["MaximumConcurrency"],
            source.get("FunctionResponseTypes", []),
        )
    assert found == {
        "on_doorbell": ("Doorbell", 2, []),
        "on_object_created": ("Undelive", 4, ["ReportBatchItemFailures"]),
        "cron_reconcile": ("Undelive", 2, []),
    }


def test_queues_are_encrypted_and_refuse_plain_http(service: Template) -> None:
    queues = service.of_type("SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    refusing = set()
    for policy in service.of_type("SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                refusing |= {service.target(queue) for queue in policy["Queues"]}
    assert refusing == set(queues)
