"""The CDK application: the one place that reads context and environment. What they may hold: `infra_cdk/stages.py`.

Run by the CDK's command line, or without it: `python -m infra_cdk.app -c stage=prod` writes build/cdk.out/prod.
"""

import json
import os
import sys
from pathlib import Path

from infra_cdk.node import NodeMissingError, find
from infra_cdk.stages import OVERRIDES, Stage, stage

ROOT = Path(__file__).resolve().parent.parent


def _context(arguments: list[str]) -> dict[str, str]:
    """What was asked for: `-c key=value` of our own command line, or the CDK's, which comes as JSON."""
    asked: dict[str, str] = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    for flag, pair in zip(arguments[::2], arguments[1::2], strict=True):
        key, equals, value = pair.partition("=")
        if flag != "-c" or not equals:
            raise ValueError(f"not understood: {flag} {pair}; say -c key=value")
        asked[key] = value
    return asked


def _chosen(asked: dict[str, str]) -> Stage:
    name = asked.get("stage") or os.environ.get("SOCIALFLOW_STAGE") or "local"
    settings = {}
    for key in OVERRIDES:
        value = asked.get(key, os.environ.get(f"SOCIALFLOW_{key.upper()}"))
        if value is not None:
            settings[key] = value
    return stage(name, settings)


def _outdir(asked: dict[str, str], chosen: Stage) -> str:
    ours = asked.get("outdir") or os.environ.get("SOCIALFLOW_OUTDIR") or str(ROOT / "build" / "cdk.out" / chosen.name)
    return os.environ.get("CDK_OUTDIR", ours)


class FindingsError(Exception):
    """cdk-nag found something; the library has printed what."""


def synthesize(chosen: Stage, outdir: str) -> None:
    """Write the cloud assembly of the stage. Raises FindingsError, NodeMissingError."""
    # The library starts Node.js when it is imported, so it is told which one first, and not imported before.
    os.environ.setdefault("JSII_NODE", str(find()))
    from aws_cdk import App, Tags, Validations  # noqa: PLC0415 - above
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415 - above

    from infra_cdk.stacks.service import ServiceStack  # noqa: PLC0415 - above
    from infra_cdk.stacks.storage import StorageStack  # noqa: PLC0415 - above

    settings = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=settings, outdir=outdir, analytics_reporting=False, tree_metadata=False)
    Tags.of(app).add("project", "socialflow")
    Tags.of(app).add("stage", chosen.name)
    storage = StorageStack(app, chosen)
    ServiceStack(app, chosen, storage)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "Validation failed" in str(error):
            raise FindingsError(f"cdk-nag refuses the stage {chosen.name}: see above") from error
        raise


def main() -> int:
    """Synthesize one stage; a mistake in what was asked for is told in a sentence."""
    try:
        asked = _context(sys.argv[1:])
        chosen = _chosen(asked)
        synthesize(chosen, _outdir(asked, chosen))
    except (ValueError, NodeMissingError, FindingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
