"""Billing in the registry."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from socialflow.billing.model import UNPAID, Billing, BillingDown, Standing
from socialflow.platform.database import Connection, direct
from socialflow.platform.tenancy import Tenant

_ONE = """
SELECT b.tenant_id, t.slug, t.status AS tenant_status, t.plan, b.customer, b.version, b.subscription, b.status,
       b.granted, b.period_end, b.cancels_at, b.unpaid_since, b.ended
  FROM control.billing b JOIN control.tenants t ON t.id = b.tenant_id
"""
_OF_TENANT = _ONE + " WHERE b.tenant_id = %(tenant)s"
_OF_CUSTOMER = _ONE + " WHERE b.customer = %(customer)s"
_ADD = """
INSERT INTO control.billing (tenant_id, customer) VALUES (%(tenant)s, %(customer)s)
ON CONFLICT (tenant_id) DO NOTHING
"""
_APPLY = """
UPDATE control.billing
   SET subscription = %(subscription)s, status = %(status)s, granted = %(plan)s, period_end = %(period_end)s,
       cancels_at = %(cancels_at)s, read_at = %(at)s, version = version + 1,
       unpaid_since = CASE WHEN %(status)s = %(unpaid)s THEN coalesce(unpaid_since, %(at)s) END
 WHERE tenant_id = %(tenant)s AND version = %(version)s
"""
_TENANT = "SELECT id, slug, name, status, plan, settings, cell FROM control.tenants WHERE id = %(tenant)s"
# In any order: whom one day has no time for, another has.
_TO_SETTLE = """
SELECT b.tenant_id FROM control.billing b JOIN control.tenants t ON t.id = b.tenant_id
 WHERE t.status = 'deleted' OR b.ended <> '{}' ORDER BY random()
"""
_ENDED = "UPDATE control.billing SET ended = %(ended)s WHERE tenant_id = %(tenant)s AND ended <> %(ended)s"
_ALONE = """
SELECT set_config('lock_timeout', '30s', false), pg_advisory_lock(hashtextextended(%s, 0))
"""
_TAKEN = "SELECT 1 FROM control.webhook_receipts WHERE source = 'stripe' AND id = %(id)s"


def of_tenant(connection: Connection, tenant_id: UUID) -> Billing | None:
    """Return a tenant's billing."""
    with connection.cursor(row_factory=class_row(Billing)) as cursor:
        return cursor.execute(_OF_TENANT, {"tenant": tenant_id}).fetchone()


def of_customer(connection: Connection, customer: str) -> Billing | None:
    """Return whose customer it is."""
    with connection.cursor(row_factory=class_row(Billing)) as cursor:
        return cursor.execute(_OF_CUSTOMER, {"customer": customer}).fetchone()


def add(connection: Connection, tenant_id: UUID, customer: str) -> None:
    """Note a tenant's customer, unless it has one."""
    connection.execute(_ADD, {"tenant": tenant_id, "customer": customer})


def apply(connection: Connection, billing: Billing, found: Standing, *, at: datetime) -> bool:
    """Keep what Stripe said; False where somebody has kept something since `billing` was read."""
    row = asdict(found) | {"tenant": billing.tenant_id, "version": billing.version, "at": at, "unpaid": UNPAID}
    return connection.execute(_APPLY, row).rowcount == 1


def change_plan(connection: Connection, tenant_id: UUID, present: str, wanted: str) -> bool:
    """Give a tenant another plan; False where its plan is not `present`."""
    row = connection.execute("SELECT control.change_plan(%s, %s, %s)", (tenant_id, present, wanted)).fetchone()
    return bool(row and row[0])


def tenant(connection: Connection, tenant_id: UUID) -> Tenant:
    """Return a tenant, also one that is deleted."""
    with connection.cursor(row_factory=class_row(Tenant)) as cursor:
        found = cursor.execute(_TENANT, {"tenant": tenant_id}).fetchone()
    assert found is not None  # its billing refers to it
    return found


def is_taken(connection: Connection, message: str) -> bool:
    """Tell whether a message was taken before."""
    return connection.execute(_TAKEN, {"id": message}).fetchone() is not None


def to_settle(connection: Connection) -> list[UUID]:
    """Return the tenants that are deleted, purged ones included, and those for which something is to be taken back."""
    return [tenant_id for (tenant_id,) in connection.execute(_TO_SETTLE).fetchall()]


@contextmanager
def alone(tenant_id: UUID) -> Iterator[None]:
    """Be the only one who settles a tenant, on a connection of its own that has no transaction open."""
    with direct() as connection:
        try:
            connection.execute(_ALONE, (f"settle:{tenant_id}",))
        except psycopg.errors.LockNotAvailable:
            raise BillingDown("Somebody else is settling this tenant.", retry_after=60) from None
        yield


def note_ended(connection: Connection, tenant_id: UUID, subscriptions: Sequence[str]) -> None:
    """Keep which subscriptions are ended because the tenant is deleted."""
    connection.execute(_ENDED, {"tenant": tenant_id, "ended": list(subscriptions)})


def forget(connection: Connection, tenant_id: UUID) -> None:
    """Forget the customer of a tenant that is purged; of any other nothing."""
    connection.execute("SELECT control.forget_billing(%s)", (tenant_id,))
