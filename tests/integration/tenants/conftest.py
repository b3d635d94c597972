"""What tests of tenants and teams may ask for."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar

import psycopg
import pytest

from socialflow.platform import announcing, database
from tests.api import Client, Issuer

T = TypeVar("T")


@dataclass(frozen=True)
class Registry:
    """A look into the database, as its owner."""

    owner: psycopg.Connection

    def value(self, query: str, *params: object) -> Any:
        """Return the first column of the first row."""
        row = self.owner.execute(query, params).fetchone()
        return row[0] if row else None

    def column(self, query: str, *params: object) -> list[Any]:
        """Return the first column."""
        return [row[0] for row in self.owner.execute(query, params)]

    def facts(self) -> list[tuple[str, str]]:
        """Return tenant and type of what the registry has to tell, after the relay has carried it over."""
        announcing.carry("cell-1")
        rows = self.owner.execute("SELECT tenant, type FROM cell.outbox ORDER BY position").fetchall()
        return [(row[0], row[1]) for row in rows]

    def said(self) -> str:
        """Return every fact, as text."""
        announcing.carry("cell-1")
        return str(self.owner.execute("SELECT o::text FROM cell.outbox o").fetchall())


@pytest.fixture
def registry(clean: None, owner: psycopg.Connection) -> Registry:
    """A look into the database."""
    return Registry(owner)


@pytest.fixture
def person(issuer: Issuer, clean: None) -> Callable[..., Client]:
    """Make a client for somebody who signs in: `person("anna")`."""

    def make(name: str, tenant: str = "") -> Client:
        token = issuer.token(name, email=f"{name}@people.test", name=name.title())
        return Client({"authorization": f"Bearer {token}"} | ({"x-tenant-id": tenant} if tenant else {}))

    return make


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls at the same moment, each in a thread with connections of its own."""
    barrier = Barrier(len(calls))

    def one(call: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return call()
        finally:
            database.forget()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))
