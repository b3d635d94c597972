"""What tests of Clerk's word may ask for."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from socialflow.identity import directory
from socialflow.platform.tenancy import Tenant

Look = Callable[..., Any]


@pytest.fixture
def linked(acme: Tenant, owner: psycopg.Connection) -> Tenant:
    """Acme, for which the organization `org_1` stands."""
    directory.link(owner, "org_1", acme.id)
    return acme


@pytest.fixture
def role(owner: psycopg.Connection) -> Look:
    """Tell somebody's role in a tenant, None where they do not belong."""

    def look(subject: str, slug: str = "acme") -> Any:
        found = owner.execute(
            "SELECT m.role FROM control.members m JOIN control.users u ON u.id = m.user_id"
            " JOIN control.tenants t ON t.id = m.tenant_id WHERE u.subject = %s AND t.slug = %s",
            (subject, slug),
        ).fetchone()
        return found[0] if found else None

    return look


@pytest.fixture
def person(owner: psycopg.Connection) -> Look:
    """Tell somebody's address, name and whether they are deleted."""

    def look(subject: str) -> Any:
        return owner.execute(
            "SELECT email, name, deleted_at IS NOT NULL FROM control.users WHERE subject = %s", (subject,)
        ).fetchone()

    return look
