"""What a route asks of its caller, declared beside the route and checked before the body is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Access:
    """A route's demand: nobody, somebody signed in, or a member with a permission."""

    permission: str | None = None
    signed_in: bool = True
    mutates: bool | None = None
    takes_away: bool = False

    def changes(self, method: str) -> bool:
        """Tell whether a request changes something."""
        return method not in SAFE_METHODS if self.mutates is None else self.mutates

    def needs_active(self, method: str) -> bool:
        """Tell whether a suspended tenant is refused it: what changes something, but for what only takes rights away.

        A key that has leaked does not wait until an invoice is paid.
        """
        return self.changes(method) and not self.takes_away


_declared: dict[Callable[..., Any], Access] = {}


def requires(
    permission: str, *, mutates: bool | None = None, takes_away: bool = False
) -> Callable[[Function], Function]:
    """Demand a member with `permission`. `mutates=False` marks a POST that only reads.

    `takes_away` marks what only takes somebody's rights away: it works in a suspended tenant too.
    """
    return _declare(Access(permission=permission, mutates=mutates, takes_away=takes_away))


def signed_in(function: Function) -> Function:
    """Demand a signed-in user of no particular tenant."""
    return _declare(Access())(function)


def public(function: Function) -> Function:
    """Demand nothing. A test keeps the list of these routes."""
    return _declare(Access(signed_in=False))(function)


def declared(function: Callable[..., Any]) -> Access:
    """Return what a route's function demands; a route that does not say is refused when it is registered."""
    try:
        return _declared[function]
    except KeyError:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{name}: put @requires, @signed_in or @public below @app.<method>") from None


def _declare(access: Access) -> Callable[[Function], Function]:
    def mark(function: Function) -> Function:
        _declared[function] = access
        return function

    return mark
