"""A small application with a fake door: what the edge does, without a database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field

from socialflow.errors import Conflict, FieldError, PreconditionFailed, TooManyRequests, Unauthenticated, Unavailable
from socialflow.identity.model import NotAMember
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Api,
    Cursor,
    Limit,
    Membership,
    Response,
    User,
    after,
    api,
    caller,
    created,
    current_user,
    entry,
    if_match,
    public,
    requires,
    signed_in,
    tagged,
)
from socialflow.platform.http.refusals import TenantRequired
from socialflow.platform.pace import Turn
from socialflow.platform.tenancy import Tenant
from tests.api import Reply, event

THING = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
USER = User(UUID(int=1), "editor@acme.test", "An Editor")
SIGNED_IN = {"authorization": "Bearer good", "x-tenant-id": "acme"}
JSON = {"content-type": "application/json"}


class FakeDoor:
    """Lets in whoever says `Bearer good`; acme is active, asleep is suspended. It keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.next_turn: Turn | Exception = Turn(allowed=True, whose="caller", limit=100, ahead=0.6)
        self.permissions = frozenset({"things:read", "things:write"})

    def sign_in(self, authorization: str) -> User:
        self.asked.append("sign in")
        if authorization != "Bearer good":
            raise Unauthenticated("Sign in.")
        return USER

    def admit(self, authorization: str, tenant: str) -> Membership:
        user = self.sign_in(authorization)
        self.asked.append(f"admit to {tenant}")
        if not tenant:
            raise TenantRequired
        if tenant not in ("acme", "asleep"):
            raise NotAMember("Choose another.")
        status: Any = "active" if tenant == "acme" else "suspended"
        found = Tenant(UUID(int=len(tenant)), tenant, tenant.title(), status, "free", {}, "cell-1")
        return Membership(user, found, "editor", self.permissions)

    def turn(self, user: User, tenant: Tenant | None) -> Turn:
        self.asked.append(f"turn in {tenant.slug if tenant else 'no tenant'}")
        if isinstance(self.next_turn, Exception):
            raise self.next_turn
        return self.next_turn


class ThingPart(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = Field(ge=0, le=10)


class ThingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=10)
    parts: list[ThingPart] = []
    at: int | ThingPart | None = None
    free: dict[str, Any] = {}


class ThingOut(BaseModel):
    id: UUID
    text: str


@dataclass
class Edge:
    """The application under test."""

    door: FakeDoor
    app: Api
    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    called: list[str] = field(default_factory=list)

    def ask(
        self, method: str, target: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request; without `headers`, as acme's editor who sends JSON."""
        given = {**SIGNED_IN, **JSON} if headers is None else headers
        return Reply.read(self.handler(event(method, target, headers=given, body=body), None))


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The application and what was called in it."""
    monkeypatch.setenv("SOCIALFLOW_STAGE", "test")
    door, called = FakeDoor(), list[str]()
    app = api(door)
    _routes(app, called)
    _misbehaving(app)
    return Edge(door, app, entry(app), called)


def _routes(app: Api, called: list[str]) -> None:
    @app.get("/v1/open")
    @public
    def look() -> ThingOut:
        return ThingOut(id=THING, text="open")

    @app.get("/v1/mine")
    @signed_in
    def mine() -> ThingOut:
        return ThingOut(id=USER.id, text="mine")

    @app.get("/v1/things")
    @requires("things:read")
    def several(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> ThingOut:
        after(cursor)
        return ThingOut(id=THING, text=f"{limit} for {caller().tenant.slug}")

    @app.post("/v1/things", status_code=201)
    @requires("things:write")
    def make(body: ThingIn) -> Response[ThingOut]:
        called.append("make")
        return created(ThingOut(id=THING, text=body.text), f"/v1/things/{THING}")

    @app.post("/v1/things/check")
    @requires("things:read", mutates=False)
    def check(body: ThingIn) -> ThingOut:
        return ThingOut(id=THING, text=body.text)

    @app.patch("/v1/things/<thing_id>")
    @requires("things:write")
    def change(thing_id: UUID, body: ThingIn | None = None) -> Response[ThingOut]:
        called.append(f"change {if_match()}")
        return tagged(ThingOut(id=thing_id, text=body.text if body else "untouched"), 7)

    @app.delete("/v1/things/<thing_id>", status_code=204)
    @requires("things:delete")
    def delete(thing_id: UUID) -> None:
        called.append("delete")

    @app.post("/v1/things/<thing_id>/touch", status_code=204)
    @requires("things:write")
    def touch(thing_id: UUID) -> None:
        called.append("touch")


def _misbehaving(app: Api) -> None:
    refusals = {
        "conflict": Conflict("Later.", retry_after=1.2, state="busy"),
        "precondition": PreconditionFailed("Read it again.", current_version=9),
        "limit": TooManyRequests("Slow down.", retry_after=30),
        "fields": Conflict("Both.", errors=[FieldError("/a", "wrong"), FieldError("/b", "wrong", "Why.")]),
        "down": Unavailable("Try again.", retry_after=2),
        "masked": Conflict("Facts do not replace.", status=200, type="x"),
    }

    @app.get("/v1/refuse/<name>")
    @public
    def refuse(name: str) -> ThingOut:
        raise refusals[name]

    @app.get("/v1/bug")
    @public
    def bug() -> ThingOut:
        raise RuntimeError("the password is hunter2")

    @app.get("/v1/astray/<kind>")
    @public
    def astray(kind: str) -> ThingOut:
        who = caller() if kind == "caller" else current_user()
        raise Conflict(f"It found {who}.")

    @app.get("/v1/lies")
    @public
    def lies() -> ThingOut:
        return {"id": "not-a-uuid", "text": "secret"}  # type: ignore[return-value] # the bug under test
