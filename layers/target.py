"""The two machines that layers are built for: the Lambda runtime, and this one."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A machine: Python's minor version and, when it is not this one, uv's name of its platform."""

    name: str
    python: str
    platform: str | None = None

    @property
    def interpreter(self) -> str | None:
        """An interpreter here that compiles for the target: byte code belongs to a minor version, not a platform."""
        return _interpreter(self.python)


# The runtime of Lambda on Graviton, on Amazon Linux 2023 (glibc 2.34).
AWS = Target("aws-arm64", "3.13", "aarch64-manylinux_2_28")


def here() -> Target:
    """This machine and the interpreter that is running, which is the engine's too."""
    return Target("local", f"{sys.version_info.major}.{sys.version_info.minor}")


@functools.cache
def _interpreter(version: str) -> str | None:
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    name = f"python{version}"
    on_path = shutil.which(name)
    if on_path:
        yield on_path
        # A shim of pyenv answers only for versions switched on; the interpreters are beside it.
        for found in sorted(Path(on_path).parent.parent.glob(f"versions/{version}*/bin/{name}")):
            yield str(found)


def _version_of(interpreter: str) -> str:
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    answer = subprocess.run(  # noqa: S603 - an interpreter of this machine
        [interpreter, "-I", "-c", question], env=environment, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
