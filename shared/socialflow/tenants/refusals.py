"""Every "no" of a tenant's life."""

from socialflow.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Unavailable


class SlugTaken(Conflict):
    """A tenant has the slug, or had it: a slug is never given twice."""

    code, title = "slug-taken", "That slug is taken"


class TenantIdTaken(Conflict):
    """The id that the client chose is another tenant's."""

    code, title = "tenant-id-taken", "That id is taken"


class TooManyTenants(Conflict):
    """One person has made as many tenants as one person may."""

    code, title = "too-many-tenants", "You have made too many tenants"


class OwnerRequired(Forbidden):
    """Somebody asks for what only an owner may do."""

    code, title = "owner-required", "Only an owner may do this"


class ConfirmationMissing(Invalid):
    """The slug was not repeated."""

    code, title = "confirmation-missing", "Confirm by repeating the slug"


class NotRestorable(NotFound):
    """There is no deleted tenant of the caller's by that slug, or its time is over."""

    code, title = "not-restorable", "There is nothing to restore"


class TenantChanged(PreconditionFailed):
    """It has changed since the caller read it."""


class UnusableSetting(Invalid):
    """A setting's value that nothing could be done with."""

    code, title = "unusable-setting", "A setting cannot be used"


class TenantWorkFailed(Unavailable):
    """What has to be done with the database owner's rights was not done; repeating it is safe."""

    code, title = "tenant-work-failed", "The tenant could not be changed now"
