"""Builds layers from the lock file: export, install for the target, prune, refuse, compile, pack.

A layer is built once for each content: the lock's part of it, the target, the rules in this folder. As a program,
`python -m layers.build [aws|local]`, it builds all of them and prints their sizes.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from layers import archive
from layers.archive import BUILD, ROOT
from layers.contents import LAYERS, Layer, is_dropped, is_refused
from layers.target import AWS, Target, here

SOURCES = ROOT / "shared" / "socialflow"
# Two builds of before are kept for stacks that are being deployed while the next is built.
KEPT = 3


class LayerError(Exception):
    """A layer cannot be built, or must not be."""


@dataclass(frozen=True)
class Built:
    """A layer that is ready: its archive, a digest of everything that decided it, and whether it is compiled."""

    path: Path
    digest: str
    compiled: bool


def build(name: str, target: Target) -> Built:
    """Build the layer for the target, or take the one built before. Raises LayerError."""
    layer = LAYERS[name]
    wanted = requirements(layer)
    key = archive.digest(_rules(), name, target.name, target.python, wanted, str(target.interpreter is not None))
    folder = BUILD / "layers" / target.name / name
    whole = archive.digest(_sources() if layer.with_socialflow else [], key)
    path = folder / f"{whole}.zip"
    with _alone(folder):
        if not path.exists():
            _pack(layer, target, wanted, folder / key, path)
        path.touch()
        _forget(folder, folder / key)
    return Built(path, whole, target.interpreter is not None)


def _pack(layer: Layer, target: Target, wanted: str, tree: Path, path: Path) -> None:
    if not tree.exists():
        _install(layer, target, wanted, tree)
    files = _entries(tree)
    if layer.with_socialflow:
        files += _socialflow(target, tree.parent)
    # The engine unpacks the archive for every worker that it starts, so there it is not compressed.
    compression = zipfile.ZIP_DEFLATED if target.platform else zipfile.ZIP_STORED
    archive.place(path.parent, path.name, files, compression)


def requirements(layer: Layer) -> str:
    """What the layer installs, pinned and with hashes: its group, less what the layers below it bring.

    Raises LayerError when something is left out that the lock does not hold: a slip that would ship it.
    """
    locked = _export(layer.group)
    below = {name for other in layer.on_top_of for name in _export(LAYERS[other].group)}
    left_out = below | set(layer.without)
    unknown = set(layer.without) - set(locked)
    if unknown:
        raise LayerError(f"{layer.name}: left out but not in the lock: {', '.join(sorted(unknown))}")
    return "".join(text for name, text in locked.items() if name not in left_out)


def _export(group: str) -> dict[str, str]:
    command = [_uv(), "export", "--frozen", "--quiet", "--only-group", group, "--no-header", "--no-annotate"]
    return _entries_of(_run(command, f"uv export of {group}"))


def _entries_of(text: str) -> dict[str, str]:
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)
    return {re.split(r"[\[=]", entry, maxsplit=1)[0]: entry for entry in entries if entry}


def _install(layer: Layer, target: Target, wanted: str, tree: Path) -> None:
    with tempfile.TemporaryDirectory(dir=tree.parent, prefix=".install-") as work:
        listed = Path(work, "requirements.txt")
        listed.write_text(wanted)
        python = Path(work, "tree", "python")
        platform = ["--python-platform", target.platform] if target.platform else []
        command = [
            _uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", *_as_wheels(layer, wanted),
            "--target", str(python), "--python", sys.executable, "--python-version", target.python,
            *platform, "--link-mode", "copy", "--requirement", str(listed),
        ]  # fmt: skip
        _run(command, f"installing the {layer.name} layer for {target.name}")
        _prune(layer, python)
        refuse(python)
        if target.interpreter:
            _compile(target.interpreter, python, keep_sources=False)
        python.parent.replace(tree)


def _as_wheels(layer: Layer, wanted: str) -> list[str]:
    """Name what must come as a wheel: all but what the layer says is built here."""
    if not layer.built:
        return ["--only-binary", ":all:"]
    return [part for name in sorted(set(_entries_of(wanted)) - set(layer.built)) for part in ("--only-binary", name)]


def _prune(layer: Layer, python: Path) -> None:
    for path in [path for path in python.rglob("*") if path.is_file() or path.is_symlink()]:
        if is_dropped(layer, PurePosixPath(path.relative_to(python))):
            path.unlink()
    for folder in sorted((path for path in python.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def refuse(folder: Path) -> None:
    """Raise LayerError if the folder holds a file that Python would run at its start."""
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if is_refused(PurePosixPath(path))]
    if found:
        raise LayerError(f"refused: {', '.join(sorted(found))} would run at the start of every process")


def _compile(interpreter: str, python: Path, *, keep_sources: bool) -> None:
    """Compile so that Python never compares dates: a layer's are all the same."""
    beside = [] if keep_sources else ["-b"]
    command = [
        interpreter, "-I", "-m", "compileall", "-q", *beside, "-j", "0", "--invalidation-mode", "unchecked-hash",
        "-s", str(python), "-p", "/opt/python", str(python),
    ]  # fmt: skip
    _run(command, "compiling")
    if not keep_sources:
        for source in python.rglob("*.py"):
            if source.with_suffix(".pyc").exists():
                source.unlink()


def _sources() -> list[tuple[str, Path]]:
    return [
        (f"python/socialflow/{path.relative_to(SOURCES).as_posix()}", path) for path in archive.source_files(SOURCES)
    ]


def _socialflow(target: Target, folder: Path) -> list[tuple[str, Path]]:
    """The project's package: sources for readable traces, and byte code beside them."""
    copy = folder / "socialflow"
    shutil.rmtree(copy, ignore_errors=True)
    for name, path in _sources():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / name)
    if target.interpreter:
        _compile(target.interpreter, copy / "python", keep_sources=True)
    return _entries(copy)


def _entries(tree: Path) -> list[tuple[str, Path]]:
    return [(path.relative_to(tree).as_posix(), path) for path in sorted(tree.rglob("*")) if path.is_file()]


def _rules() -> list[tuple[str, Path]]:
    return [(path.name, path) for path in sorted(Path(__file__).parent.glob("*.py"))]


def _forget(folder: Path, tree: Path) -> None:
    for old in sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    for other in folder.iterdir():
        if other.is_dir() and other not in {tree, folder / "socialflow"}:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _uv() -> str:
    ours = ROOT / ".tools" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if not found:
        raise LayerError("uv is missing: run make tools")
    return found


def _run(command: list[str], what: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "UV_PYTHON"}}
    environment["PYTHONHASHSEED"] = "0"
    environment["PKG_CONFIG"] = "false"  # what is built finds no library of this machine to bind itself to
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    done = subprocess.run(  # noqa: S603 - commands are made in this file
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LayerError(f"{what} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def main() -> None:
    """Build every layer for one target and print what came out."""
    target = AWS if sys.argv[1:] == ["aws"] else here()
    for name in LAYERS:
        built = build(name, target)
        with zipfile.ZipFile(built.path) as opened:
            size = sum(entry.file_size for entry in opened.infolist())
        sys.stdout.write(
            f"{name}: {size / 1e6:.1f} MB, zipped {built.path.stat().st_size / 1e6:.1f} MB, {built.path}\n"
        )


if __name__ == "__main__":
    main()
