"""The command line of the stack on this machine: `python -m infra_cdk.local run|up|down|token|demo|clean|status`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from infra_cdk.local import background, networks
from infra_cdk.local.accounts import UnknownPerson, person
from infra_cdk.local.process import LocalError
from infra_cdk.local.state import ROOT, AlreadyRunningError, State, read_json
from infra_cdk.local.supervisor import Supervisor

console = Console(highlight=False, soft_wrap=True)


def _run(state: State, options: argparse.Namespace) -> int:
    overrides = dict(pair.split("=", 1) for pair in options.set)
    supervisor = Supervisor(
        state,
        console.print,
        overrides,
        networks.asked_for(options.networks),
        on_ready=lambda: console.print(background.what_next(state)),
    )
    supervisor.run()
    return 0


def _up(state: State, options: argparse.Namespace) -> int:
    background.up(state, console.print, options.set, networks.asked_for(options.networks))
    return 0


def _down(state: State, _options: argparse.Namespace) -> int:
    background.down(state, console.print)
    return 0


def _token(state: State, options: argparse.Namespace) -> int:
    who = person(options.who)
    print(state.issuer().token(who))
    return 0


def _demo(state: State, options: argparse.Namespace) -> int:
    from infra_cdk.local.demo import run  # noqa: PLC0415 — it draws pictures, which nothing else here does

    asked_for, stack = networks.asked_for(options.networks), read_json(state.stack_file)
    if stack:
        background.check_networks(stack, asked_for)
    return run(stack, options.photos, state.home / "demo")


def _clean(state: State, _options: argparse.Namespace) -> int:
    background.down(state, console.print)
    state.remove()
    console.print(f"Removed {state.home}.")
    return 0


def _status(state: State, _options: argparse.Namespace) -> int:
    return background.status(state, console.print)


VERBS: Mapping[str, tuple[Callable[[State, argparse.Namespace], int], str]] = {
    "run": (_run, "start the stack and stay"),
    "up": (_up, "start it in the background"),
    "down": (_down, "end it"),
    "token": (_token, "print a JWT of a demo account"),
    "demo": (_demo, "take a folder of photos from upload to published posts"),
    "clean": (_clean, "end it and forget what it stored"),
    "status": (_status, "say whether it runs"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra_cdk.local", description=__doc__)
    home = Path(os.environ.get("SOCIALFLOW_LOCAL_HOME", ROOT / ".local"))
    parser.add_argument("--home", type=Path, default=home, help="where the stack keeps its state (%(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, (_, text) in VERBS.items():
        sub = verbs.add_parser(verb, help=text)
        if verb in {"run", "up"}:
            sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the stage")
        if verb in {"run", "up", "demo"}:
            sub.add_argument("--networks", default="", metavar="NAMES", help="those that are not in every stack")
        if verb == "token":
            sub.add_argument("who", help="an e-mail address, e.g. editor@acme.test")
        if verb == "demo":
            sub.add_argument("--photos", type=Path, default=Path(__file__).with_name("demo") / "photos")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Do one verb; what is in the way is told in a sentence on stderr."""
    options = _parser().parse_args(argv)
    try:
        return VERBS[options.verb][0](State.at(options.home), options)
    except (LocalError, UnknownPerson) as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return background.EXIT_HELD if isinstance(error, AlreadyRunningError) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
