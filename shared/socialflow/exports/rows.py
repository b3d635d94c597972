"""A tenant's rows as lines of JSON, and back. PostgreSQL writes and reads the lines: every type returns as it was.

Tables are found in the catalogue, so that a new one is exported without a word here. What must not leave or come in as
it stands is changed while it is written (`FORMS`): an archive holds what an import of it will hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, LiteralString

from psycopg import sql

from socialflow.platform.database import Transaction

LEFT_OUT = {
    "schema_migrations": "Which migrations the schema has; the importing tenant has its own.",
    "ai_keys": "Keys are sealed for their tenant and this place; they are set again.",
    "late_keys": "A key is sealed for its tenant and this place; it is set again.",
    "routes": "By which way a network is reached is chosen again, with the accounts.",
    "vectors": "They are made again, in whatever space the importing tenant has.",
    "account_connections": "Sign-ins of some minutes; their secrets are sealed for this place.",
    "renditions": "What is cut for networks is made again when it is asked for.",
}
"""Tables that are not exported, each with the reason."""
_BATCH = 500

_TABLES = """
SELECT c.relname,
       array(SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              ORDER BY a.attnum),
       array(SELECT a.attname FROM pg_index i JOIN unnest(i.indkey) WITH ORDINALITY k (num, n) ON true
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
              WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.n),
       array(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attcollation <> 0 AND a.attnum > 0),
       array(SELECT f.confrelid::regclass::oid::bigint FROM pg_constraint f
              WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid),
       c.oid::bigint
  FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY c.relname
