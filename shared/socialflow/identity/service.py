"""Signing in, entering a tenant, and one's own account."""

import re
from dataclasses import replace
from uuid import UUID

from socialflow.identity import repository
from socialflow.identity.model import NOT_A_MEMBER, AccountDeleted, Changes, Claims, NotAMember, permissions_of
from socialflow.identity.repository import Seat
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,38}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def sign_in(connection: Connection, claims: Claims) -> User:
    """Return the user whom a verified token names; the first sign-in makes the user, once under concurrency.

    Email and name follow the issuer, and are written only when they have changed. Raises `AccountDeleted`.
    """
    account = repository.find(connection, claims.issuer, claims.subject)
    if account is None:
        repository.add(connection, new_id(), claims)
        account = repository.find(connection, claims.issuer, claims.subject)
    if account is None:
        raise RuntimeError("A user was added and is not there")
    if account.deleted_at is not None:
        raise AccountDeleted("It was deleted where you signed in. Sign in with another account, and ask to be invited.")
    email, name = account.told(claims.email, claims.name, claims.at)
    if (email, name) != (account.email, account.name):
        repository.tell(connection, account, email, name, claims.at)
    return User(
        account.id,
        email,
        name,
        locale=account.locale,
        time_zone=account.time_zone,
        organization=claims.organization,
    )


def enter(connection: Connection, user: User, tenant: str) -> Membership:
    """Return the user's membership of a tenant, by slug or id; raises `NotAMember`, also where there is no tenant."""
    slug = tenant if _SLUG.fullmatch(tenant) else None
    tenant_id = UUID(tenant) if _ID.fullmatch(tenant) else None
    seat = repository.seat(connection, user.id, slug=slug, tenant_id=tenant_id)
    if seat is None:
        raise NotAMember(NOT_A_MEMBER)
    return _membership(user, seat)


def memberships(connection: Connection, user: User) -> list[Membership]:
    """Return every living tenant that the user belongs to, by slug."""
    return [_membership(user, seat) for seat in repository.seats(connection, user.id)]


def active(connection: Connection, user: User) -> str | None:
    """Return the slug of the tenant whose organization the user is working in, where the token says one."""
    return repository.active(connection, user.id, user.organization) if user.organization else None


def change(connection: Connection, user: User, changes: Changes) -> User:
    """Change what a user says of themselves; raises `Invalid`, or `AccountDeleted` for one who is gone meanwhile."""
    changed = repository.change(connection, user.id, changes.checked())
    if changed is None:
        raise AccountDeleted("It was deleted where you signed in. Nothing was changed.")
    return replace(changed, organization=user.organization)


def _membership(user: User, seat: Seat) -> Membership:
    return Membership(user, seat.tenant, seat.role, permissions_of(seat.role))
