"""Signing in, entering a tenant, and one's own account."""

import re
from uuid import UUID

from socialflow.identity import repository
from socialflow.identity.model import Claims, NotAMember, checked_name, permissions_of
from socialflow.identity.repository import Seat
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,38}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def sign_in(connection: Connection, claims: Claims) -> User:
    """Return the user whom a verified token names; the first sign-in makes the user, once under concurrency."""
    user = repository.find(connection, claims.issuer, claims.subject)
    if user is None:
        repository.add(connection, new_id(), claims)
        user = repository.find(connection, claims.issuer, claims.subject)
    if user is None:
        raise RuntimeError("A user was added and is not there")
    return user


def enter(connection: Connection, user: User, tenant: str) -> Membership:
    """Return the user's membership of a tenant, by slug or id; raises `NotAMember`, also where there is no tenant."""
    slug = tenant if _SLUG.fullmatch(tenant) else None
    tenant_id = UUID(tenant) if _ID.fullmatch(tenant) else None
    seat = repository.seat(connection, user.id, slug=slug, tenant_id=tenant_id)
    if seat is None:
        raise NotAMember("Choose a tenant from GET /v1/me, or ask its owner to invite you.")
    return _membership(user, seat)


def memberships(connection: Connection, user: User) -> list[Membership]:
    """Return every living tenant that the user belongs to, by slug."""
    return [_membership(user, seat) for seat in repository.seats(connection, user.id)]


def rename(connection: Connection, user: User, name: str) -> User:
    """Give a user another name; raises `Invalid`."""
    renamed = repository.rename(connection, user.id, checked_name(name))
    if renamed is None:
        raise RuntimeError("A signed-in user is not there")
    return renamed


def _membership(user: User, seat: Seat) -> Membership:
    return Membership(user, seat.tenant, seat.role, permissions_of(seat.role))