"""

_PLANNED = "('scheduled', 'preparing', 'prepared')"
_BEGUN = "('attempting', 'published', 'unconfirmed')"
_OTHERS_BEGUN: LiteralString = (
    "EXISTS (SELECT FROM {s}.targets o WHERE o.post_id = r.post_id AND o.state IN " + _BEGUN + ")"
)
_AT_REST: LiteralString = (
    "jsonb_build_object('run', 0, 'tries', 0, 'next_at', NULL, 'lease', NULL, 'request', NULL, 'hold', false)"
)
_TARGET: LiteralString = (
    "CASE WHEN r.state = 'attempting' THEN jsonb_build_object('state', 'unconfirmed') || "
    + _AT_REST
    + " WHEN r.state IN "
    + _PLANNED
    + " THEN "
    + _AT_REST
    + """ || jsonb_build_object('due_at', NULL, 'prepared', NULL, 'prepared_hash', NULL, 'approved_hash', NULL,
               'state', CASE WHEN """
    + _OTHERS_BEGUN
    + " THEN 'cancelled' ELSE 'scheduled' END) ELSE "
    + _AT_REST
    + " END"
)
_POST: LiteralString = """
CASE WHEN NOT EXISTS (SELECT FROM {s}.targets o WHERE o.post_id = r.id AND o.state IN
                      ('scheduled', 'preparing', 'prepared', 'attempting')) THEN '{{}}'::jsonb
     WHEN EXISTS (SELECT FROM {s}.targets o WHERE o.post_id = r.id AND o.state IN ('attempting', 'unconfirmed'))
     THEN jsonb_build_object('state', 'unconfirmed')
     WHEN EXISTS (SELECT FROM {s}.targets o WHERE o.post_id = r.id AND o.state = 'published')
     THEN jsonb_build_object('state', 'partial')
     ELSE jsonb_build_object('state', 'draft', 'due_at', NULL, 'due_local', NULL, 'due_zone', NULL, 'slot', NULL,
                             'approved_hash', NULL, 'approved_by', NULL, 'approved_at', NULL) END
"""
_RELATIVE: LiteralString = "jsonb_build_object('object_key', regexp_replace(r.object_key, '^tenants/[^/]+/', ''))"


@dataclass(frozen=True)
class Form:
    """How a table's rows stand in an archive: columns that are left out, and values that are others there."""

    without: tuple[str, ...] = ()
    changed: LiteralString = "'{{}}'::jsonb"


FORMS: Mapping[str, Form] = {
    # The kind follows from the type; an upload in parts is one of this bucket's.
    "media_items": Form(("object_version", "inspections", "kind", "upload_id", "part_size"), _RELATIVE),
    "derivatives": Form(("object_version",), _RELATIVE),
    "social_accounts": Form(
        ("secret", "look_at", "revoke_until"), "jsonb_build_object('state', 'disconnected', 'late_account', NULL)"
    ),
    "posts": Form(changed=_POST),
    "targets": Form(changed=_TARGET),
    "attempts": Form(changed="jsonb_build_object('outcome', coalesce(r.outcome, 'unconfirmed'))"),
}


@dataclass(frozen=True)
class Table:
    """A table of a tenant's schema, as the catalogue has it."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    texts: frozenset[str] = field(default_factory=frozenset)

    @property
    def form(self) -> Form:
        """How its rows stand in an archive."""
        return FORMS.get(self.name, Form())

    @property
    def file(self) -> str:
        """Its file in an archive."""
        return f"rows/{self.name}.ndjson"

    @property
    def told(self) -> frozenset[str]:
        """The columns that stand in an archive."""
        return frozenset(self.columns) - set(self.form.without)


def steady(tx: Transaction) -> None:
    """Make PostgreSQL write times and bytes in one way, whatever the server's settings are."""
    tx.connection.execute(
        "SELECT set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true),"
        " set_config('extra_float_digits', '1', true)"
    )


def tables(tx: Transaction) -> list[Table]:
    """Return the tables that are exported, each after those that it refers to; raises where one has no primary key."""
    found: dict[int, Table] = {}
    order = TopologicalSorter[int]()
    name = sql.Identifier(tx.tenant.schema).as_string(None)
    for table, columns, key, texts, refers, oid in tx.connection.execute(_TABLES, (name,)).fetchall():
        if table in LEFT_OUT:
            continue
        if not key:
            raise LookupError(f"{table} has no primary key: its rows have no order")
        found[oid] = Table(table, tuple(columns), tuple(key), frozenset(texts))
        order.add(oid, *sorted(refers))
    return [found[oid] for oid in order.static_order() if oid in found]


def lines(tx: Transaction, table: Table) -> Iterator[bytes]:
    """Yield a table's rows in the order of its primary key, each as one line of JSON as `jsonb` writes it."""
    order = sql.SQL(", ").join(
        sql.SQL('r.{} COLLATE "C"' if column in table.texts else "r.{}").format(sql.Identifier(column))
        for column in table.key
    )
    query = sql.SQL("SELECT ((to_jsonb(r) - {without}::text[]) || {changed})::text FROM {s}.{table} r ORDER BY {order}")
    names = {"s": sql.Identifier(tx.tenant.schema)}
    composed = query.format(
        without=sql.Literal(list(table.form.without)),
        changed=sql.SQL(table.form.changed).format(**names),
        table=sql.Identifier(table.name),
        order=order,
        **names,
    )
    with tx.connection.cursor(name="export_rows") as cursor:
        cursor.itersize = _BATCH
        for (line,) in cursor.execute(composed):
            yield line.encode() + b"\n"


def insert(tx: Transaction, table: Table, given: Iterable[tuple[str, str]]) -> int:
    """Insert rows, each a line of an archive and a JSON object of what is added to it; return how many."""
    columns = sql.SQL(", ").join(map(sql.Identifier, sorted({*table.told, *_ADDED.get(table.name, ())})))
    place = sql.Identifier(tx.tenant.schema, table.name)
    query = sql.SQL(
        "INSERT INTO {place} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM jsonb_populate_record(NULL::{place}, %s::jsonb || %s::jsonb)"
    ).format(place=place, columns=columns)
    done = 0
    with tx.connection.cursor() as cursor:
        batch: list[tuple[str, str]] = []
        for one in given:
            batch.append(one)
            if len(batch) == _BATCH:
                cursor.executemany(query, batch)
                done += len(batch)
                batch = []
        if batch:
            cursor.executemany(query, batch)
    return done + len(batch)


_ADDED: Mapping[str, tuple[str, ...]] = {
    "media_items": ("object_version",),
    "derivatives": ("object_version",),
    "social_accounts": ("secret",),
}


def count(tx: Transaction, table: Table) -> int:
    """Return how many rows a table has."""
    return int(_value(tx, "SELECT count(*) FROM {place}", table))


def triggers(tx: Transaction, table: Table, *, on: bool) -> None:
    """Switch a table's own triggers: what is imported is history and happens to nobody; foreign keys hold on."""
    word = "ENABLE" if on else "DISABLE"
    place = sql.Identifier(tx.tenant.schema, table.name)
    tx.connection.execute(sql.SQL("ALTER TABLE {} " + word + " TRIGGER USER").format(place))


def _value(tx: Transaction, query: LiteralString, table: Table) -> Any:
    place = sql.Identifier(tx.tenant.schema, table.name)
    row = tx.connection.execute(sql.SQL(query).format(place=place)).fetchone()
    assert row is not None
    return row[0]
