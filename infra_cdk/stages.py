"""The four stages, each a frozen dataclass; everything that may differ between two stages stands here.

Nothing here reads the environment. `infra_cdk/app.py` does, once: it takes the stage's name from
`-c stage=…` or `SOCIALFLOW_STAGE` (default `local`), and then lets each key of `OVERRIDES` be set by
`-c <key>=…` or, for programs, by `SOCIALFLOW_<KEY>` in upper case:

    key                      example                                   what it sets
    log_level                INFO                                      level of the functions' logs
    cors_origins             http://127.0.0.1:8080                     comma list; API and media bucket
    oidc_issuer              http://127.0.0.1:8081                     `iss` of the tokens that are accepted
    oidc_jwks_url            http://127.0.0.1:8081/.well-known/jwks.json   default: under the issuer
    oidc_audience            socialflow                                empty: `aud` is not checked
    oidc_authorized_parties  web,mobile                                comma list; empty: `azp` is not checked
    requests_per_minute      300                                       of one caller; 0: what the plan includes
    presign_ttl              3600                                      seconds
    review_ttl               604800                                    seconds
    prepare_lead             600                                       seconds
    horizon                  86400                                     seconds
    caption_model            openai/offline                            a LiteLLM model name
    caption_api_base         http://127.0.0.1:8083/v1                  empty: the provider's own
    captions_per_minute      20                                        of one tenant; at least 1
    stripe_prices            pro=price_1,business=price_2              comma list; empty: nothing is sold
    stripe_api_base          http://127.0.0.1:8420                     empty: Stripe's own
    egress_allowed_hosts     127.0.0.1:8084                            comma list of host:port; local stage only
    network_homes            x=http://127.0.0.1:8085                   comma list of network=origin; local stage only
    late_api_base            https://zernio.com/api                    where Late is, with its path
    mail_sender              no-reply@socialflow.example               an address whose domain SES may send for
    invitation_page          http://127.0.0.1:8080/invitations         what an invitation's link opens

Names that follow from the stage, and that whoever deploys it relies on:

    assembly directory   build/cdk.out/<stage>           (SOCIALFLOW_OUTDIR or `-c outdir=…` moves it)
    stacks               socialflow-<stage>-storage, socialflow-<stage>-service
    functions            socialflow-<stage>-<function>   e.g. socialflow-local-api_media
    state machines       socialflow-<stage>-ingest-media, …-publish-post, …-export-tenant, …-render-media,
                         …-write-caption, …-hash-video, …-embed-media
    outputs, storage     MediaBucket DatabaseSecret DatabaseOwnerSecret CaptionApiKeySecret ClerkWebhookSecret
                         InvitationSecret StripeSecret NetworkAppsSecret KeyArn
    outputs, service     ApiId ApiUrl BusName DoorbellQueueUrl IngestStateMachine PublishStateMachine
                         ExportStateMachine RenderStateMachine CaptionStateMachine HashStateMachine
                         EmbedStateMachine

The secrets are made with a random value: whoever deploys puts the real ones, as the database is not in a stack of
the local stage; the invitations' is as good random. Later work has its place here too: the network and Aurora (a
stateful stack of their own, which the local stage does not deploy), alarms, the WAF and the deploy pipeline.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

DAY = 86_400
# The alias of what is published, where a function has versions.
LIVE = "live"


@dataclass(frozen=True)
class Identity:
    """Whose tokens are accepted."""

    issuer: str
    jwks_url: str = ""
    audience: str = ""
    authorized_parties: tuple[str, ...] = ()

    @property
    def keys_url(self) -> str:
        """Where the issuer's keys are; by convention under the issuer."""
        return self.jwks_url or f"{self.issuer.rstrip('/')}/.well-known/jwks.json"


@dataclass(frozen=True)
class Captioner:
    """Which model describes a photo, and where it answers."""

    model: str
    api_base: str = ""
    # Asked where the first one fails; of the same provider, as there is one key.
    fallbacks: tuple[str, ...] = ()
    # Makes vectors, at the same provider.
    embedder: str = ""
    # Captions a minute of one tenant: what comes at once beyond that waits for its turn.
    per_minute: int = 20

    def __post_init__(self) -> None:
        """Refuse a pace at which no caption ever has its turn."""
        if self.per_minute < 1:
            raise ValueError(f"captions_per_minute={self.per_minute} would let nobody have a caption: at least 1")

    @property
    def is_bedrock(self) -> bool:
        """Bedrock is reached by the function's own role, every other provider by a key."""
        return self.model.startswith("bedrock/")


