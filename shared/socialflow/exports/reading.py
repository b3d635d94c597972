"""Reads an archive, and believes nothing of it before its hashes are checked."""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from pydantic import ValidationError

from socialflow.exports.gateway import CHUNK
from socialflow.exports.manifest import FORMAT, LONGEST, NAME, VERSION, Manifest
from socialflow.exports.model import MOST_BYTES, MOST_OBJECTS, Unexportable, UnusableArchive, check_size

LONGEST_LINE = 16 * 1024 * 1024
_OBJECT = re.compile(r"objects/(media/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/[a-z]+(?:-[0-9]+)?\.[a-z0-9]+)")
_ROWS = re.compile(r"rows/([a-z][a-z0-9_]*)\.ndjson")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What a ZIP that is none, cut off, encrypted or packed in an unknown way ends in."""


class Archive:
    """An archive whose manifest is read and whose list of files is the manifest's."""

    def __init__(self, file: BinaryIO) -> None:
        """Open it; raises `UnusableArchive`."""
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise UnusableArchive("It is not a ZIP archive, or it is cut off.") from error
        entries = self._zip.infolist()
        self._entries = {entry.filename: entry for entry in entries}
        if len(entries) != len(self._entries):
            raise UnusableArchive("It holds two files of one name.")
        self.manifest = self._manifest()
        self._check_names()
        self._check_sizes()

    def tables(self) -> list[str]:
        """Return the names of the tables whose rows it holds."""
        return sorted(found[1] for name in self.manifest.files if (found := _ROWS.fullmatch(name)))

    def objects(self) -> list[str]:
        """Return the tenant's objects that it holds, each by its key below the tenant's prefix."""
        return sorted(found[1] for name in self.manifest.files if (found := _OBJECT.fullmatch(name)))

    def check_hashes(self, columns: Mapping[str, frozenset[str]]) -> None:
        """Read all of it; raises `UnusableArchive` for what was changed and for rows that are not the table's."""
        for name in self.manifest.files:
            if found := _ROWS.fullmatch(name):
                with self.lines(found[1]) as lines:
                    for line in lines:
                        _check_row(line, found[1], columns[found[1]])
            else:
                for _chunk in self._read(name):
                    pass

    @contextmanager
    def lines(self, table: str) -> Iterator[Iterator[bytes]]:
        """Open a table's rows; their number and hash are checked at their end."""
        name = f"rows/{table}.ndjson"
        yield self._lines(name)

    def row(self, line: bytes) -> dict[str, Any]:
        """Return a row's values."""
        return cast("dict[str, Any]", json.loads(line))

    def copy(self, key: str, into: BinaryIO) -> None:
        """Copy an object into a file, its hash checked at its end."""
        for chunk in self._read(f"objects/{key}"):
            into.write(chunk)
        into.seek(0)

    def _lines(self, name: str) -> Iterator[bytes]:
        rest, count = b"", 0
        for chunk in self._read(name):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise UnusableArchive(f"{name} has a line of more than {LONGEST_LINE // 1024**2} MB.")
            count += len(whole)
            yield from whole
        if rest or count != self.manifest.files[name].rows:
            raise UnusableArchive(f"{name} does not have the rows that the manifest says.")

    def _read(self, name: str) -> Iterator[bytes]:
        said, digest, size = self.manifest.files[name], hashlib.sha256(), 0
        try:
            with self._zip.open(self._entries[name]) as entry:
                while chunk := entry.read(CHUNK):
                    size += len(chunk)
                    if size > said.bytes:
                        break
                    digest.update(chunk)
                    yield chunk
        except _BROKEN as error:
            raise UnusableArchive(f"{name} is broken.") from error
        if size != said.bytes or digest.hexdigest() != said.sha256:
            raise UnusableArchive(f"{name} is not what the manifest says: it was changed after the export.")

    def _manifest(self) -> Manifest:
        entry = self._entries.get(NAME)
        if entry is None or entry.file_size > LONGEST:
            raise UnusableArchive(f"It has no {NAME}, or one that is no manifest.")
        try:
            with self._zip.open(entry) as file:
                document = json.loads(_bounded(file))
            if (document["format"], document["version"]) != (FORMAT, VERSION):
                raise UnusableArchive(
                    f"It is of format {document['format']!r}, version {document['version']!r};"
                    f" {FORMAT} version {VERSION} can be imported."
                )
            return Manifest.model_validate(document)
        except (*_BROKEN, KeyError, TypeError, ValidationError) as error:
            raise UnusableArchive(f"Its {NAME} cannot be read.") from error

    def _check_names(self) -> None:
        listed = {*self.manifest.files, NAME}
        if self._entries.keys() != listed:
            odd = sorted(self._entries.keys() ^ listed)[0]
            raise UnusableArchive(f"The archive and its manifest differ: {odd!r} is in one of them only.")
        for name, said in self.manifest.files.items():
            is_rows = _ROWS.fullmatch(name) is not None
            if not is_rows and not _OBJECT.fullmatch(name):
                raise UnusableArchive(f"It holds {name!r}, which is neither rows nor a file of the tenant.")
            if is_rows is (said.rows is None):
                raise UnusableArchive(f"{name}: rows are counted, files are not.")

    def _check_sizes(self) -> None:
        files = self.manifest.files
        for name, said in files.items():
            if self._entries[name].file_size != said.bytes:
                raise UnusableArchive(f"{name} is not what the manifest says: it was changed after the export.")
        objects = [said.bytes for said in files.values() if said.rows is None]
        try:
            check_size(sum(objects), len(objects))
            check_size(sum(said.bytes for said in files.values() if said.rows is not None), 0)
        except Unexportable as error:
            raise UnusableArchive(
                f"It is larger than any export: {MOST_OBJECTS} files of {MOST_BYTES // 1024**2} MB at the most."
            ) from error


def _bounded(file: IO[bytes]) -> bytes:
    text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise UnusableArchive(f"Its {NAME} is too long.")
    return text


def _check_row(line: bytes, table: str, columns: frozenset[str]) -> None:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UnusableArchive(f"rows/{table}.ndjson has a line that is not JSON.") from error
    if not isinstance(row, dict) or row.keys() != columns:
        odd = sorted(row.keys() ^ columns)[0] if isinstance(row, dict) else "a line"
        raise UnusableArchive(
            f"rows/{table}.ndjson does not have the columns of the table here: {odd!r}."
            " Import it where the same migrations are applied as where it was made."
        )
