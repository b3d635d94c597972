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
LOCK_TIMEOUT = "2s"

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS {s};
CREATE TABLE IF NOT EXISTS {s}.schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
"""
_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class MigrationChanged(RuntimeError):
    """A migration that was applied is no longer the same file: restore it and write a new one."""


class MigrationFailed(RuntimeError):
    """PostgreSQL refused a step; nothing of it is left."""


class SchemaBusy(MigrationFailed):
    """Somebody holds what the step needs; nothing of it is left, and it may be tried again."""


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
    """Hold a schema's steps together: all of them, or none and `MigrationFailed` with PostgreSQL's words.

    A lock that is not given in time is `SchemaBusy`. A connection that is lost stays psycopg's own error: it says
    nothing about the schema.
    """
    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        if connection.broken:
            raise
        raise (SchemaBusy if isinstance(error, _BUSY) else MigrationFailed)(_words(error)) from error


def hold(connection: Connection, schema: str, *, patience: str | None = None) -> None:
    """Until the transaction ends, be the only one who makes, migrates, renames or drops this schema."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (patience or LOCK_TIMEOUT,))
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"migrate:{schema}",))


def migrate(connection: Connection, scope: Scope, schema: str) -> list[str]:
    """Bring one schema up to date in one transaction; return the names that were applied.

    A lock on the schema's name makes two migrators take turns. Waiting for a table is bounded, so that a migration
    never queues behind a long reader and everything else behind the migration.
    """
    name = sql.Identifier(schema)
    with connection.transaction():
        hold(connection, schema)
        connection.execute(sql.SQL(_LEDGER).format(s=name))
        ledger = sql.SQL("SELECT name, sha256 FROM {s}.schema_migrations").format(s=name)
        applied: dict[str, str] = dict(connection.execute(ledger).fetchall())
        return [one.name for one in migrations(scope) if _apply(connection, name, one, applied)]


def _apply(connection: Connection, name: sql.Identifier, one: Migration, applied: dict[str, str]) -> bool:
    if one.name in applied:
        if applied[one.name] != one.sha256:
            raise MigrationChanged(f"{one.name} was changed after it was applied")
        return False
    try:
        connection.execute(sql.SQL(one.text).format(s=name))
    except psycopg.Error as error:
        error.add_note(one.name)
        raise
    connection.execute(
        sql.SQL("INSERT INTO {s}.schema_migrations (name, sha256) VALUES (%s, %s)").format(s=name),
        (one.name, one.sha256),
    )
    return True


def _words(error: psycopg.Error) -> str:
    """Return which migration failed and how, without PostgreSQL's details: they quote rows."""
    where = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    return f"{where}{type(error).__name__}: {error.diag.message_primary or error}"
