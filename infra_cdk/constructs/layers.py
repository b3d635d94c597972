"""The layers as the stack sees them: built for the stage's target, named, and refused if prod would start slowly."""

from collections.abc import Mapping

from aws_cdk import CfnRule, CfnRuleAssertion, Fn, Stack, aws_lambda
from constructs import Construct

from infra_cdk.stages import Stage
from layers.build import Built, build
from layers.contents import LAYERS
from layers.target import AWS, Target, here

RUNTIME = aws_lambda.Runtime.PYTHON_3_13
ARCHITECTURE = aws_lambda.Architecture.ARM_64


class Layers(Construct):
    """One layer version for each entry of `layers.contents.LAYERS`."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        """Build what is not built yet; this needs the package index, and nothing else of the network."""
        super().__init__(scope, construct_id)
        target = here() if stage.is_local else AWS
        built = {name: build(name, target) for name in LAYERS}
        self._versions = {name: self._version(stage, name, each) for name, each in built.items()}
        if stage.protected:
            refuse_uncompiled(Stack.of(self), built, target)

    def __getitem__(self, name: str) -> aws_lambda.LayerVersion:
        """The layer's version in this stack."""
        return self._versions[name]

    def _version(self, stage: Stage, name: str, built: Built) -> aws_lambda.LayerVersion:
        return aws_lambda.LayerVersion(
            self,
            name.capitalize(),
            layer_version_name=f"{stage.prefix}-{name}",
            # The digest names what decided the content: compilers are free to write the same code differently.
            code=aws_lambda.Code.from_asset(str(built.path), asset_hash=built.digest),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


def refuse_uncompiled(stack: Stack, built: Mapping[str, Built], target: Target) -> None:
    """Let CloudFormation refuse layers without byte code: every cold start would take seconds longer."""
    if all(each.compiled for each in built.values()):
        return
    sentence = f"The layers are not compiled: put python{target.python} on PATH and synthesize again."
    never = Fn.condition_equals("not compiled", "compiled")
    CfnRule(
        stack,
        "LayersAreCompiled",
        assertions=[CfnRuleAssertion(assert_=never, assert_description=sentence)],
    )
