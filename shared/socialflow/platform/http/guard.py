"""The way in: route, then person, then tenant, then permission; only then is the request read.

Powertools validates before any middleware of ours. So its two validators are put behind the guard, in our own order,
instead of being switched on.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.middlewares import BaseMiddlewareHandler, NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware

from socialflow.errors import FieldError, Invalid, MethodNotAllowed, NotFound
from socialflow.platform.acting import SYSTEM, Actor, act_as
from socialflow.platform.caller import Caller, Membership, User
from socialflow.platform.http import body, turns
from socialflow.platform.http.access import Access
from socialflow.platform.http.refusals import PermissionDenied, TenantSuspended
from socialflow.platform.observability import logger

if TYPE_CHECKING:
    from socialflow.platform.http.app import Api

TENANT_HEADER = "X-Tenant-Id"


@dataclass(frozen=True)
class Asked:
    """The request that is being answered, for the helpers that need more of it than a route's parameters."""

    app: "Api"
    method: str
    template: str

    @property
    def route(self) -> str:
        """Method and path template: `POST /v1/posts/{post_id}/cancel`."""
        return f"{self.method} {self.template}"

    @property
    def path(self) -> str:
        """The path as it was asked for."""
        return self.app.current_event.path

    @property
    def address(self) -> str:
        """Where the request came from, as the gateway saw it."""
        return str(self.app.current_event.request_context.http.source_ip or "")

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return self.app.current_event.query_string_parameters

    @property
    def body(self) -> object:
        """The body's object, once it has been read."""
        return self.app.context.get("body")

    def header(self, name: str) -> str:
        """Return a request header, empty where it is missing."""
        return str(self.app.current_event.headers.get(name) or "").strip()


_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)
_user: ContextVar[User | None] = ContextVar("user", default=None)
_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


class Door(turns.Pacer, Protocol):
    """Who may come in: the identity context, or a fake of it."""

    def sign_in(self, authorization: str) -> User:
        """Return whose token it is; raises `Unauthenticated`, or `Forbidden` for a key, which is nobody's."""

    def admit(self, authorization: str, tenant: str) -> Membership:
        """Return their membership of a tenant (slug or id); raises `Unauthenticated` or `Forbidden`.

        An empty `tenant` is that of a key, which has but one; of a person it raises `TenantRequired`.
        """


class Guard(BaseMiddlewareHandler["Api"]):
    """Refuses what may not come in, before anything else is read."""

    def handler(self, app: "Api", next_middleware: NextMiddleware) -> Response[Any]:
        """Pass the request on, or raise a refusal."""
        _user.set(None)
        _caller.set(None)
        act_as(SYSTEM)
        asked = Asked(app, app.request.method, app.request.route)
        _asked.set(asked)
        access = app.access.get((asked.method, asked.template))
        if access is None:
            raise app.nothing_at(asked.path)
        logger.append_keys(route=asked.route)
        if access.signed_in:
            _let_in(app.door, asked, access)
        _check_query(asked)
        return next_middleware(app)


class RequestReader(OpenAPIRequestValidationMiddleware):
    """Powertools' validator over our own reading of the body."""

    def __init__(self) -> None:
        """Powertools' own has no annotation."""
        super().__init__()  # type: ignore[no-untyped-call] # it has none

    def _get_body(self, app: Any) -> dict[str, Any]:
        event = app.current_event
        found = body.read(event.headers.get("Content-Type") or "", event.body, is_base64=bool(event.is_base64_encoded))
        app.append_context(body=found)
        return found  # type: ignore[return-value] # None is no body: the validator takes it, its annotation does not


def caller() -> Caller:
    """Return who asks, in a route that `@requires` a permission."""
    found = _caller.get()
    if found is None:
        raise RuntimeError("caller() is for routes that @requires a permission")
    return found


def current_user() -> User:
    """Return who is signed in, in a route that asks for it."""
    found = _user.get()
    if found is None:
        raise RuntimeError("current_user() is for routes that ask for a signed-in user")
    return found


def current_request() -> Asked:
    """Return the request that is being answered."""
    found = _asked.get()
    if found is None:
        raise RuntimeError("current_request() is for the time of a request")
    return found


def only(*names: str) -> None:
    """Refuse a query with any other parameter: for a route that does much more where one is misspelt."""
    other = sorted(set(current_request().query) - set(names))
    if other:
        detail = f"This takes {', '.join(names)} and nothing else."
        raise Invalid(detail, errors=[FieldError(f"?{name}", "unknown-parameter", detail) for name in other])


def nothing_at(methods: list[str]) -> NotFound | MethodNotAllowed:
    """Return the refusal of a path that has these methods and not the one asked for."""
    if not methods:
        return NotFound("There is nothing at this address. docs/openapi.json lists the routes.")
    allow = sorted({*methods, "HEAD"} if "GET" in methods else methods)
    return MethodNotAllowed(f"This path takes {', '.join(allow)}.", allow=allow)


def _let_in(door: Door | None, asked: Asked, access: Access) -> None:
    if door is None:
        raise RuntimeError("A route that asks for a user was registered without a door")
    authorization = asked.header("Authorization")
    if access.permission is None:
        user = door.sign_in(authorization)
        _signed_in(user, asked)
        turns.take(door, user, None)
        return
    member = door.admit(authorization, asked.header(TENANT_HEADER))
    _signed_in(member.user, asked)
    logger.append_keys(tenant=member.tenant.slug)
    if access.permission not in member.permissions:
        raise PermissionDenied(
            f"This needs the permission {access.permission}. Ask an owner or an admin of the tenant.",
            permission=access.permission,
            role=member.role,
        )
    if access.needs_active(asked.method) and not member.tenant.active:
        raise TenantSuspended("A suspended tenant can be read, and rights in it can be taken away. Ask its owner.")
    turns.take(door, member.user, member.tenant)
    _caller.set(Caller(member.user, member.tenant, member.role, member.permissions, asked.app.request_id))


def _signed_in(user: User, asked: Asked) -> None:
    _user.set(user)
    act_as(Actor(user.kind, user.id, user.name, asked.app.request_id, asked.address))
    logger.append_keys(user=str(user.id))


def _check_query(asked: Asked) -> None:
    wrong = [name for name, value in asked.query.items() if not (body.is_plain(name) and body.is_plain(value))]
    if wrong:
        detail = "Text may hold no NUL and no half of a surrogate pair."
        raise Invalid(detail, errors=[FieldError(f"?{name}", "text-invalid", detail) for name in wrong])
