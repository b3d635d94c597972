"""Log groups with the stage's retention; logs never outlive their purpose, nor their stack where it is disposable."""

from aws_cdk import RemovalPolicy, aws_logs
from constructs import Construct

from infra_cdk.stages import Stage

_DAYS = {
    1: aws_logs.RetentionDays.ONE_DAY,
    7: aws_logs.RetentionDays.ONE_WEEK,
    30: aws_logs.RetentionDays.ONE_MONTH,
    90: aws_logs.RetentionDays.THREE_MONTHS,
}


def log_group(scope: Construct, stage: Stage, name: str, construct_id: str = "Logs") -> aws_logs.LogGroup:
    """The log group of that name."""
    return aws_logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_DAYS[stage.log_retention_days],
        removal_policy=RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY,
    )
