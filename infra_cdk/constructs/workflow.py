"""A workflow: a STANDARD state machine made from its ASL file, allowed to invoke exactly the functions it names."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Stack, aws_iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra_cdk.constructs.logs import log_group
from infra_cdk.constructs.nag import accept
from infra_cdk.constructs.service_function import ServiceFunction
from infra_cdk.stages import Stage

FOLDER = Path(__file__).resolve().parent.parent / "workflows"


def definition(workflow: str) -> Path:
    """The workflow's file."""
    return FOLDER / f"{workflow}.asl.json"


def machine_name(stage: Stage, workflow: str) -> str:
    """The physical name of `workflows/<workflow>.asl.json`: ingest_media → socialflow-<stage>-ingest-media."""
    return f"{stage.prefix}-{workflow.replace('_', '-')}"


def machine_arn(scope: Construct, stage: Stage, workflow: str) -> str:
    """The ARN by name, for functions that are states of the machine: a reference to it would be a circle."""
    stack = Stack.of(scope)
    return f"arn:{stack.partition}:states:{stack.region}:{stack.account}:stateMachine:{machine_name(stage, workflow)}"


class Workflow(Construct):
    """The state machine of one ASL file."""

    def __init__(self, scope: Construct, workflow: str, stage: Stage, tasks: Mapping[str, ServiceFunction]) -> None:
        """`tasks` are the functions that the file names as `${…}`; more or fewer is a ValueError."""
        super().__init__(scope, workflow)
        source = definition(workflow).read_text()
        named = set(re.findall(r"\$\{(\w+)\}", source))
        if named != set(tasks):
            raise ValueError(f"{workflow} names {sorted(named)}, and is given {sorted(tasks)}")
        name = machine_name(stage, workflow)
        arns = [task.arn for task in tasks.values()]
        # A policy of the role itself, so that the machine never exists before it may invoke its functions.
        invoke = aws_iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns)
        role = aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal("states.amazonaws.com"),
            inline_policies={"invoke": aws_iam.PolicyDocument(statements=[invoke])},
        )
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            definition_body=stepfunctions.DefinitionBody.from_string(json.dumps(json.loads(source))),
            definition_substitutions={key: task.arn for key, task in tasks.items()},
            role=role,
            logs=stepfunctions.LogOptions(
                # Step Functions writes below this prefix without a policy of its own on each group.
                destination=log_group(self, stage, f"/aws/vendedlogs/states/{name}"),
                level=stepfunctions.LogLevel.ERROR,
                include_execution_data=False,
            ),
            tracing_enabled=True,
        )
        accept(
            self, "SF1", "ERROR without execution data: inputs hold tenant ids, and every step logs in its function."
        )
        accept(role, "IAM5[Resource::*]", "Log delivery and X-Ray have no resources to name.")
