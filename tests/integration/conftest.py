"""What tests against the database and the API may ask for."""

from collections.abc import Callable, Iterator

import pytest

from socialflow.platform import settings
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer, SigningKey, published
from tests.conftest import ISSUER, Cloud

Member = Callable[..., Client]


@pytest.fixture(scope="session")
def issuer(cloud: Cloud) -> Iterator[Issuer]:
    """The issuer that the functions believe, with its keys published on loopback."""
    key = SigningKey()
    with published({"keys": [key.jwk()]}) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_OIDC_JWKS_URL", url)
        settings.forget()
        yield Issuer(ISSUER, key)
    settings.forget()


@pytest.fixture
def member(issuer: Issuer, clean: None) -> Member:
    """Make a client: `member("editor")` is acme's, `member("owner", "contoso")` is contoso's."""

    def make(role: str, slug: str = "acme", *, tenant: str | None = None) -> Client:
        token = issuer.token(f"{slug}-{role}", email=f"{role}@{slug}.test")
        return Client({"authorization": f"Bearer {token}", "x-tenant-id": tenant or slug})

    return make


@pytest.fixture
def editor(member: Member, acme: Tenant) -> Client:
    """Acme's editor."""
    return member("editor")


@pytest.fixture
def stranger(issuer: Issuer, clean: None) -> Client:
    """Somebody who signs in and belongs nowhere, asking as if of acme."""
    token = issuer.token("a-stranger", email="stranger@nowhere.test", name="A Stranger")
    return Client({"authorization": f"Bearer {token}", "x-tenant-id": "acme"})
