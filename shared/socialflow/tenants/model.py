"""What may be a tenant."""

import re
from dataclasses import dataclass

from socialflow.errors import FieldError, Invalid, Unavailable
from socialflow.tenants.slugs import reserved

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,38}")
ROLES = ("owner", "admin", "editor", "viewer")


class UnusableSlug(Invalid):
    """A slug that cannot name a schema."""

    code, title = "unusable-slug", "That slug cannot be used"


class OutdatedDeployment(Unavailable):
    """A newer deployment migrates: a tenant made here would be behind."""

    code, title = "outdated-deployment", "A newer version is being deployed"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "A newer version of SocialFlow is being deployed, and tenants are made by that one. Repeat in a minute.",
            retry_after=60,
        )


class TenantBusy(Unavailable):
    """Somebody else works on the tenant's schema."""

    code, title = "tenant-busy", "The tenant is being changed"

    def __init__(self, slug: str) -> None:
        """Say what to do."""
        super().__init__(
            f"The schema of tenant {slug!r} is being made or migrated just now. Repeat in a minute; nothing was done.",
            retry_after=60,
            tenant=slug,
        )


@dataclass(frozen=True)
class FirstMember:
    """Somebody who belongs to a tenant from its first moment, as the sign-in's issuer knows them."""

    issuer: str
    subject: str
    email: str
    name: str
    role: str

    def __post_init__(self) -> None:
        """Refuse a role that is none."""
        if self.role not in ROLES:
            raise Invalid(f"{self.role!r} is no role; roles are {', '.join(ROLES)}.")


def usable_slug(slug: str) -> str:
    """Return the slug, or raise `UnusableSlug`: it names a schema and a role, and never changes."""
    if not _SLUG.fullmatch(slug):
        raise UnusableSlug(
            "A slug is 2 to 39 characters: a lower-case letter first, then lower-case letters, digits and underscores.",
            errors=[FieldError("/slug", "pattern")],
        )
    if reserved(slug):
        raise UnusableSlug(
            f"The slug {slug!r} is reserved. Choose one that names the company.",
            errors=[FieldError("/slug", "reserved")],
        )
    return slug
