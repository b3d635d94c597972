"""The HTTP API: routes only. Who may call is decided in the functions, whose refusals are problem documents."""

import json
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra_cdk.constructs.logs import log_group
from infra_cdk.constructs.nag import accept
from infra_cdk.constructs.service_function import ServiceFunction
from infra_cdk.stages import Stage

REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "X-Tenant-Id",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-Id",
]
ANSWER_HEADERS = [
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "X-Request-Id",
    "Idempotency-Replayed",
]
METHODS = [
    apigateway.CorsHttpMethod.GET,
    apigateway.CorsHttpMethod.POST,
    apigateway.CorsHttpMethod.PUT,
    apigateway.CorsHttpMethod.PATCH,
    apigateway.CorsHttpMethod.DELETE,
]
# No path: it may hold an id of a tenant's, and the function's own log has it beside the tenant.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "at": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


class Api(Construct):
    """The API with its `$default` stage; a path or method that no route names still reaches a function."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, default: ServiceFunction) -> None:
        """`default` answers whatever no other function does."""
        super().__init__(scope, construct_id)
        self.http = apigateway.HttpApi(
            self,
            "Http",
            api_name=stage.prefix,
            create_default_stage=False,
            default_integration=self._integration(default),
            cors_preflight=apigateway.CorsPreflightOptions(
                allow_origins=list(stage.cors_origins),
                allow_headers=REQUEST_HEADERS,
                allow_methods=METHODS,
                expose_headers=ANSWER_HEADERS,
                max_age=Duration.hours(1),
            ),
        )
        accept(self, "APIG4", "The functions verify JWT or API key themselves: a gateway's 401 is no problem document.")
        logs = log_group(self, stage, f"/aws/apigateway/{stage.prefix}")
        served = apigateway.HttpStage(
            self,
            "Default",
            http_api=self.http,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigateway.ThrottleSettings(rate_limit=stage.throttle_rate, burst_limit=stage.throttle_burst),
        )
        resource = served.node.default_child
        assert isinstance(resource, apigateway.CfnStage)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=logs.log_group_arn, format=json.dumps(ACCESS_LOG)
        )

    def route(
        self, function: ServiceFunction, paths: Sequence[str], method: apigateway.HttpMethod = apigateway.HttpMethod.ANY
    ) -> None:
        """Send the paths to the function, which also answers for the methods that it does not know."""
        integration = self._integration(function)
        for path in paths:
            self.http.add_routes(path=path, methods=[method], integration=integration)

    def _integration(self, function: ServiceFunction) -> HttpLambdaIntegration:
        return HttpLambdaIntegration(
            function.name,
            function.function,
            payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0,
            # One permission for the API, not one for each route.
            scope_permission_to_route=False,
        )
