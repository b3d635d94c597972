"""The refusals of the HTTP edge itself; the contexts have their own."""

from socialflow.errors import Forbidden, Invalid, Refusal, TooManyRequests


class TenantRequired(Refusal):
    """The header that names the tenant is missing."""

    status, code, title = 400, "tenant-required", "Say which tenant"

    def __init__(self) -> None:
        """Say where to look."""
        super().__init__("Send the header X-Tenant-Id. GET /v1/me lists your tenants.")


class CursorExpired(Refusal):
    """The cursor is of another list, or damaged."""

    status, code, title = 400, "cursor-expired", "Begin the list again"


class BodyTooLarge(Refusal):
    """The body is over the limit."""

    status, code, title = 413, "body-too-large", "The body is too large"


class MalformedBody(Invalid):
    """The body cannot be read as one JSON object."""

    code, title = "malformed-body", "The body cannot be read"


class PermissionDenied(Forbidden):
    """The caller's role lacks the permission."""

    code, title = "permission-denied", "Your role may not do this"


class TenantSuspended(Forbidden):
    """A suspended tenant reads, and changes nothing but to take rights away."""

    code, title = "tenant-suspended", "The tenant is suspended"


class RateLimited(TooManyRequests):
    """The caller, or the tenant in all, asks more often than its plan includes."""

    code, title = "rate-limited", "Slow down"


class Bug(Refusal):
    """Something that we did not expect: logged with its stack, told without."""

    status, code, title = 500, "internal", "Something went wrong here"
