"""Kill switches, as operators set them: while one is set no attempt begins that it is about. The claim itself looks.

`all` and a network's name are for everybody, `tenant` for one. A suspended tenant has one of its own (`all`): it stays.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.rows import dict_row

from socialflow.errors import FieldError, Invalid
from socialflow.platform import registry
from socialflow.platform.database import engine_room
from socialflow.platform.tenancy import Tenant
from socialflow.publishing.networks import supported

REASON_LENGTH = 500

_SET = """
INSERT INTO cell.switches AS s (tenant, scope, reason) VALUES (%s, %s, %s)
ON CONFLICT (tenant, scope) DO UPDATE SET reason = excluded.reason, set_at = now() WHERE s.reason <> excluded.reason
"""
_TAKE = "DELETE FROM cell.switches WHERE tenant = %s AND scope = %s"
_LISTED = "SELECT tenant, scope, reason, set_at FROM cell.switches ORDER BY tenant, scope LIMIT 1000"


class UnusableReason(Invalid):
    """Nobody is told why."""

    code, title = "unusable-reason", "Say why"


@dataclass(frozen=True)
class Switch:
    """What a switch is about: everything, one network, or one tenant."""

    tenant: str
    scope: str
    cells: tuple[str, ...]


def everything() -> Switch:
    """Return the switch of everything that goes out."""
    return Switch("", "all", tuple(registry.cells()))


def of_network(name: str) -> Switch:
    """Return the switch of one network, for all tenants; raises `UnknownNetwork`."""
    return Switch("", supported(name), tuple(registry.cells()))


def of_tenant(tenant: Tenant) -> Switch:
    """Return an operator's switch of one tenant."""
    return Switch(tenant.slug, "tenant", (tenant.cell,))


def stop(switch: Switch, *, reason: str) -> bool:
    """Set a switch in every cell that it is about; False where it was set before, for the same reason."""
    said = " ".join(reason.split())
    if not 1 <= len(said) <= REASON_LENGTH or not said.isprintable():
        detail = f"Say why, in 1 to {REASON_LENGTH} characters: whoever finds it set reads it."
        raise UnusableReason(detail, errors=[FieldError("/reason", "length", detail)])
    return _everywhere(switch, _SET, switch.tenant, switch.scope, said)


def go(switch: Switch) -> bool:
    """Take a switch away; what is due then goes out within minutes. False where it was not set."""
    return _everywhere(switch, _TAKE, switch.tenant, switch.scope)


def listed() -> list[dict[str, Any]]:
    """Return what is switched off now, in every cell."""
    found: list[dict[str, Any]] = []
    for cell in registry.cells():
        with engine_room(cell) as connection, connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            found += [{"cell": cell, **row} for row in cursor.execute(_LISTED).fetchall()]
    return found


def _everywhere(switch: Switch, statement: LiteralString, *values: str) -> bool:
    changed = 0
    for cell in switch.cells:
        with engine_room(cell) as connection:
            changed += connection.execute(statement, values).rowcount
    return changed > 0
