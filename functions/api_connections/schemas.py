"""The wire shapes of signing in at a network. No shape that leaves has a token."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from socialflow.accounts.model import Account

_FORBID = ConfigDict(extra="forbid")


class BeginConnection(BaseModel):
    """Where to sign in. The network sends the member back to `<origin>/accounts/callback` of the application."""

    model_config = _FORBID

    network: Annotated[
        str, Field(min_length=1, max_length=40, description="facebook, instagram, linkedin, mastodon, threads, …")
    ]
    base_url: Annotated[
        str | None, Field(min_length=1, max_length=300, description="Mastodon: the server. No other has one.")
    ] = None
    origin: Annotated[
        str | None, Field(max_length=300, description="The application's origin; by default the first that is set up.")
    ] = None


class ConnectionBegunOut(BaseModel):
    """Send the member's browser to `authorize_url`; complete with what comes back, before `expires_at`."""

    id: UUID
    network: str
    authorize_url: str
    redirect_uri: str
    expires_at: datetime


class CompleteConnection(BaseModel):
    """What the network has handed back to the application's page: a code, or an error in its place."""

    model_config = _FORBID

    state: Annotated[SecretStr, Field(min_length=1, max_length=500)]
    code: Annotated[SecretStr | None, Field(min_length=1, max_length=4_096)] = None
    error: Annotated[str | None, Field(min_length=1, max_length=500, description="access_denied, …")] = None


class ChoosePlaces(BaseModel):
    """Which of the places that were offered are to be connected."""

    model_config = _FORBID

    places: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]


class PlaceOut(BaseModel):
    """A place where posts may go with what was granted: a Page, an organisation, the member."""

    id: str
    name: str


class AccountConnectedOut(BaseModel):
    """An account that was connected: GET /v1/accounts/{id} tells the rest."""

    id: UUID
    network: str
    remote_name: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Shape an account."""
        return cls(id=account.id, network=account.network, remote_name=account.remote_name)


class ConnectionOut(BaseModel):
    """How a sign-in stands: `done` with its accounts, or `choosing` with the places to choose from."""

    id: UUID
    state: Annotated[str, Field(description="An open list: choosing, done.")]
    accounts: list[AccountConnectedOut] = []
    places: list[PlaceOut] = []
