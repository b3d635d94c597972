"""What is found of a post before it goes out: what its network would refuse, and what somebody may want to know."""

from dataclasses import dataclass
from typing import Literal

from socialflow.errors import FieldError


@dataclass(frozen=True)
class Finding:
    """One thing found: `detail` says what, `advice` what to do; `limit` and `found` are figures where there are any.

    `source` tells where the limit is from and `as_of` the day that it is known of, where it is the network's.
    """

    severity: Literal["error", "warning"]
    pointer: str
    code: str
    detail: str
    advice: str
    limit: float | None = None
    found: float | None = None
    as_of: str | None = None
    source: str | None = None

    @property
    def error(self) -> FieldError:
        """The same, as a refusal says it."""
        return FieldError(self.pointer, self.code, f"{self.detail} {self.advice}".strip())


Figures = tuple[float, float]
"""A limit, and what was found."""


def error(pointer: str, code: str, detail: str, advice: str, figures: Figures | None = None) -> Finding:
    """Return what the network would refuse."""
    return Finding("error", pointer, code, detail, advice, *(figures or (None, None)))


def warning(pointer: str, code: str, detail: str, advice: str, figures: Figures | None = None) -> Finding:
    """Return what the network takes, and somebody may want otherwise."""
    return Finding("warning", pointer, code, detail, advice, *(figures or (None, None)))
