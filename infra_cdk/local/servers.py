"""The small HTTP servers of the stack: how each is started, and what tells that it is ready."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra_cdk.local.process import LocalError, Program, leashed, plain_environment
from infra_cdk.local.state import ROOT, State

MASTODON = """\
title = "SocialFlow's local Mastodon"
media_storage_path = "{home}/media"
[database]
path = "{home}/mastodon.sqlite"
"""
# Where `make` installs Bluesky's server and the Node that it wants; our own file starts it with a folder and a port.
PDS = ROOT / ".tools" / "pds"
PDS_COMMAND = (str(PDS / "node"), str(Path(__file__).with_name("pds") / "server.cjs"))
PDS_ENVIRONMENT = {"NODE_PATH": str(PDS / "node_modules")}


@dataclass(frozen=True)
class Server:
    """A program, and an address that it answers with 200 when it can serve."""

    program: Program
    probe: str

    @property
    def name(self) -> str:
        """The name by which it is spoken of."""
        return self.program.name

    def is_ready(self) -> bool:
        """Whether it answers now."""
        with suppress(httpx.HTTPError):
            return httpx.get(self.probe, timeout=2, trust_env=False).status_code == httpx.codes.OK
        return False


def issuer(state: State) -> Server:
    """The OIDC issuer."""
    port = state.ports()["issuer"]
    return _python(
        state,
        "issuer",
        ["infra_cdk.local.services", "issuer", "--port", str(port), "--key", str(state.issuer_key)],
        f"http://127.0.0.1:{port}/.well-known/openid-configuration",
    )


def captions(state: State) -> Server:
    """The offline captioner, which speaks as much of OpenAI's API as LiteLLM needs."""
    port = state.ports()["captions"]
    return _python(
        state,
        "captioner",
        ["uvicorn", "infra_cdk.local.offline_ai:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
        f"http://127.0.0.1:{port}/v1/models",
    )


def mastodon(state: State) -> Server:
    """The first network: a Mastodon-compatible server whose statuses and media survive restarts."""
    home = state.home / "mastodon"
    home.mkdir(exist_ok=True)
    settings = home / "settings.toml"
    settings.write_text(MASTODON.format(home=home))
    at = f"127.0.0.1:{state.ports()['mastodon']}"
    options = ["--host", "127.0.0.1", "--port", at.partition(":")[2], "--domain", at, "--log-level", "warning"]
    return _python(
        state,
        "mastodon",
        ["mastodon_mock", "serve", "--config", str(settings), *options],
        f"http://{at}/api/v2/instance",
    )


def bluesky(state: State) -> Server:
    """A real Bluesky server, which is installed only where somebody asks for it; raises LocalError."""
    if not (PDS / ".installed").exists():
        raise LocalError("Bluesky's server is not installed: start the stack with `make up NETWORKS=bluesky`")
    home = state.home / "bluesky"
    home.mkdir(mode=0o700, exist_ok=True)
    port = state.ports()["bluesky"]
    program = Program(
        "bluesky",
        leashed([*PDS_COMMAND, str(home), str(port)]),
        env=plain_environment(**PDS_ENVIRONMENT),
        log=state.log("bluesky"),
        cwd=home,
    )
    return Server(program, f"http://127.0.0.1:{port}/xrpc/_health")


def front_door(state: State, api: str, addresses: Mapping[str, str]) -> Server:
    """The front door to the API at `api`."""
    port = state.ports()["front"]
    shown = [part for name, url in addresses.items() for part in ("--show", f"{name}={url}")]
    return _python(
        state,
        "front-door",
        ["infra_cdk.local.services", "front-door", "--port", str(port), "--api", api, *shown],
        f"http://127.0.0.1:{port}/",
    )


def _python(state: State, name: str, module: list[str], probe: str) -> Server:
    program = Program(
        name,
        leashed([sys.executable, "-m", *module]),
        env=plain_environment(PYTHONUNBUFFERED="1"),
        log=state.log(name),
        cwd=ROOT,
    )
    return Server(program, probe)
