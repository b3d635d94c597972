"""Imports an archive into an empty tenant: checked as a whole first, files next, rows at last and all at once.

Until the one transaction of the rows commits, nothing of it is to be seen; files that were copied by then lie where
nothing refers to them, and are written again by the next try.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from socialflow.exports import gateway, rows
from socialflow.exports.model import EXPORTS, TenantNotEmpty, UnusableArchive
from socialflow.exports.reading import Archive
from socialflow.exports.rows import Table
from socialflow.platform import work
from socialflow.platform.database import Connection, Transaction
from socialflow.platform.tenancy import Tenant

_MISSING = "missing"
"""The version of a derivative whose file was gone before the export: nothing is found under it."""
_SECRET = "secret"  # noqa: S105 # a column
_KEY = re.compile(rf"{EXPORTS}[!-~]{{1,500}}")
_HOLDERS = ("media_items", "derivatives")
_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

_LOCK = "SELECT id FROM control.tenants WHERE id = %s FOR UPDATE"
_SETTINGS = "UPDATE control.tenants SET settings = %s WHERE id = %s"
_UNFINISHED = "SELECT id FROM {s}.media_items WHERE state IN ('processing', 'in_review') ORDER BY id"
_USAGE = """
INSERT INTO cell.usage (tenant, meter, period, used)
SELECT %(tenant)s, 'storage_bytes', 'standing', coalesce(sum(declared_size), 0)
  FROM {s}.media_items WHERE state NOT IN ('awaiting_upload', 'refused', 'deleted')
ON CONFLICT (tenant, meter, period) DO UPDATE SET used = excluded.used
"""


@dataclass(frozen=True)
class Imported:
    """What came in."""

    rows: int
    objects: int


@dataclass(frozen=True)
class _Unfinished:
    id: UUID


def bring_in(connection: Connection, key: str, tenant: Tenant, *, at: datetime) -> Imported:
    """Import the archive under a key into an empty tenant, as the owner of the database.

    Raises `UnusableArchive` and `TenantNotEmpty`; then nothing of it is to be seen.
    """
    with _opened(key) as file:
        archive = Archive(file)
        with connection.transaction():
            tables = _known(Transaction(connection, tenant), archive)
        archive.check_hashes({table.name: table.told for table in tables})
        _check_objects(archive)
        copied = {each: _copy(archive, tenant, each) for each in archive.objects()}
        with connection.transaction():
            tx = Transaction(connection, tenant)
            count = _write(tx, archive, copied, at=at)
    return Imported(count, len(copied))


def _opened(key: object) -> BinaryIO:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise UnusableArchive(f"Name an archive by its key in the media bucket; it begins with {EXPORTS}.")
    try:
        return cast("BinaryIO", gateway.Stored(key))
    except FileNotFoundError:
        raise UnusableArchive(f"There is no archive {key!r} in the media bucket.") from None


def _known(tx: Transaction, archive: Archive) -> list[Table]:
    """Return the tenant's tables, which are the archive's and empty."""
    tx.connection.execute(_LOCK, (tx.tenant.id,))
    tables = rows.tables(tx)
    odd = {table.name for table in tables} ^ set(archive.tables())
    if odd:
        raise UnusableArchive(
            f"The archive's tables are not those of the tenant: {sorted(odd)[0]!r} is in one of them only."
            " Import it where the same migrations are applied as where it was made."
        )
    for table in tables:
        if rows.count(tx, table):
            raise TenantNotEmpty(
                f"The tenant {tx.tenant.slug!r} has {table.name.replace('_', ' ')}. Make a new tenant to import into.",
                table=table.name,
            )
    return tables


def _check_objects(archive: Archive) -> None:
    """Refuse rows that name a file which is neither there nor said to be missing, and files that no row names."""
    known = {*archive.objects(), *archive.manifest.missing}
    named = set[str]()
    for table in _HOLDERS:
        with archive.lines(table) as lines:
            for line in lines:
                row = archive.row(line)
                media_id = row["id" if table == "media_items" else "media_id"]
                key = row["object_key"]
                if not isinstance(key, str) or not key.startswith(f"media/{media_id}/"):
                    raise UnusableArchive(f"A row of {table} names a file that is not its own: {key!r}.")
                if key not in known and row.get("state") not in ("awaiting_upload", "deleted"):
                    raise UnusableArchive(f"A row of {table} names {key!r}, which is not in the archive.")
                named.add(key)
    if known - named:
        raise UnusableArchive(f"No row names {sorted(known - named)[0]!r}.")


def _copy(archive: Archive, tenant: Tenant, key: str) -> str:
    with tempfile.TemporaryFile() as file:
        archive.copy(key, file)
        content_type = _TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        return gateway.put(f"tenants/{tenant.slug}/{key}", file, content_type)


def _write(tx: Transaction, archive: Archive, copied: Mapping[str, str], *, at: datetime) -> int:
    rows.steady(tx)
    tables = _known(tx, archive)
    count = 0
    try:
        for table in tables:
            rows.triggers(tx, table, on=False)
            with archive.lines(table.name) as lines:
                count += rows.insert(tx, table, _filled(tx.tenant, archive, table, lines, copied))
            rows.triggers(tx, table, on=True)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise UnusableArchive(f"PostgreSQL refuses a row: {error.diag.message_primary}.") from error
    _check_written(tx, archive, tables)
    tx.connection.execute(_SETTINGS, (Jsonb(archive.manifest.settings), tx.tenant.id))
    tx.execute(_USAGE, {"tenant": tx.tenant.slug})
    for one in tx.all(_Unfinished, _UNFINISHED):
        work.schedule(tx, "ingest", one.id, wake_at=at)
    return count


def _filled(
    tenant: Tenant, archive: Archive, table: Table, lines: Iterator[bytes], copied: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield each row with what an archive has not: where its file is here, and a secret that opens nothing."""
    for line in lines:
        added: dict[str, Any] = {}
        if table.name in _HOLDERS:
            key = archive.row(line)["object_key"]
            added["object_key"] = f"tenants/{tenant.slug}/{key}"
            added["object_version"] = copied.get(key, _MISSING if table.name == "derivatives" else None)
        elif table.name == "social_accounts":
            added[_SECRET] = "\\x"  # no bytes: as of an account that was disconnected
        yield line.decode(), json.dumps(added)


def _check_written(tx: Transaction, archive: Archive, tables: list[Table]) -> None:
    """Write the rows out again: they must be, byte for byte, what came in."""
    for table in tables:
        digest = hashlib.sha256()
        for line in rows.lines(tx, table):
            digest.update(line)
        if digest.hexdigest() != archive.manifest.files[table.file].sha256:
            raise UnusableArchive(
                f"The rows of {table.name} would not come out as they came in: the archive was not made by an export."
            )
