"""Writes an archive: rows as they were at one moment, then the files that they name, then the manifest."""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO
from uuid import UUID

from socialflow.exports import gateway, repository, rows
from socialflow.exports.manifest import FORMAT, NAME, NOTES, VERSION, File, Manifest, Of
from socialflow.exports.model import Unexportable, Written, check_size
from socialflow.platform.database import Transaction, snapshot
from socialflow.platform.tenancy import Tenant

_EPOCH = (1980, 1, 1, 0, 0, 0)

# What is only awaited has no file, and what is deleted none any more; a version that was never pinned is the newest.
_OBJECTS = """
SELECT object_key AS key, object_version AS version, coalesce(size, declared_size) AS size
  FROM {s}.media_items WHERE state NOT IN ('awaiting_upload', 'deleted')
 UNION ALL SELECT object_key, object_version, size FROM {s}.derivatives
 ORDER BY 1
"""


@dataclass(frozen=True)
class Wanted:
    """An object that belongs into the archive."""

    key: str
    version: str | None
    size: int


@dataclass
class Archive:
    """A ZIP that is being written, with what its manifest will say."""

    zip: zipfile.ZipFile
    files: dict[str, File] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, name: str, data: Iterable[bytes], *, packed: bool, rows: bool = False) -> None:
        """Write a file as its bytes come; `rows` counts its lines."""
        digest, size, count = hashlib.sha256(), 0, 0
        with self._entry(name, packed=packed) as entry:
            for chunk in data:
                entry.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                count += 1
        self.files[name] = File(sha256=digest.hexdigest(), bytes=size, rows=count if rows else None)

    def _entry(self, name: str, *, packed: bool) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        return self.zip.open(info, "w", force_zip64=True)


@dataclass(frozen=True)
class Order:
    """What is to be written, and where; `on` is told the percentage before each file, and may stop it by raising."""

    tenant: Tenant
    export_id: UUID
    key: str
    at: datetime
    on: Callable[[int], None]


def write(order: Order) -> Written:
    """Write the archive of a tenant; raises `Unexportable`. What was sent of a broken one is thrown away."""
    of = _of(order)
    with _upload(order.key) as upload, zipfile.ZipFile(upload, "w", allowZip64=True) as made:
        archive = Archive(made)
        with snapshot(order.tenant) as tx:
            wanted = _objects(tx)
            check_size(sum(one.size for one in wanted), len(wanted))
            rows.steady(tx)
            for table in rows.tables(tx):
                archive.add(table.file, rows.lines(tx, table), packed=True, rows=True)
        for number, one in enumerate(wanted):
            order.on(5 + 94 * number // len(wanted))
            _copy(archive, order.tenant, one)
        text = _manifest(order.tenant, of, archive).text()
        archive.add(NAME, [text], packed=True)
        made.close()
        version, sha256 = upload.complete()
    return Written(order.key, version, upload.size, sha256, hashlib.sha256(text).digest())


@contextmanager
def _upload(key: str) -> Iterator[gateway.Upload]:
    upload = gateway.Upload(key)
    try:
        yield upload
    except BaseException:
        upload.abort()
        raise


def _of(order: Order) -> Of:
    tenant = order.tenant
    return Of(
        export_id=order.export_id,
        tenant_id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        plan=tenant.plan,
        made_at=order.at,
        schema_version=repository.schema_version(tenant.id),
        members=repository.members(tenant.id),
    )


def _objects(tx: Transaction) -> list[Wanted]:
    return tx.all(Wanted, _OBJECTS)


def _copy(archive: Archive, tenant: Tenant, one: Wanted) -> None:
    prefix = f"tenants/{tenant.slug}/"
    if not one.key.startswith(prefix):
        raise Unexportable("foreign-object", "A row names a file outside of the tenant's own. Ask support.")
    name = one.key.removeprefix(prefix)
    with gateway.chunks(one.key, one.version) as data:
        if data is None:
            archive.missing.append(name)
        else:
            archive.add(f"objects/{name}", data, packed=False)


def _manifest(tenant: Tenant, of: Of, archive: Archive) -> Manifest:
    return Manifest(
        format=FORMAT,
        version=VERSION,
        of=of,
        settings=dict(tenant.settings),
        files=archive.files,
        missing=sorted(archive.missing),
        left_out=rows.LEFT_OUT,
        notes=list(NOTES),
    )
