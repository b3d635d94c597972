"""Who asks: a user, and the user as a member of one tenant."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from socialflow.platform.tenancy import Tenant


@dataclass(frozen=True)
class User:
    """A person who has signed in, an API key that acts like one, or an operator who may look in."""

    id: UUID
    email: str
    name: str
    kind: Literal["person", "key", "operator"] = "person"
    locale: str = ""
    time_zone: str = ""
    organization: str = ""
    """The issuer's id of the organization that the person is working in, where the token says one."""


@dataclass(frozen=True)
class Membership:
    """A user's place in a tenant, as the registry has it now."""

    user: User
    tenant: Tenant
    role: str
    permissions: frozenset[str]


@dataclass(frozen=True)
class Caller(Membership):
    """A member asking for something; `request_id` stands in every log line and answer of the request."""

    request_id: str
