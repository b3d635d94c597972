"""A deleted tenant is charged no more: its subscriptions end with what is paid for. One that is restored goes on.

Stripe is asked between transactions. What is about to be ended is noted before, so that a restored tenant gets it back
whatever was killed in the middle; and whether the tenant is deleted is looked at again afterwards.
"""

from collections.abc import Sequence
from uuid import UUID

from socialflow.billing import gateway, repository
from socialflow.billing.model import ENTITLED, Billing, BillingDown
from socialflow.billing.service import TRIES
from socialflow.platform.database import control


def to_settle() -> Sequence[UUID]:
    """Return the tenants with something to end, to take back or to forget.

    Deleted ones are looked at each day of their grace: on a page that was open, something may be bought meanwhile.
    """
    with control() as connection:
        return repository.to_settle(connection)


def settle(tenant_id: UUID) -> None:
    """Bring a tenant's subscriptions to what follows from its standing. Repeating it is safe; raises `BillingDown`."""
    if _present(tenant_id) is None:  # nothing was ever bought
        return
    with repository.alone(tenant_id):
        for _ in range(TRIES):
            found = _present(tenant_id)
            if found is None:
                return
            if found.tenant_status == "deleted":
                _end(found)
            else:
                _take_back(found)
            if _kept(found):
                return
    raise BillingDown("The tenant is deleted and restored all the time. It is looked at again tomorrow.")


def _end(billing: Billing) -> None:
    """End what renews with what is paid for, and at once what nothing is paid for."""
    going_on = [each for each in gateway.subscriptions(billing.customer) if each.renews]
    paid = [each.id for each in going_on if each.status in ENTITLED]
    with control() as connection:
        repository.note_ended(connection, billing.tenant_id, sorted({*billing.ended, *paid}))
    for each in going_on:
        gateway.end(each.id, at_once=each.id not in paid)


def _take_back(billing: Billing) -> None:
    """Let go on what was ended here and has not come to its end."""
    if billing.ended:
        for each in gateway.subscriptions(billing.customer):
            if each.id in billing.ended and not each.is_over:
                gateway.go_on(each.id)


def _kept(before: Billing) -> bool:
    """Note that it is settled; False where the tenant was deleted or restored meanwhile."""
    with control() as connection:
        present = repository.of_tenant(connection, before.tenant_id)
        if present is None:
            return True
        if (present.tenant_status == "deleted") != (before.tenant_status == "deleted"):
            return False
        if present.tenant_status == "deleted":
            repository.forget(connection, before.tenant_id)
        else:
            repository.note_ended(connection, before.tenant_id, [])
    return True


def _present(tenant_id: UUID) -> Billing | None:
    with control() as connection:
        return repository.of_tenant(connection, tenant_id)
