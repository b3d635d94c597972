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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from infra_cdk.stages import STAGES

ROOT = Path(__file__).resolve().parent.parent
LOCAL = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
EVENT = ("text", "tenant", "kind", "id", "reason", "network", "all", "hours")
"""Arguments that are told to the function, by their names."""
READS = ("find", "post", "migrations", "stopped")
SUPPORT = {"support": "grant", "support-end": "end", "support-list": "list"}
"""Commands about support access, with what their function calls them."""
Document = dict[str, Any]
Invoke = Callable[[str, Mapping[str, Any]], Document]


@dataclass(frozen=True)
class Line:
    """What calls a stage's function by its folder's name, and what tells who calls."""

    invoke: Invoke
    name: Callable[[], str]


class OperatorError(Exception):
    """What is in the way, in a sentence."""


def connected(stage: str, home: Path) -> Line:
    """Return the line to a stage; who calls is on AWS whom its credentials are of, and here who is logged in."""
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

    return Line(invoke, _login if stage == "local" else _identity)


def _identity() -> str:
    try:
        return str(boto3.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise OperatorError(f"AWS does not say who you are, and nothing is done in nobody's name: {error}") from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise OperatorError("This machine does not say who you are: set USER to your name.") from None


def request(options: argparse.Namespace, name: Callable[[], str]) -> tuple[str, Document]:
    """Return the function and its event for a command; what changes something says in whose name."""
    given = {key: value for key, value in vars(options).items() if key in EVENT and value not in (None, False)}
    event: Document = {"action": options.command, **given}
    if options.command in READS:
        return "ops_look", event
    event["by"] = name()
    if options.command in SUPPORT:
        return "ops_support", {**event, "action": SUPPORT[options.command]}
    if options.command in ("suspend", "resume"):
        return "ops_suspend", {"slug": event.pop("tenant"), **event}
    return ("ops_switch" if options.command in ("stop", "go") else "ops_rouse"), event


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


def main(arguments: Sequence[str] | None = None, *, connect: Callable[[str, Path], Line] = connected) -> int:
    """Do one command; what is in the way is told in a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        line = connect(options.stage, options.home)
        told = line.invoke(*request(options, line.name))
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
    _add_support(commands)
    commands.add_parser("stopped", help="what is stopped, for whom and why")
    for name, text in {"stop": "nothing goes out", "go": "what was stopped goes on"}.items():
        command = commands.add_parser(name, help=f"{text}: everything, one network or one tenant")
        what = command.add_mutually_exclusive_group(required=True)
        what.add_argument("--all", action="store_true", help="of everybody")
        what.add_argument("--network", help="to one network, of everybody")
        what.add_argument("--tenant", help="of one tenant, by its slug")
        if name == "stop":
            command.add_argument("--reason", required=True)
    return parser


def _add_support(commands: Any) -> None:
    """Add the commands about support access."""
    look = commands.add_parser("support", help="look into a tenant as its viewers see it; shows the credential, once")
    look.add_argument("tenant", help="its slug")
    look.add_argument("--reason", required=True, help="the tenant's people read it")
    look.add_argument("--hours", type=int, default=1, help="how long, at most 8 (%(default)s)")
    end = commands.add_parser("support-end", help="end it before its time")
    end.add_argument("tenant", help="its slug")
    end.add_argument("id", help="of the access, as support-list shows it")
    commands.add_parser("support-list", help="what works now").add_argument("tenant", nargs="?", help="of this tenant")


if __name__ == "__main__":
    sys.exit(main())
