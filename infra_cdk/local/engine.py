"""MiniStack, the emulator of the cloud's services, in its own environment and with its own folders.

It writes S3 objects at once, but everything else (stacks, functions, keys, secrets) only when it ends in order. So
what a deployment made is *sealed*: the engine is ended in order, and what it wrote is kept. From then on each start
takes the sealed state, and each end is a kill: there is one way, whether a person or a power cut ended it.
Messages and executions are not kept, and need not be: the database knows what must happen and starts it again.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
import httpx
import psutil
from botocore.config import Config

from infra_cdk.local.process import Child, LocalError, Program, leashed, plain_environment

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
REGION = "us-east-1"
# A client that retries hides an engine that is gone; deployments are long, calls are not.
CLIENT = Config(retries={"max_attempts": 2, "mode": "standard"}, connect_timeout=5, read_timeout=120)


@cache
def _cage() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Linux: a process namespace, so that the engine's workers cannot outlive it whatever ends it.

    The first part goes before the leash and the second after it: entering a user namespace may untie a leash.
    Where this machine has no such thing the leash keeps the whole pack, and `sweep` ends what even that has missed.
    """
    if sys.platform == "linux":
        alone = ("unshare", "--user", "--map-current-user")
        within = ("unshare", "--pid", "--fork", "--kill-child=KILL")
        for before in dict.fromkeys(((), alone) if os.geteuid() == 0 else (alone,)):
            with suppress(OSError, subprocess.TimeoutExpired):
                tried = subprocess.run([*before, *within, "true"], capture_output=True, timeout=10, check=False)
                if tried.returncode == 0:
                    return before, within
    return (), ("--pack",)


@dataclass(frozen=True)
class Engine:
    """One engine: where its program, its folders and its port are."""

    python: Path
    home: Path
    log: Path
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def layers(self) -> Path:
        """Where the layers of its functions lie unpacked."""
        return self.home / "layers"

    @property
    def _state(self) -> Path:
        return self.home / "state"

    @property
    def _sealed(self) -> Path:
        return self.home / "sealed"

    @property
    def _scratch(self) -> Path:
        return self.home / "tmp"

    def client(self, service: str) -> Any:
        """A boto3 client of one of the engine's services; never one of AWS."""
        return cast("Any", boto3).client(  # its overloads want the service's name as a literal
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 — the engine takes any
            config=CLIENT,
        )

    @property
    def is_sealed(self) -> bool:
        """Whether a deployment survives the engine's end."""
        return self._sealed.exists()

    def start(self) -> Child:
        """Start it from what was sealed, else empty."""
        if not self.python.exists():
            raise LocalError(f"the engine is not installed ({self.python} is missing): start the stack with `make up`")
        self.sweep()
        shutil.rmtree(self._state, ignore_errors=True)
        if self.is_sealed:
            shutil.copytree(self._sealed, self._state)
        for folder in (self._state, self.home / "s3", self._scratch):
            folder.mkdir(parents=True, exist_ok=True)
        before, within = _cage()
        child = Program(
            "The engine",
            [*before, *leashed([*within, str(self.python), "-m", "ministack"])],
            env=self._environment(),
            log=self.log,
            cwd=self.home,
            has_keeper=True,
        ).start()
        try:
            child.wait_until(self._is_ready, timeout=START_TIMEOUT_S)
        except BaseException:
            child.kill()
            raise
        return child

    def stop(self, child: Child) -> None:
        """End it and its workers."""
        child.kill()
        self.sweep()

    def seal(self, child: Child) -> Child:
        """Make what is deployed now last; the engine is restarted for it."""
        child.stop(((signal.SIGTERM, STOP_TIMEOUT_S),))
        if child.process.returncode != 0:
            raise LocalError(
                f"the engine did not end in order (exit code {child.process.returncode}); {child.last_words()}"
            )
        fresh = self.home / f"sealed-{secrets.token_hex(4)}"
        self._state.rename(fresh)
        link = fresh.with_suffix(".link")
        link.symlink_to(fresh.name)
        link.replace(self._sealed)  # in one step: there is always a whole one
        for other in self.home.glob("sealed-*"):
            if other != fresh:
                shutil.rmtree(other)
        return self.start()

    def sweep(self) -> None:
        """End workers that an engine left behind and remove their folders. No engine may be running."""
        mark = f"{self._scratch}/"
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(part.startswith(mark) for part in process.cmdline()):
                    process.kill()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/_ministack/ready", timeout=2).status_code == httpx.codes.OK
        return False

    def _environment(self) -> dict[str, str]:
        """The engine's settings. Workers inherit them: nothing of the developer's cloud may be among them."""
        return plain_environment(
            GATEWAY_PORT=str(self.port),
            BIND_HOST="127.0.0.1",
            MINISTACK_HOST="localhost",
            MINISTACK_REGION=REGION,
            PERSIST_STATE="1",
            STATE_DIR=str(self._state),
            S3_PERSIST="1",
            S3_DATA_DIR=str(self.home / "s3"),
            TMPDIR=str(self._scratch),
            HOME=str(self.home),  # no ~/.aws, no caches outside
            DOCKER_HOST="unix:///nonexistent",  # it looks for Docker, and needs none here
            SFTP_ENABLED="0",
            IOT_MTLS_ENABLED="0",
            # Workers beyond a function's first are ended when idle: each takes 60 MB, one that knows LiteLLM 230.
            LAMBDA_WARM_TTL_SECONDS="120",
            PYTHONUNBUFFERED="1",
        )
