"""Migrations: plain versioned SQL, applied once each, in order, with a ledger of checksums in every schema.

A file `NNNN_verb_noun.sql` under `control`, `cell` or `tenant` is SQL in which `{s}` stands for the quoted schema. One
schema's migrations are one transaction: they are all there, or none is.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import psycopg
from psycopg import sql

from socialflow.platform.database import Connection

Scope = Literal["control", "cell", "tenant"]

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS {s};
CREATE TABLE IF NOT EXISTS {s}.schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
"""


class MigrationChanged(RuntimeError):
    """A migration that was applied is no longer the same file: restore it and write a new one."""


class MigrationFailed(RuntimeError):
    """PostgreSQL refused a step; nothing of it is left."""


@dataclass(frozen=True)
class Migration:
    """One file; `sha256` is of its text."""

    name: str
    text: str
    sha256: str


@cache
def migrations(scope: Scope) -> tuple[Migration, ...]:
    """Return a scope's migrations in the order of their numbers."""
    folder = files("socialflow") / "migrations" / scope
    texts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    return tuple(Migration(n, texts[n], hashlib.sha256(texts[n].encode()).hexdigest()) for n in sorted(texts))


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Hold a schema's steps together: all of them, or none and `MigrationFailed` with PostgreSQL's words."""
    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        raise MigrationFailed(f"{type(error).__name__}: {error}") from error


def migrate(connection: Connection, scope: Scope, schema: str) -> list[str]:
    """Bring one schema up to date in one transaction; return the names that were applied.

    A lock on the schema's name makes two migrators take turns. Waiting for a table is bounded, so that a migration
    never queues behind a long reader and everything else behind the migration.
    """
    name = sql.Identifier(schema)
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '2s'")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"migrate:{schema}",))
        connection.execute(sql.SQL(_LEDGER).format(s=name))
        ledger = sql.SQL("SELECT name, sha256 FROM {s}.schema_migrations").format(s=name)
        applied: dict[str, str] = dict(connection.execute(ledger).fetchall())
        return [one.name for one in migrations(scope) if _apply(connection, name, one, applied)]


def _apply(connection: Connection, name: sql.Identifier, one: Migration, applied: dict[str, str]) -> bool:
    if one.name in applied:
        if applied[one.name] != one.sha256:
            raise MigrationChanged(f"{one.name} was changed after it was applied")
        return False
    connection.execute(sql.SQL(one.text).format(s=name))
    connection.execute(
        sql.SQL("INSERT INTO {s}.schema_migrations (name, sha256) VALUES (%s, %s)").format(s=name),
        (one.name, one.sha256),
    )
    return True
