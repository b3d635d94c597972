"""Refusals: every expected "no", with the status and the code under which it leaves by HTTP.

A refusal says what to do next. Whatever else is raised is a bug.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one place of the request; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    code: str
    detail: str = ""


class Refusal(Exception):
    """An expected "no". Subclasses name it; `detail` is for people, `facts` for programs."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
        **facts: object,
    ) -> None:
        """Take a sentence, the fields at fault, seconds until a retry makes sense, and facts (JSON values)."""
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.facts = facts


class Unauthenticated(Refusal):
    """Nobody is signed in."""

    status, code, title = 401, "unauthenticated", "Sign in first"


class Forbidden(Refusal):
    """Somebody is signed in who may not do this."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(Refusal):
    """It does not exist, or not for this caller."""

    status, code, title = 404, "not-found", "Not found"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status, code, title = 405, "method-not-allowed", "This path does not take that method"


class Conflict(Refusal):
    """The state of things forbids it now."""

    status, code, title = 409, "conflict", "It conflicts with the present state"


class Gone(Refusal):
    """It was there, and was deleted."""

    status, code, title = 410, "gone", "It has been deleted"


class PreconditionFailed(Refusal):
    """It has changed since the caller read it."""

    status, code, title = 412, "precondition-failed", "It has changed since you read it"


class UnsupportedMediaType(Refusal):
    """The body is not JSON."""

    status, code, title = 415, "unsupported-media-type", "Send JSON"


class Invalid(Refusal):
    """The request is well formed and wrong."""

    status, code, title = 422, "invalid", "Something in the request is wrong"


class PreconditionRequired(Refusal):
    """If-Match is missing."""

    status, code, title = 428, "precondition-required", "Say which version you read"


class TooManyRequests(Refusal):
    """The caller is over a limit."""

    status, code, title = 429, "too-many-requests", "Slow down"


class Unavailable(Refusal):
    """Something that we need does not answer; a retry is safe."""

    status, code, title = 503, "unavailable", "Try again soon"
