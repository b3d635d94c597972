"""What a function is told by its environment: one frozen dataclass for each capability.

A field `media_bucket` is read from `SOCIALFLOW_MEDIA_BUCKET`. A handler declares the groups that it uses as `NEEDS`;
the stack gives each function the same groups, and a test holds one against the other.
"""

import os
from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Self, cast

PREFIX = "SOCIALFLOW_"


class MissingSettings(RuntimeError):
    """The environment lacks keys; the message names all of them."""


def told(what: str, default: Any = MISSING) -> Any:
    """Declare a setting with its sentence for the docs; without a default it is required."""
    return field(default=default, metadata={"what": what})


@dataclass(frozen=True)
class Settings:
    """A group of settings."""

    @classmethod
    def from_env(cls) -> Self:
        """Read the group from the environment, once for each process; raises `MissingSettings`."""
        if cls not in _known:
            _known[cls] = _read(cls)
        return cast("Self", _known[cls])

    @classmethod
    def keys(cls) -> dict[str, bool]:
        """Return the environment's names for this group, each with whether it is required."""
        return {_key(one): one.default is MISSING for one in fields(cls)}


@dataclass(frozen=True)
class CommonSettings(Settings):
    """What every function is told."""

    stage: str = told("The stage's name, for the logs.")
    log_level: str = told("The least level that is logged.", "INFO")


@dataclass(frozen=True)
class DatabaseSettings(Settings):
    """Where the database's address and password are kept."""

    database_secret: str = told("ARN of the secret {host, port, dbname, username, password}.")


@dataclass(frozen=True)
class OwnerSettings(Settings):
    """Where the database owner's address and password are kept: for the functions that make and end tenants."""

    database_owner_secret: str = told("ARN of the same secret for the database's owner.")


@dataclass(frozen=True)
class TenantOwnerSettings(Settings):
    """Whom an HTTP function asks for what needs the database owner's rights."""

    tenant_owner_function: str = told("Name of the function that creates, deletes and restores tenants.")


@dataclass(frozen=True)
class MailSettings(Settings):
    """Mail to people."""

    mail_sender: str = told("Whom mail comes from: an address of a domain that SES may send for.")
    invitation_page: str = told("The web application's page that an invitation's link opens.")
    invitation_secret: str = told("ARN of the secret that invitations' tokens are made with.")


@dataclass(frozen=True)
class StorageSettings(Settings):
    """The media bucket."""

    media_bucket: str = told("The bucket's name.")
    presign_ttl: int = told("Seconds for which a presigned URL is asked.", 3600)


@dataclass(frozen=True)
class BusSettings(Settings):
    """The event bus that facts are put on."""

    bus_name: str = told("The bus's name.")


@dataclass(frozen=True)
class DoorbellSettings(Settings):
    """The queue that tells the relay that facts are waiting."""

    doorbell_queue_url: str = told("The queue's URL.")


@dataclass(frozen=True)
class KeySettings(Settings):
    """The KMS key that data keys are made under."""

    key_id: str = told("The key's id or ARN.")


@dataclass(frozen=True)
class OidcSettings(Settings):
    """Who is let in: whose tokens are believed, and how often somebody may ask."""

    oidc_issuer: str = told("The only `iss` that is accepted.")
    oidc_jwks_url: str = told("Where the issuer's public keys are.")
    oidc_audience: str = told("The `aud` to demand; empty: not checked.", "")
    oidc_authorized_parties: tuple[str, ...] = told("The `azp` to accept, a comma list; empty: not checked.", ())
    requests_per_minute: int = told("Requests a minute from one caller; 0: what the tenant's plan includes.", 0)


@dataclass(frozen=True)
class ClerkSettings(Settings):
    """Clerk's webhooks."""

    clerk_webhook_secret: str = told("ARN of the secret with their signing secrets: `whsec_…`, during a rotation two.")


@dataclass(frozen=True)
class WorkflowSettings(Settings):
    """The state machines, and how much may be under way."""

    ingest_state_machine: str = told("ARN of Ingest Media.")
    publish_state_machine: str = told("ARN of Publish Post.")
    export_state_machine: str = told("ARN of Export Tenant.")
    render_state_machine: str = told("ARN of Render Media.")
    caption_state_machine: str = told("ARN of Write Caption.")
    hash_state_machine: str = told("ARN of Hash Video.")
    embed_state_machine: str = told("ARN of Embed Media.")
    ingest_at_once: int = told(
        "Runs of Ingest Media under way at once on a cell; those that wait for people aside.", 100
    )
    renditions_at_once: int = told("Runs of Render Media under way at once on a cell.", 50)