@dataclass(frozen=True)
class Mail:
    """Mail to people: whom it comes from, and the web application's page that an invitation's link opens."""

    sender: str
    invitation_page: str

    @property
    def domain(self) -> str:
        """The domain that SES must be allowed to send for."""
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True)
class Billing:
    """What is sold: `plan=price` with the ids of Stripe's prices, and where Stripe answers."""

    prices: tuple[str, ...] = ()
    api_base: str = ""


@dataclass(frozen=True)
class Timing:
    """Waits of the product, in seconds."""

    presign_ttl: int = 3_600
    review_ttl: int = 7 * DAY
    prepare_lead: int = 600
    horizon: int = DAY


@dataclass(frozen=True)
class Concurrency:
    """Reserved concurrency, by who calls; `None` leaves a function in the account's common pool.

    Only what is called by somebody who is told of a refusal has one: a client, or a workflow that calls again. An event
    and the start of a wait have none, as the local engine forgets those that it refuses.
    """

    api: int | None = None
    steps: int | None = None
    publishing: int | None = None
    captioning: int | None = None


@dataclass(frozen=True)
class Stage:
    """One deployment of SocialFlow."""

    name: str
    identity: Identity
    captioner: Captioner
    mail: Mail
    cors_origins: tuple[str, ...]
    timing: Timing = field(default_factory=Timing)
    billing: Billing = field(default_factory=Billing)
    concurrency: Concurrency = field(default_factory=Concurrency)
    log_level: str = "INFO"
    log_retention_days: int = 30
    # Requests a second, over all tenants: a fuse for the account. Fairness between callers is the API's own.
    throttle_rate: int = 500
    throttle_burst: int = 1_000
    # Requests a minute from one caller; 0 is what the tenant's plan includes.
    requests_per_minute: int = 0
    # So many files of a cell are on their way to their review at once; the rest wait, and the tenants take turns.
    ingest_at_once: int = 100
    renditions_at_once: int = 50
    # Stateful resources outlive their stack and cannot be deleted by it.
    protected: bool = False
    egress_allowed_hosts: tuple[str, ...] = ()
    network_homes: tuple[str, ...] = ()
    late_api_base: str = "https://zernio.com/api"

    @property
    def is_local(self) -> bool:
        """Packages are built for this machine's interpreter, and the engine's limits are respected."""
        return self.name == "local"

    @property
    def prefix(self) -> str:
        """What every physical name begins with."""
        return f"socialflow-{self.name}"

    @property
    def storage_stack(self) -> str:
        """The stateful stack's name."""
        return f"{self.prefix}-storage"

    @property
    def service_stack(self) -> str:
        """The stateless stack's name."""
        return f"{self.prefix}-service"

    def function_name(self, function: str) -> str:
        """The physical name of the Lambda function made from the folder `functions/<function>`."""
        return f"{self.prefix}-{function}"


# By way of Bedrock: no key to keep, and the photo does not leave the account.
BEDROCK = Captioner(
    model="bedrock/amazon.nova-lite-v1:0",
    fallbacks=("bedrock/amazon.nova-pro-v1:0",),
    embedder="bedrock/cohere.embed-v4:0",
)

