"""Tenants in the registry, and the schema and role of each. These statements run as the owner of the database."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from socialflow.platform.ids import new_id
from socialflow.tenants.model import FirstMember

_REGISTER = """
INSERT INTO control.tenants AS t (id, slug, name, settings) VALUES (%s, %s, %s, %s)
ON CONFLICT (slug) DO UPDATE SET name = t.name RETURNING t.id
"""
_USER = """
INSERT INTO control.users AS u (id, issuer, subject, email, name) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (issuer, subject) DO UPDATE SET email = excluded.email RETURNING u.id
"""
_MEMBER = """
INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, %s)
ON CONFLICT (tenant_id, user_id) DO NOTHING
"""
_VERSION = "UPDATE control.tenants SET schema_version = %s WHERE slug = %s"
_PLAN = "UPDATE control.tenants SET plan = %s WHERE slug = %s"
_STANDING = "SELECT schema_version FROM control.tenants WHERE slug = %s"
_TARGET = "SELECT version FROM control.schema_target FOR SHARE"

# The application may become a tenant's role, and has none of its rights before it does. Granting a role locks it until
# the commit, and every tenant's transaction would wait for sf_tenant: what is granted already is left alone.
_BELONGS = """
SELECT EXISTS (SELECT FROM pg_auth_members WHERE roleid = 'sf_tenant'::regrole AND member = %(role)s::regrole)
   AND EXISTS (SELECT FROM pg_auth_members WHERE roleid = %(role)s::regrole AND member = 'sf_app'::regrole
                  AND set_option AND NOT inherit_option)
"""
_BELONG = """
GRANT sf_tenant TO {role};
GRANT {role} TO sf_app WITH INHERIT FALSE, SET TRUE;
"""
RIGHTS: LiteralString = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
REVOKE ALL ON {schema}.schema_migrations FROM {role};
REVOKE INSERT, UPDATE, DELETE ON {schema}.audit_log, {schema}.audit_head FROM {role};
"""


def register(connection: psycopg.Connection, slug: str, name: str, settings: Mapping[str, Any]) -> UUID:
    """Insert the tenant, or find it; return its id. The row stays locked until the commit."""
    row = connection.execute(_REGISTER, (new_id(), slug, name, Jsonb(dict(settings)))).fetchone()
    assert row is not None
    tenant_id: UUID = row[0]
    return tenant_id


def add_member(connection: psycopg.Connection, tenant_id: UUID, member: FirstMember) -> None:
    """Insert the user and the membership, where they are not there already."""
    who = (new_id(), member.issuer, member.subject, member.email, member.name)
    row = connection.execute(_USER, who).fetchone()
    assert row is not None
    connection.execute(_MEMBER, (tenant_id, row[0], member.role))


def create_role(connection: psycopg.Connection, schema: str) -> None:
    """Create the tenant's role, where it is not there already."""
    role = f"{schema}_rw"
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def grant_role(connection: psycopg.Connection, schema: str) -> None:
    """Give the tenant's role its rights, on what the migrations have made."""
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(f"{schema}_rw")}
    if connection.execute(_BELONGS, {"role": f"{schema}_rw"}).fetchone() != (True,):
        connection.execute(sql.SQL(_BELONG).format(**names))
    connection.execute(sql.SQL(RIGHTS).format(**names))


def note_version(connection: psycopg.Connection, slug: str, version: str) -> None:
    """Note the version that the tenant's schema has now."""
    connection.execute(_VERSION, (version, slug))


def put_on_plan(connection: psycopg.Connection, slug: str, plan: str) -> None:
    """Give a tenant a plan."""
    connection.execute(_PLAN, (plan, slug))


def schema_version(connection: psycopg.Connection, slug: str) -> str | None:
    """Return the version that the registry has of a tenant's schema; None where it knows no such tenant."""
    row = connection.execute(_STANDING, (slug,)).fetchone()
    return row[0] if row else None


def target(connection: psycopg.Connection) -> str | None:
    """Return the version that the newest migration wants; it stays so until the commit."""
    row = connection.execute(_TARGET).fetchone()
    return row[0] if row else None
