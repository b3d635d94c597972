"""PostgreSQL: one connection for each thread and cell, qualified names only, one transaction for each event.

`search_path` is never set: it leaks through a pooled connection and fails open. A tenant's transaction enters the
tenant's role, so that a wrong schema name in a statement is refused by the database itself.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from socialflow.errors import NotFound, Unavailable
from socialflow.platform import doorbell, secrets
from socialflow.platform.acting import acting
from socialflow.platform.events import Fact
from socialflow.platform.ids import new_id
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings
from socialflow.platform.tenancy import Tenant

Connection = psycopg.Connection[tuple[Any, ...]]
Params = Mapping[str, Any] | Sequence[Any] | None
T = TypeVar("T")

CONTROL = "control"
_BEGIN = sql.SQL("BEGIN").format()
# Who acts is told with the transaction's first message: the audit costs no round trip, and outlives no transaction.
_ENTER = sql.SQL("BEGIN; SELECT cell.enter_tenant_role({schema}, {actor})")
_ACT = sql.SQL("BEGIN; SELECT {place}.act_as({actor})")
_ACT_ALWAYS = "SELECT set_config('socialflow.actor', %s, false)"
_open = threading.local()

_EMIT: LiteralString = """
WITH numbered AS (
    INSERT INTO cell.fact_seq AS f (tenant, aggregate_id, seq) VALUES (%(tenant)s, %(aggregate_id)s, 1)
    ON CONFLICT (tenant, aggregate_id) DO UPDATE SET seq = f.seq + 1 RETURNING seq)
INSERT INTO cell.outbox (id, tenant, type, aggregate, aggregate_id, seq, data, occurred_at)
SELECT %(id)s, %(tenant)s, %(type)s, %(aggregate)s, %(aggregate_id)s, seq, %(data)s, coalesce(%(occurred_at)s, now())
  FROM numbered
"""


class DatabaseDown(Unavailable):
    """The database does not answer, or not in time: a lost connection, a lock, a deadlock."""

    code, title = "database-down", "The database does not answer"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "The database did not answer in time. Repeat the request; with the same Idempotency-Key it is done once.",
            retry_after=2,
        )


class TenantGone(NotFound):
    """The tenant was deleted after the request had been let in."""

    code, title = "unknown-tenant", "No such tenant"


class Transaction:
    """A tenant's transaction: `{s}` in a statement stands for the tenant's schema."""

    def __init__(self, connection: Connection, tenant: Tenant) -> None:
        """Wrap an open transaction that has entered the tenant's role."""
        self.connection = connection
        self.tenant = tenant
        self.emitted = False

    def one(self, row: type[T], query: LiteralString, params: Params = None) -> T | None:
        """Return the first row as `row` (a dataclass), or None."""
        with self.connection.cursor(row_factory=_factory(row)) as cursor:
            return cursor.execute(self._qualified(query), params).fetchone()

    def all(self, row: type[T], query: LiteralString, params: Params = None) -> list[T]:
        """Return every row as `row` (a dataclass)."""
        with self.connection.cursor(row_factory=_factory(row)) as cursor:
            return cursor.execute(self._qualified(query), params).fetchall()

    def value(self, query: LiteralString, params: Params = None) -> Any:
        """Return the first column of the first row, or None."""
        found = self.connection.execute(self._qualified(query), params).fetchone()
        return found[0] if found else None

    def execute(self, query: LiteralString, params: Params = None) -> int:
        """Run a statement; return the number of its rows."""
        return self.connection.execute(self._qualified(query), params).rowcount

    def within(self, seconds: float) -> None:
        """Give every statement from here on so long, waiting for locks included; then it fails as `DatabaseDown`."""
        self.value("SELECT set_config('statement_timeout', %s, true)", (str(max(1, round(seconds * 1000))),))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what the block does where it raises, facts included, and nothing that was done before it."""
        emitted = self.emitted
        try:
            with self.connection.transaction():  # a savepoint, as one is open already
                yield
        except BaseException:
            self.emitted = emitted
            raise

    def emit(self, fact: Fact) -> None:
        """Write a fact to the outbox: it leaves if, and only if, this transaction commits."""
        put_fact(
            self.connection,
            id=new_id(),
            tenant=self.tenant.slug,
            type=fact.type,
            aggregate=fact.aggregate,
            aggregate_id=fact.subject_id,
            data=fact.data(),
        )
        self.emitted = True

    def _qualified(self, query: LiteralString) -> sql.Composed:
        return _compose(query, self.tenant.schema)


def put_fact(connection: Connection, *, data: Mapping[str, Any], occurred_at: Any = None, **fact: Any) -> None:
    """Write a fact to the outbox with its aggregate's next number."""
    connection.execute(_EMIT, {**fact, "data": Jsonb(dict(data)), "occurred_at": occurred_at})


@contextmanager
def transaction(tenant: Tenant) -> Iterator[Transaction]:
    """Open a tenant's transaction; commit at the end, roll back on any exception, then ring the relay's doorbell."""
    enter = _ENTER.format(schema=sql.Literal(tenant.schema), actor=sql.Literal(acting().told()))
    with _begun(tenant.cell, enter) as connection:
        tx = Transaction(connection, tenant)
        yield tx
    if tx.emitted:
        doorbell.ring(tenant.cell)


