"""The wire shapes of connected accounts. No shape that leaves has a token."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from socialflow.accounts.model import Account


class CapabilitiesIn(BaseModel):
    """What is known of the account's server better than it says itself."""

    model_config = ConfigDict(extra="forbid")

    idempotency_key: Annotated[
        bool | None,
        Field(strict=True, description="False for a server that does not keep Idempotency-Key: nothing is sent twice."),
    ] = None


class ConnectAccount(BaseModel):
    """An account to connect, with what its owner made for us on the network: a token there, an app password here."""

    model_config = ConfigDict(extra="forbid")

    network: Annotated[str, Field(min_length=1, max_length=40, description="bluesky, mastodon")]
    base_url: Annotated[
        str | None,
        Field(
            min_length=1, max_length=300, description="The server: https://mastodon.social. Bluesky's own if left out."
        ),
    ] = None
    access_token: Annotated[SecretStr | None, Field(min_length=1, max_length=4096, description="Mastodon.")] = None
    handle: Annotated[str | None, Field(min_length=1, max_length=300, description="Bluesky: acme.bsky.social")] = None
    app_password: Annotated[
        SecretStr | None, Field(min_length=1, max_length=100, description="Bluesky. It is used once and not kept.")
    ] = None
    capabilities: CapabilitiesIn = CapabilitiesIn()


class TroubleOut(BaseModel):
    """Why the network did not let us in when it was last asked."""

    code: str
    detail: str


class ReconnectOut(BaseModel):
    """The request that connects the account again; where it is `/v1/accounts`, with what a person gives beside."""

    method: str
    href: str
    body: dict[str, str]


class QuotaOut(BaseModel):
    """The posts of 24 hours, as the account's network counts."""

    used: int
    most: int
    at: Annotated[datetime, Field(description="When the network said so.")]

    @classmethod
    def of(cls, account: Account) -> Self | None:
        """Shape what is known."""
        if account.quota_used is None or account.quota_most is None or account.quota_at is None:
            return None
        return cls(used=account.quota_used, most=account.quota_most, at=account.quota_at)


class AccountOut(BaseModel):
    """A connected account."""

    id: UUID
    network: str
    state: Annotated[
        str, Field(description="An open list: connected, expiring (soon), lapsed (the network lets us in no more).")
    ]
    base_url: str
    remote_account: Annotated[str, Field(description="The network's own id of the account.")]
    remote_name: str
    capabilities: dict[str, Any]
    connected_by: UUID
    connected_at: datetime
    checked_at: Annotated[datetime | None, Field(description="When the network last said how it stands.")]
    ends_at: Annotated[datetime | None, Field(description="When what was granted ends; null: never, or not known.")]
    quota: Annotated[QuotaOut | None, Field(description="Null where the network has not said, or never does.")]
    trouble: TroubleOut | None
    reconnect: ReconnectOut | None

    @classmethod
    def of(cls, account: Account, reconnect: ReconnectOut | None = None) -> Self:
        """Shape an account."""
        code, detail = account.trouble_code, account.trouble_detail
        return cls(
            id=account.id,
            network=account.network,
            state=account.state,
            base_url=account.base_url,
            remote_account=account.remote_account,
            remote_name=account.remote_name,
            capabilities=dict(account.capabilities),
            connected_by=account.connected_by,
            connected_at=account.connected_at,
            checked_at=account.looked_at,
            ends_at=account.ends_at,
            quota=QuotaOut.of(account),
            trouble=TroubleOut(code=code, detail=detail or "") if code else None,
            reconnect=reconnect,
        )


class AccountPageOut(BaseModel):
    """Connected accounts, the newest first."""

    items: list[AccountOut]
    next_cursor: str | None
