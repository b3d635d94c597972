"""Archives whose bytes depend on nothing but what they hold, and the package of one function."""

import hashlib
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
# The first moment that a zip file can name.
EPOCH = (1980, 1, 1, 0, 0, 0)


def source_files(folder: Path) -> list[Path]:
    """The files of a source folder, in order, without what Python and editors leave in it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if not _is_litter(path.relative_to(folder))]


def _is_litter(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def write(archive: zipfile.ZipFile, files: Iterable[tuple[str, Path]]) -> None:
    """Add files under the given names, with one date and mode for all."""
    for name, path in files:
        entry = zipfile.ZipInfo(name, EPOCH)
        entry.external_attr = 0o644 << 16
        entry.compress_type = archive.compression
        archive.writestr(entry, path.read_bytes())


def digest(files: Iterable[tuple[str, Path]], *more: str) -> str:
    """A short name for exactly these files under these names, and for whatever else decides the result."""
    whole = hashlib.sha256()
    for name, path in files:
        whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for text in more:
        whole.update(f"{text}\n".encode())
    return whole.hexdigest()[:32]


def place(folder: Path, name: str, files: list[tuple[str, Path]], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive in one step, so that two builds at once cannot read half of it."""
    target = folder / name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.{os.getpid()}"
    with zipfile.ZipFile(partial, "w", compression) as archive:
        write(archive, files)
    partial.replace(target)
    return target


def function(name: str) -> tuple[Path, str]:
    """The package of `functions/<name>` and its digest: the folder and the package that it stands in, no more."""
    folder = ROOT / "functions" / name
    files = [("functions/__init__.py", ROOT / "functions" / "__init__.py")]
    files += [(path.relative_to(ROOT).as_posix(), path) for path in source_files(folder)]
    key = digest(files)
    return place(BUILD / "functions", f"{name}-{key}.zip", files), key