@contextmanager
def snapshot(tenant: Tenant) -> Iterator[Transaction]:
    """Open a transaction that only reads, and sees one moment from its beginning to its end."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT cell.enter_tenant_role({})"
    with _begun(tenant.cell, sql.SQL(begin).format(sql.Literal(tenant.schema))) as connection:
        yield Transaction(connection, tenant)


@contextmanager
def engine_room(cell: str = "cell-1") -> Iterator[Connection]:
    """Open a transaction on a cell as the application itself: outbox and work of every tenant, no tenant's schema."""
    with _begun(cell, _act("cell")) as connection:
        yield connection


def alone(cell: str, row: type[T], query: LiteralString, params: Params = None) -> T:
    """Run a statement on a cell as a transaction of its own, in one round trip; return its one row.

    On a connection that has died meanwhile it is run again: only for what may be.
    """
    kept = _connections().get(cell)
    if kept is not None:
        try:
            return _only(kept, row, query, params)
        except psycopg.OperationalError as error:
            if not kept.broken:
                raise DatabaseDown from error
            _abandon(cell, kept)
    fresh = _connections()[cell] = _connect()
    try:
        return _only(fresh, row, query, params)
    except psycopg.OperationalError as error:
        raise DatabaseDown from error


@contextmanager
def control() -> Iterator[Connection]:
    """Open a transaction on the registry of tenants and people."""
    with _begun(CONTROL, _act(CONTROL)) as connection:
        yield connection


@contextmanager
def direct(secret: str | None = None) -> Iterator[Connection]:
    """Open a connection of its own and close it: for what begins its transactions itself.

    `secret` is the ARN of another login than the function's usual one.
    """
    with _connect(secret) as connection:
        connection.execute(_ACT_ALWAYS, (acting().told(),))
        yield connection


def ping() -> bool:
    """Tell whether the database answers."""
    try:
        with _begun(CONTROL, _BEGIN) as connection:  # also of a database that is not migrated yet
            connection.execute("SELECT 1")
    except (Unavailable, psycopg.Error):
        return False
    return True


def forget() -> None:
    """Close this thread's connections: for tests, and after a restore from a snapshot."""
    for connection in _connections().values():
        connection.close()
    _connections().clear()


def _act(schema: str) -> sql.Composed:
    return _ACT.format(place=sql.Identifier(schema), actor=sql.Literal(acting().told()))


@contextmanager
def _begun(place: str, begin: sql.Composed) -> Iterator[Connection]:
    try:
        connection = _begin(place, begin)
    except psycopg.errors.InvalidSchemaName as error:
        raise TenantGone("The tenant has just been deleted. GET /v1/me lists yours.") from error
    try:
        yield connection
        connection.execute("COMMIT")
    except psycopg.OperationalError as error:
        _abandon(place, connection)
        raise DatabaseDown from error
    except BaseException:
        _abandon(place, connection)
        raise


def _begin(place: str, begin: sql.Composed) -> Connection:
    """Begin on the kept connection; where that one has died while the sandbox slept, on a new one."""
    kept = _connections().get(place)
    if kept is not None:
        if kept.info.transaction_status is not TransactionStatus.IDLE:
            raise RuntimeError(f"A transaction on {place} is open already: one event is one transaction")
        try:
            kept.execute(begin)
        except psycopg.OperationalError:
            _abandon(place, kept)
        except psycopg.Error:
            _abandon(place, kept)
            raise
        else:
            return kept
    fresh = _connections()[place] = _connect()
    try:
        fresh.execute(begin)
    except psycopg.OperationalError as error:
        _abandon(place, fresh)
        raise DatabaseDown from error
    except psycopg.Error:
        _abandon(place, fresh)
        raise
    return fresh


def _only(connection: Connection, row: type[T], query: LiteralString, params: Params) -> T:
    with connection.cursor(row_factory=_factory(row)) as cursor:
        found: T | None = cursor.execute(query, params).fetchone()
    assert found is not None
    return found


def _abandon(place: str, connection: Connection) -> None:
    """Roll back; a connection that cannot is closed and left."""
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        logger.warning("A database connection was lost")
        connection.close()
        _connections().pop(place, None)


def _connect(secret: str | None = None) -> Connection:
    arn = secret or DatabaseSettings.from_env().database_secret
    try:
        try:
            return _dial(secrets.document(arn))
        except psycopg.OperationalError:
            secrets.forget(arn)  # the password may have been rotated
            return _dial(secrets.document(arn))
    except psycopg.OperationalError as error:
        raise DatabaseDown from error


def _dial(where: Mapping[str, Any]) -> Connection:
    return psycopg.connect(
        host=where["host"],
        port=where["port"],
        dbname=where["dbname"],
        user=where["username"],
        password=where["password"],
        connect_timeout=5,
        application_name="socialflow",
        autocommit=True,
        prepare_threshold=None,  # DEALLOCATE pins a proxied connection
    )


def _connections() -> dict[str, Connection]:
    try:
        kept: dict[str, Connection] = _open.connections
    except AttributeError:
        kept = _open.connections = {}
    return kept


def _factory(row: type[T]) -> Any:
    return dict_row if row is dict else class_row(row)


@cache
def _compose(query: LiteralString, schema: str) -> sql.Composed:
    return sql.SQL(query).format(s=sql.Identifier(schema))
