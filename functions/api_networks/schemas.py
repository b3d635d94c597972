"""The wire shapes of the ways to networks. No shape that leaves has a key."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from socialflow.accounts.model import Account, LateKey
from socialflow.publishing.networks.late_api import Reachable


class RouteIn(BaseModel):
    """The way that a network's posts are to take."""

    model_config = ConfigDict(extra="forbid")

    route: Annotated[Literal["direct", "late"], Field(description="By its own API, or by way of Late.")]


class NetworkOut(BaseModel):
    """A network, and by which way it is reached."""

    network: str
    route: Annotated[str, Field(description="An open list: direct, late. An account that has but one way takes that.")]
    routes: Annotated[list[str], Field(description="The ways that there are.")]


class NetworksOut(BaseModel):
    """All networks that are spoken here."""

    items: list[NetworkOut]


class LateIn(BaseModel):
    """A key of Late, and which of its accounts are to be connected."""

    model_config = ConfigDict(extra="forbid")

    api_key: Annotated[SecretStr, Field(min_length=8, max_length=400, description="A key of Late: sk_…")]
    accounts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(max_length=100, description="Late's ids of those to connect; the answer without any lists them all."),
    ] = []
    renew_webhook: Annotated[
        bool, Field(strict=True, description="Make a new address and secret for Late's webhooks; the old ones end.")
    ] = False


class ReachableOut(BaseModel):
    """An account at Late."""

    id: Annotated[str, Field(description="Late's id of it.")]
    network: str
    name: str
    usable: Annotated[bool, Field(description="Whether Late can post to it now.")]
    account_id: Annotated[UUID | None, Field(description="The account here that it is; null: it is not connected.")]


class WebhookOut(BaseModel):
    """Where Late's webhooks are to go: an endpoint that is set up at Late, for the events post.* there."""

    path: str
    secret: Annotated[str | None, Field(description="What Late is to sign with. It is shown once, when it is made.")]


class LateOut(BaseModel):
    """The tenant's key of Late, as far as it is told, and the accounts there."""

    verified_at: datetime
    set_by: UUID
    webhook: WebhookOut
    accounts: Annotated[list[ReachableOut], Field(description="All that the key reaches; where it is read: connected.")]

    @classmethod
    def of(cls, key: LateKey, secret: str | None, accounts: list[ReachableOut]) -> Self:
        """Shape a key."""
        webhook = WebhookOut(path=f"/v1/webhooks/late/{key.webhook_token}", secret=secret)
        return cls(verified_at=key.verified_at, set_by=key.set_by, webhook=webhook, accounts=accounts)


def reachable(found: Sequence[Reachable], connected: Mapping[str, UUID]) -> list[ReachableOut]:
    """Shape the accounts that a key reaches; `connected`: ours, by Late's ids."""
    return [
        ReachableOut(id=one.id, network=one.network, name=one.name, usable=one.usable, account_id=connected.get(one.id))
        for one in found
    ]


def connected(accounts: Sequence[Account]) -> list[ReachableOut]:
    """Shape accounts that are connected by way of Late."""
    return [
        ReachableOut(id=one.late_account, network=one.network, name=one.remote_name, usable=True, account_id=one.id)
        for one in accounts
        if one.late_account is not None
    ]
