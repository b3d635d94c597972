"""Synthesizes the local stage with this stack's addresses, unless nothing that it is made of has changed."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infra_cdk.local.process import LocalError, leashed
from infra_cdk.local.state import ROOT, State, read_json, write_json

PATIENCE_S = 20.0
SYNTH_TIMEOUT_S = 900.0  # the first one downloads and builds the layers
SOURCES = ("functions", "shared", "layers", "infra_cdk")
FILES = ("pyproject.toml", "uv.lock", "cdk.json")


def settings(state: State, networks: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """The stage's settings on this machine, by the names of `infra_cdk/stages.py`; these networks can be reached."""
    ports = state.ports()
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return {
        "cors_origins": f"http://{at['front']},http://localhost:{ports['front']}",
        "oidc_issuer": state.issuer().url,
        "oidc_authorized_parties": "socialflow-local",
        "caption_api_base": f"http://{at['captions']}/v1",
        "egress_allowed_hosts": ",".join(at[name] for name in networks),
        "invitation_page": f"http://{at['front']}/invitations",
        **(overrides or {}),
    }


def _made_of(chosen: Mapping[str, str]) -> str:
    """One word for all that the assembly depends on: sources, lock, interpreter, settings."""
    whole = hashlib.sha256(f"{sys.version_info[:2]}{sorted(chosen.items())}".encode())
    paths = [path for name in SOURCES for path in (ROOT / name).rglob("*") if path.is_file()]
    for path in sorted(paths) + [ROOT / name for name in FILES]:
        relative = path.relative_to(ROOT)
        skipped = {"__pycache__", "node_modules"} & set(relative.parts) or relative.parts[:2] == ("infra_cdk", "local")
        if not skipped and path.exists():
            whole.update(str(relative).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def _is_whole(assembly: Path) -> bool:
    """Whether the files that the assembly points to are still there: its archives lie in the build folder."""
    listed = list(assembly.glob("*.assets.json"))
    return bool(listed) and all(
        (assembly / each["source"]["path"]).exists()
        for assets in listed
        for each in read_json(assets).get("files", {}).values()
    )


class Synthesis:
    """A synthesis under way in a process of its own: it needs Node, memory and the time in which others start."""

    def __init__(self, state: State, networks: Sequence[str], overrides: Mapping[str, str] | None = None) -> None:
        """Begin, unless the assembly of before is still right."""
        self.assembly = state.home / "cdk.out"
        self._record = state.home / "cdk.json"
        self._log = state.log("synth")
        chosen = settings(state, networks, overrides)
        self._made_of = _made_of(chosen)
        self.process: subprocess.Popen[bytes] | None = None
        if read_json(self._record).get("made_of") == self._made_of and _is_whole(self.assembly):
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        options = [part for key, value in chosen.items() for part in ("-c", f"{key}={value}")]
        command = [
            sys.executable,
            "-m",
            "infra_cdk.app",
            "-c",
            "stage=local",
            "-c",
            f"outdir={self.assembly}",
            *options,
        ]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SOCIALFLOW_", "AWS_", "CDK_"))
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                leashed(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=kept, cwd=ROOT
            )

    @property
    def is_under_way(self) -> bool:
        """Whether there is something to wait for."""
        return self.process is not None

    def wait(self, say: Callable[[str], None]) -> bool:
        """Return when the assembly is there; False if it was all along. Raises LocalError."""
        if self.process is None:
            return False
        began = time.monotonic()
        code = None
        while code is None:
            passed = time.monotonic() - began
            if passed > SYNTH_TIMEOUT_S:
                raise LocalError(f"the synthesis took more than {SYNTH_TIMEOUT_S:.0f} s; its log: {self._log}")
            if passed > PATIENCE_S:
                say(f"  still at it after {passed:.0f} s")
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(PATIENCE_S)
        if code != 0:
            tail = "\n  ".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise LocalError(f"the synthesis failed (exit code {code}); {self._log} ends with:\n  {tail}")
        write_json(self._record, {"made_of": self._made_of})
        return True
