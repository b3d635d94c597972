"""Verifies the audit's chains: each row's hash is computed anew, outside the database. Invoked by operators.

It reads as the application, in short transactions. Keep its answer's heads elsewhere and send one as `anchor` later:
a chain that somebody has written anew as a whole, hashes and head included, no longer contains it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg

from socialflow.audit import repository, service
from socialflow.audit.model import Anchor
from socialflow.audit.repository import Ledger
from socialflow.audit.service import BATCH, Verdict
from socialflow.errors import Refusal
from socialflow.platform import registry
from socialflow.platform.database import control, engine_room, transaction
from socialflow.platform.observability import logger
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings
from socialflow.platform.tenancy import Tenant

NEEDS = (DatabaseSettings,)

Opened = Callable[[], AbstractContextManager[Ledger]]


@operation(*NEEDS, anonymous=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{tenant?, anchor?: {chain: {seq, hash}}}`; without a tenant, everybody's chains are walked.

    Returns `{outcome: intact | broken, rows, first_bad, bad, heads}`; of `first_bad` {tenant, chain, seq, reason}.
    """
    anchors = {name: Anchor(told["seq"], bytes.fromhex(told["hash"])) for name, told in event.get("anchor", {}).items()}
    rows, bad, heads = 0, [], {}
    for name, opened in _chains(event.get("tenant")):
        verdict = _walked(opened, anchors.get(name))
        if verdict is None:
            bad.append({"chain": name, "seq": 0, "reason": "unreadable"})
            continue
        rows += verdict.rows
        if verdict.head:
            heads[name] = {"seq": verdict.head.seq, "hash": verdict.head.hash.hex()}
        if verdict.finding:
            bad.append({"chain": name, "seq": verdict.finding.seq, "reason": verdict.finding.reason})
    if bad:
        logger.error("The audit is not as it was written", bad=bad)
    return {
        "outcome": "broken" if bad else "intact",
        "rows": rows,
        "first_bad": bad[0] if bad else None,
        "bad": bad,
        "heads": heads,
    }


def _chains(slug: str | None) -> Iterator[tuple[str, Opened]]:
    """Yield each chain by the name of its tenant's schema, as the registry's of a tenant's id, or as a cell's."""
    if slug is not None:
        tenant = registry.named(slug)
        yield f"control/{tenant.id}", _of_registry(str(tenant.id))
        yield f"{tenant.cell}/{slug}", _of_cell(tenant.cell, slug)
        yield tenant.schema, _of_tenant(slug)
        return
    with control() as connection:
        names, slugs = repository.chains(connection), repository.slugs(connection)
    for name in names:
        yield f"control/{name}", _of_registry(name)
    for cell in registry.cells():
        with engine_room(cell) as connection:
            names = repository.chains(connection, repository.CELL)
        for name in names:
            yield f"{cell}/{name}", _of_cell(cell, name)
    for each in slugs:
        yield f"t_{each}", _of_tenant(each)


def _of_registry(chain: str) -> Opened:
    @contextmanager
    def opened() -> Iterator[Ledger]:
        with control() as connection:
            yield repository.of_registry(connection, chain)

    return opened


def _of_cell(cell: str, chain: str) -> Opened:
    @contextmanager
    def opened() -> Iterator[Ledger]:
        with engine_room(cell) as connection:
            yield repository.of_cell(connection, chain)

    return opened


def _of_tenant(slug: str) -> Opened:
    tenant: list[Tenant] = []

    @contextmanager
    def opened() -> Iterator[Ledger]:
        if not tenant:
            tenant.append(registry.named(slug))
        with transaction(tenant[0]) as tx:
            yield repository.workspace(tx)

    return opened


def _walked(opened: Opened, anchor: Anchor | None) -> Verdict | None:
    """Return what a walk has found; None where the chain cannot be read, which stops no other."""

    def read(after: int, until: int) -> Any:
        with opened() as ledger:
            return repository.walk(ledger, after=after, until=until, limit=BATCH)

    try:
        with opened() as ledger:
            begun = service.head(ledger)
        return service.verify(begun, read, anchor)
    except (Refusal, psycopg.Error):
        logger.exception("A chain of the audit cannot be read")
        return None
