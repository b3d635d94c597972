"""Rules of cdk-nag that do not hold somewhere, each with the reason why that is right."""

from aws_cdk import Acknowledgment, Validations
from constructs import Construct

PACK = "AwsSolutions"


def accept(construct: Construct, rule: str, reason: str) -> None:
    """Accept a finding at the construct and below it; `rule` is e.g. `S1` or `IAM5[Resource::*]`."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{PACK}::{PACK}-{rule}", reason=reason))
