"""The routes of the API's document, as the tests of access walk them: a new one is walked without being named."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from infra_cdk import openapi

DOCUMENT = openapi.document()
# What changes with being asked, whoever asks: when a key was last used, how often somebody asked.
NOT_COUNTED = {"control.api_keys": "last_used_at", "cell.rate_limit": "*"}


@dataclass(frozen=True)
class Route:
    """A route with what the document says of it."""

    method: str
    template: str
    operation: Mapping[str, Any]

    @property
    def permission(self) -> str | None:
        """The permission that it asks for."""
        found: str | None = self.operation.get("x-permission")
        return found

    @property
    def public(self) -> bool:
        """Whether it asks for nobody."""
        return self.operation.get("security") == []

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its body."""
        content = self.operation.get("requestBody", {}).get("content", {})
        found: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return found

    @property
    def takes_csv(self) -> bool:
        """Whether its body is a file of rows."""
        return "text/csv" in self.operation.get("requestBody", {}).get("content", {})

    def path(self, part: str | None = None) -> str:
        """The template with `part`, or else with ids that nothing has."""
        return re.sub(r"\{\w+\}", lambda _: part or str(uuid4()), self.template)

    def __str__(self) -> str:
        """Its name in the list of tests."""
        return f"{self.method} {self.template}"


def routes() -> Iterator[Route]:
    """Yield every route of the document."""
    for template, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield Route(method.upper(), template, operation)


ROUTES = list(routes())


def digest(owner: psycopg.Connection, *schemas: str) -> dict[str, str]:
    """Return a digest of every row of these schemas, by table."""
    tables = owner.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2", (list(schemas),)
    ).fetchall()
    queries = [_digest(*table) for table in tables if NOT_COUNTED.get(".".join(table)) != "*"]
    return dict(owner.execute(sql.SQL(" UNION ALL ").join(queries)).fetchall())


def _digest(schema: str, table: str) -> sql.Composed:
    return sql.SQL(
        "SELECT {name}, count(*) || coalesce(md5(string_agg(x.t, '' ORDER BY x.t)), '')"
        " FROM (SELECT (to_jsonb(r) - {left_out})::text AS t FROM {table} r) x"
    ).format(
        name=f"{schema}.{table}",
        left_out=sql.Literal(NOT_COUNTED.get(f"{schema}.{table}", "")),
        table=sql.Identifier(schema, table),
    )