LOCAL = Stage(
    name="local",
    # The ports are those of a stack that nobody has started; `python -m infra_cdk.local` hands in the real ones.
    identity=Identity(issuer="http://127.0.0.1:8081"),
    # It costs nothing and refuses nobody: what it does in a minute is the machine's to say.
    captioner=Captioner(
        model="openai/offline", api_base="http://127.0.0.1:8083/v1", embedder="openai/offline-words", per_minute=600
    ),
    mail=Mail("no-reply@socialflow.example", "http://127.0.0.1:8080/invitations"),
    cors_origins=("http://127.0.0.1:8080",),
    egress_allowed_hosts=("127.0.0.1:8084",),
    # A demo that looks on every moment, and tests that do nothing else, all of them the same few callers.
    requests_per_minute=6_000,
    # The engine starts a process of about 49 MB for each call in flight and never fewer.
    # Captions are slow and nobody waits for their second: two at once leave the machine to what is due.
    concurrency=Concurrency(api=8, steps=4, publishing=8, captioning=2),
    ingest_at_once=6,  # as many as are processed at once, and captioned
    renditions_at_once=4,
    log_retention_days=1,
)
DEV = Stage(
    name="dev",
    identity=Identity(issuer="https://clerk.dev.socialflow.example"),
    captioner=BEDROCK,
    mail=Mail("no-reply@dev.socialflow.example", "https://app.dev.socialflow.example/invitations"),
    cors_origins=("https://app.dev.socialflow.example",),
    log_level="DEBUG",
    log_retention_days=7,
)
STAGING = Stage(
    name="staging",
    identity=Identity(issuer="https://clerk.staging.socialflow.example"),
    captioner=BEDROCK,
    mail=Mail("no-reply@staging.socialflow.example", "https://app.staging.socialflow.example/invitations"),
    cors_origins=("https://app.staging.socialflow.example",),
)
PROD = Stage(
    name="prod",
    identity=Identity(issuer="https://clerk.socialflow.example"),
    captioner=BEDROCK,
    mail=Mail("no-reply@socialflow.example", "https://app.socialflow.example/invitations"),
    cors_origins=("https://app.socialflow.example",),
    # A crowd of uploads must not take the calls that publish at their second, nor its slow captions all of the rest.
    concurrency=Concurrency(publishing=50, captioning=100),
    log_retention_days=90,
    protected=True,
)

STAGES: Mapping[str, Stage] = {stage.name: stage for stage in (LOCAL, DEV, STAGING, PROD)}


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


# key → (part of the stage, or "" for the stage itself; its field; how the text is read)
OVERRIDES: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "log_level": ("", "log_level", str.upper),
    "cors_origins": ("", "cors_origins", _names),
    "egress_allowed_hosts": ("", "egress_allowed_hosts", _names),
    "network_homes": ("", "network_homes", _names),
    "late_api_base": ("", "late_api_base", str),
    "requests_per_minute": ("", "requests_per_minute", int),
    "oidc_issuer": ("identity", "issuer", str),
    "oidc_jwks_url": ("identity", "jwks_url", str),
    "oidc_audience": ("identity", "audience", str),
    "oidc_authorized_parties": ("identity", "authorized_parties", _names),
    "presign_ttl": ("timing", "presign_ttl", int),
    "review_ttl": ("timing", "review_ttl", int),
    "prepare_lead": ("timing", "prepare_lead", int),
    "horizon": ("timing", "horizon", int),
    "mail_sender": ("mail", "sender", str),
    "invitation_page": ("mail", "invitation_page", str),
    "caption_model": ("captioner", "model", str),
    "caption_api_base": ("captioner", "api_base", str),
    "captions_per_minute": ("captioner", "per_minute", int),
    "stripe_prices": ("billing", "prices", _names),
    "stripe_api_base": ("billing", "api_base", str),
}


def stage(name: str, overrides: Mapping[str, str] | None = None) -> Stage:
    """The stage of that name with the given keys of `OVERRIDES` set.

    Raises ValueError for an unknown stage or key, and for an egress exemption outside the local stage: there
    it would open the private network to every address that a user types in.
    """
    if name not in STAGES:
        raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}")
    chosen = STAGES[name]
    for key, text in (overrides or {}).items():
        if key not in OVERRIDES:
            raise ValueError(f"unknown setting {key!r}: choose one of {', '.join(OVERRIDES)}")
        part, attribute, read = OVERRIDES[key]
        try:
            value = read(text)
        except ValueError as error:
            raise ValueError(f"{key}={text!r} is not a number") from error
        target = replace(getattr(chosen, part), **{attribute: value}) if part else value
        chosen = replace(chosen, **{part or attribute: target})
    if chosen.egress_allowed_hosts and not chosen.is_local:
        raise ValueError("egress_allowed_hosts is for the local stage only")
    if chosen.network_homes and not chosen.is_local:
        raise ValueError("network_homes is for the local stage only: our secrets go to the networks themselves")
    return chosen