@dataclass(frozen=True)
class ReviewSettings(Settings):
    """Reviews."""

    review_ttl: int = told("Seconds for which a review stays open.", 604_800)


@dataclass(frozen=True)
class PublishSettings(Settings):
    """Times of publishing."""

    prepare_lead: int = told("Seconds before due at which preparing begins: time for a video.", 600)
    horizon: int = told("Seconds before due at which a post gets an execution.", 86_400)
    publish_lease: int = told("Seconds of an attempt: the function's timeout and the network's settling.", 120)


@dataclass(frozen=True)
class ModelSettings(Settings):
    """The models that the platform pays for."""

    caption_model: str = told("The model, by its LiteLLM name.")
    caption_fallbacks: tuple[str, ...] = told("Models that are asked where it fails, a comma list.", ())


@dataclass(frozen=True)
class EmbeddingSettings(Settings):
    """The model that makes the platform's vectors."""

    embedding_model: str = told("The model, by its LiteLLM name; empty: no vectors are made.", "")


@dataclass(frozen=True)
class CaptionSettings(Settings):
    """Where the platform's model answers."""

    caption_api_base: str = told("Its base URL; empty: the provider's own.", "")
    caption_api_key_secret: str = told("ARN of the secret with its key; empty: it needs none.", "")


@dataclass(frozen=True)
class CaptionPaceSettings(Settings):
    """How many captions models write for one tenant."""

    captions_per_minute: int = told("Captions a minute of one tenant; the rest wait for their turn.", 20)


@dataclass(frozen=True)
class EgressSettings(Settings):
    """Calls to hosts that users name."""

    egress_allowed_hosts: tuple[str, ...] = told("Private `host:port`s that may be called: local peers.", ())


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """What we are registered as with the networks."""

    network_apps_secret: str = told(
        "ARN of the secret {network: {client_id, client_secret}}; empty: none is registered.", ""
    )
    network_homes: tuple[str, ...] = told("Servers that stand in for networks, a comma list of network=origin.", ())


@dataclass(frozen=True)
class LateSettings(Settings):
    """Late (now Zernio), by way of which networks may be reached."""

    late_api_base: str = told("Where Late's API is, with its path.", "https://zernio.com/api")


@dataclass(frozen=True)
class BillingSettings(Settings):
    """What is bought where."""

    stripe_secret: str = told("ARN of the secret {api_key, webhook_secrets: [...]}; empty: nothing is sold.")
    stripe_api_base: str = told("Where Stripe's API is; empty: Stripe's own.", "")
    stripe_prices: tuple[str, ...] = told("What is sold, a comma list of plan=price; a plan's first is offered.", ())


@dataclass(frozen=True)
class AppSettings(Settings):
    """The application that people use in a browser."""

    app_origins: tuple[str, ...] = told("Its origins: a payment returns to one of them, by default the first.", ())


_known: dict[type[Settings], Settings] = {}


def require(groups: Iterable[type[Settings]]) -> None:
    """Raise `MissingSettings` naming every required key of the groups that the environment lacks."""
    wanted = (key for group in groups for key, required in group.keys().items() if required)
    missing = sorted({key for key in wanted if not os.environ.get(key)})
    if missing:
        raise MissingSettings(f"The environment lacks {', '.join(missing)}")


def forget() -> None:
    """Drop what was read: for tests that change the environment."""
    _known.clear()


def _read(group: type[Settings]) -> Settings:
    require((group,))
    given = {one: os.environ.get(_key(one)) for one in fields(group)}
    return group(**{one.name: _cast(one, text) for one, text in given.items() if text})


def _key(one: Field[Any]) -> str:
    return PREFIX + one.name.upper()


def _cast(one: Field[Any], text: str) -> object:
    if one.type is int:
        try:
            return int(text)
        except ValueError:
            raise MissingSettings(f"{_key(one)} must be a whole number, not {text!r}") from None
    if one.type is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())
