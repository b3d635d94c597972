"""The entry of the small servers that run as children: `python -m infra_cdk.local.services <which> …`."""

import argparse
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from infra_cdk.local import front_door, issuer


def _issuer(options: argparse.Namespace) -> ASGIApp:
    return issuer.build(issuer.Issuer(f"http://127.0.0.1:{options.port}", issuer.load_key(options.key)))


def _front_door(options: argparse.Namespace) -> ASGIApp:
    return front_door.build(options.api, dict(pair.split("=", 1) for pair in options.show))


APPS: Mapping[str, Callable[[argparse.Namespace], ASGIApp]] = {"issuer": _issuer, "front-door": _front_door}


def main(argv: list[str] | None = None) -> None:
    """Serve one of them on loopback until a signal ends it."""
    parser = argparse.ArgumentParser(prog="infra_cdk.local.services")
    parser.add_argument("which", choices=APPS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", type=Path, help="issuer: the file of its key")
    parser.add_argument("--api", help="front-door: the engine's address of the API")
    parser.add_argument("--show", action="append", default=[], metavar="NAME=URL", help="front-door: on its first page")
    options = parser.parse_args(argv)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    config = uvicorn.Config(
        APPS[options.which](options),
        http="h11",  # whatever else happens to be installed
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,  # the engine has dated its answer
        # Longer than clients keep an idle connection (httpx: 5 s, as this would be): one that is closed at the moment
        # of the next request fails it.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
