"""The operator's command line, the same on AWS and on one machine: it invokes the stage's `ops_*` functions.

    python -m infra_cdk.operator find acme
    python -m infra_cdk.operator --stage prod post acme <post id>

Locally (the default) it finds the running stack by `.local/stack.json`; on AWS it uses the credentials and the region
of whoever calls. It exits with 0, with 1 where it was refused, and with 2 where the stage cannot be reached.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from infra_cdk.stages import STAGES

ROOT = Path(__file__).resolve().parent.parent
LOCAL = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
READS = ("find", "post", "migrations")
Document = dict[str, Any]
Invoke = Callable[[str, Mapping[str, Any]], Document]


class OperatorError(Exception):
    """What is in the way, in a sentence."""


def invoker(stage: str, home: Path) -> Invoke:
    """Return what calls a function of the stage by its folder's name, and returns its answer."""
    options: dict[str, Any] = {}
    if stage == "local":
        try:
            options = {**LOCAL, "endpoint_url": json.loads((home / "stack.json").read_text())["engine"]}
        except (OSError, ValueError, KeyError):
            raise OperatorError("The local stack does not run. Start it with `make up`, or name a stage.") from None

    def invoke(function: str, event: Mapping[str, Any]) -> Document:
        try:
            client: Any = boto3.client("lambda", **options)
            answer = client.invoke(FunctionName=STAGES[stage].function_name(function), Payload=json.dumps(dict(event)))
            told = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise OperatorError(f"{function} of stage {stage} could not be called: {error}") from None
        if answer.get("FunctionError") or not isinstance(told, dict):
            raise OperatorError(f"{function} has failed; its log says why. Repeating it is safe.")
        return told

    return invoke


def request(options: argparse.Namespace) -> tuple[str, Document]:
    """Return the function and its event for a command."""
    if options.command in READS:
        return "ops_look", _given(options, "text", "tenant", "id")
    event = {**_given(options, "tenant", "kind", "id", "reason"), "by": getpass.getuser()}
    if options.command in ("suspend", "resume"):
        return "ops_suspend", {"slug": event.pop("tenant"), **event}
    return "ops_rouse", event


def _given(options: argparse.Namespace, *names: str) -> Document:
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return {"action": options.command, **given}


def show(told: Mapping[str, Any], console: Console) -> None:
    """Print an answer: a table for each list of rows, a line for everything else."""
    for name, value in told.items():
        rows = value if isinstance(value, list) else [value] if isinstance(value, dict) else None
        if rows is None:
            console.print(f"{name}: {value}", markup=False)
        elif not rows:
            console.print(f"{name}: none")
        elif len(rows) == 1:
            _card(name, rows[0], console)
        else:
            table = Table(*rows[0], title=name, title_justify="left")
            for row in rows:
                table.add_row(*(_text(each) for each in row.values()))
            console.print(table, markup=False)


def main(arguments: Sequence[str] | None = None, *, connect: Callable[[str, Path], Invoke] = invoker) -> int:
    """Do one command; what is in the way is told in a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        told = connect(options.stage, options.home)(*request(options))
    except OperatorError as error:
        sys.stderr.write(f"{options.command}: {error}\n")
        return 2
    if options.json:
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    elif told.get("outcome") == "refused":
        sys.stderr.write(f"{options.command}: {told.get('detail', told.get('code'))}\n")
    else:
        show(told, Console(soft_wrap=True, highlight=False))
    return 1 if told.get("outcome") == "refused" else 0


def _card(name: str, row: Mapping[str, Any], console: Console) -> None:
    table = Table("", "", title=name, title_justify="left", show_header=False)
    for key, value in row.items():
        table.add_row(key, _text(value))
    console.print(table, markup=False)


def _text(value: object) -> str:
    """Return a value as a cell shows it."""
    plain = "\n".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    return "-" if value is None else plain


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra_cdk.operator", description="Operate a stage.")
    parser.add_argument("--stage", choices=sorted(STAGES), default="local")
    parser.add_argument("--home", type=Path, default=ROOT / ".local", help="of the local stack (%(default)s)")
    parser.add_argument("--json", action="store_true", help="for machines")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("find", help="tenants by slug, id or part of a name").add_argument("text")
    commands.add_parser("migrations", help="tenants whose schema is behind, and why")
    for name, text in {
        "post": "one post: targets, attempts, work",
        "suspend": "a tenant only reads and publishes nothing",
        "resume": "a suspended tenant goes on",
        "replay": "send parked facts again and wake the workflow",
        "restart": "start a subject's workflow anew",
    }.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("tenant", help="its slug")
        if name == "suspend":
            command.add_argument("--reason", required=True)
        if name == "restart":
            command.add_argument("kind", choices=("ingest", "publish", "rendition"))
        if name in {"post", "replay", "restart"}:
            command.add_argument("id")
    return parser


if __name__ == "__main__":
    sys.exit(main())
