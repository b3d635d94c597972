"""What may be a tenant."""

import re
from dataclasses import dataclass

from socialflow.errors import FieldError, Invalid
from socialflow.tenants.slugs import reserved

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,38}")
ROLES = ("owner", "admin", "editor", "viewer")


class UnusableSlug(Invalid):
    """A slug that cannot name a schema."""

    code, title = "unusable-slug", "That slug cannot be used"


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
