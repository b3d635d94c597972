"""Signing in at a network: by the member who began, once, to where it was begun; nobody else's code counts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.limits import NETWORKS
from socialflow.platform import settings
from socialflow.platform.database import transaction
from socialflow.publishing.networks import sign_in
from socialflow.publishing.networks.grants import Grant
from tests.api import Client, Reply
from tests.conftest import Cloud
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.places import reachable
from tests.mastodon import Instance
from tests.peers import entrance
from tests.peers.entrance import Entrance
from tests.wire import Fault

ORIGIN = "https://app.acme.test"
ONE = sorted(set(sign_in.NETWORKS) - {"facebook"})


@pytest.fixture(scope="session")
def entrance_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[Entrance]:
    """Where people sign in, reachable although it is on loopback."""
    with entrance.running() as server, reachable(server.host):
        yield server


@pytest.fixture
def door(desk: Desk, entrance_server: Entrance, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entrance]:
    """The entrance in the place of every network's own, and an application to come back to."""
    entrance_server.wire.reset()
    homes = ",".join(f"{network}={entrance_server.url}" for network in NETWORKS if network != "mastodon")
    monkeypatch.setenv("SOCIALFLOW_NETWORK_HOMES", homes)
    monkeypatch.setenv("SOCIALFLOW_APP_ORIGINS", f"{ORIGIN},https://other.acme.test")
    monkeypatch.setattr(entrance_server, "person", "4711")
    settings.forget()
    yield entrance_server
    settings.forget()


def begin(door: Entrance, client: Client, network: str, **more: Any) -> dict[str, Any]:
    """Begin a sign-in."""
    if network == "mastodon":
        more.setdefault("base_url", door.url)
    reply = client.post("/v1/connections", {"network": network, **more})
    assert reply.status == 201, reply
    found: dict[str, Any] = reply.json
    return found


def complete(client: Client, begun: dict[str, Any], **back: Any) -> Reply:
    """Complete a sign-in with what came back."""
    return client.post(f"/v1/connections/{begun['id']}/complete", back)


@pytest.mark.parametrize("network", ONE)
def test_one_account_is_connected_by_signing_in(desk: Desk, door: Entrance, network: str) -> None:
    begun = begin(door, desk.admin, network)
    assert begun["redirect_uri"] == f"{ORIGIN}/accounts/callback"
    reply = complete(desk.admin, begun, **door.consent(begun["authorize_url"]))
    assert (reply.status, reply.json["state"]) == (200, "done"), reply
    (connected,) = reply.json["accounts"]
    shown = desk.admin.get(f"/v1/accounts/{connected['id']}").json
    assert (shown["network"], shown["state"]) == (network, "connected")
    assert "4711" in shown["remote_account"]
    assert desk.value("SELECT secret FROM t_acme.account_connections") == b""
    assert door.codes == {}


def test_of_several_pages_those_are_connected_that_the_member_chooses(desk: Desk, door: Entrance) -> None:
    begun = begin(door, desk.admin, "facebook")
    reply = complete(desk.admin, begun, **door.consent(begun["authorize_url"]))
    assert reply.json["state"] == "choosing"
    assert [place["name"] for place in reply.json["places"]] == ["Acme", "Acme Shop"]
    path = f"/v1/connections/{begun['id']}/choose"
    for wrong in ([], ["9"], ["1", "1"]):
        assert desk.admin.post(path, {"places": wrong}).code == "sign-in-refused"
    both = desk.admin.post(path, {"places": ["1", "2"]})
    assert (both.status, len(both.json["accounts"])) == (200, 2)
    assert desk.admin.post(path, {"places": ["1"]}).code == "connection-over"
    assert desk.value("SELECT count(*) FROM t_acme.social_accounts WHERE network = 'facebook'") == 2


def test_an_organisation_is_offered_where_we_may_ask_for_it(
    desk: Desk, door: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes = "openid profile w_member_social w_organization_social rw_organization_admin"
    monkeypatch.setattr(
        "socialflow.publishing.networks.apps._document",
        lambda _arn: {"linkedin": {"client_id": "app-linkedin", "client_secret": "secret-linkedin", "scopes": scopes}},
    )
    begun = begin(door, desk.admin, "linkedin")
    assert dict(parse_qsl(urlsplit(begun["authorize_url"]).query))["scope"] == scopes
    reply = complete(desk.admin, begun, **door.consent(begun["authorize_url"]))
    assert [place["name"] for place in reply.json["places"]] == ["Yourself", "Acme Ltd"]
    chosen = desk.admin.post(f"/v1/connections/{begun['id']}/choose", {"places": ["2"]})
    (connected,) = chosen.json["accounts"]
    assert connected["remote_name"] == "Acme Ltd"
    assert desk.admin.get(f"/v1/accounts/{connected['id']}").json["remote_account"] == "urn:li:organization:5"
    with transaction(desk.tenant) as tx:
        found = accounts.credentials(tx, UUID(connected["id"]))
    assert found is not None
    assert Grant.of(tokens.token(desk.tenant, found)).ends_at is not None  # its end is told in time, as a member's is


@pytest.mark.parametrize("network", ["x", "mastodon"])
def test_the_code_is_bound_to_who_asked_for_it(desk: Desk, door: Entrance, network: str) -> None:
    """PKCE: a code that was caught on its way is worth nothing with another sign-in's verifier."""
    mine, other = (begin(door, desk.admin, network) for _ in range(2))
    caught = door.consent(other["authorize_url"])["code"]
    state = door.consent(mine["authorize_url"])["state"]
    reply = complete(desk.admin, mine, code=caught, state=state)
    assert (reply.status, reply.code) == (422, "sign-in-refused")
    assert desk.value("SELECT count(*) FROM t_acme.social_accounts") == 0


def test_only_who_began_completes(desk: Desk, door: Entrance, member: Member) -> None:
    begun = begin(door, desk.admin, "x")
    back = door.consent(begun["authorize_url"])
    owner = member("owner")
    assert complete(owner, begun, **back).code == "unknown-connection"
    assert complete(desk.editor, begun, **back).status == 403
    assert complete(desk.admin, begun, **back).status == 200


def test_another_sign_ins_state_is_refused_and_spends_nothing(desk: Desk, door: Entrance) -> None:
    mine, other = (begin(door, desk.admin, "x") for _ in range(2))
    foreign, own = door.consent(other["authorize_url"]), door.consent(mine["authorize_url"])
    for state in (foreign["state"], "", "x" * 500, "ü"):
        reply = complete(desk.admin, mine, code=own["code"], state=state)
        assert reply.status == 422, reply
    assert complete(desk.admin, mine, **own).status == 200


def test_a_sign_in_is_completed_once_and_within_ten_minutes(desk: Desk, door: Entrance) -> None:
    begun = begin(door, desk.admin, "x")
    back = door.consent(begun["authorize_url"])
    assert complete(desk.admin, begun, **back).status == 200
    again = complete(desk.admin, begun, **back)
    assert (again.status, again.code) == (409, "connection-over")
    late = begin(door, desk.admin, "x")
    desk.owner.execute("UPDATE t_acme.account_connections SET expires_at = now() - interval '1 s'")
    reply = complete(desk.admin, late, **door.consent(late["authorize_url"]))
    assert (reply.status, reply.code) == (409, "connection-over")
    assert "begin again" in reply.json["detail"]


@pytest.mark.parametrize(
    "back", [{"error": "access_denied"}, {}, {"error": "<script>" * 50}, {"code": "never-given"}, {"code": "a b\nc"}]
)
def test_a_no_is_told_kindly_and_keeps_nothing(desk: Desk, door: Entrance, back: dict[str, str]) -> None:
    begun = begin(door, desk.admin, "x")
    state = door.consent(begun["authorize_url"])["state"]
    reply = complete(desk.admin, begun, state=state, **back)
    assert (reply.status, reply.code) == (422, "sign-in-refused"), reply
    assert "Begin again" in reply.json["detail"]
    assert desk.value("SELECT secret FROM t_acme.account_connections") == b""
    assert desk.value("SELECT count(*) FROM t_acme.social_accounts") == 0


@pytest.mark.parametrize("fault", ["down", "garbage", "answer lost", "question lost", "redirect", 500, 200])
def test_a_network_that_does_not_answer_is_no_error_of_ours(desk: Desk, door: Entrance, fault: Fault) -> None:
    begun = begin(door, desk.admin, "x")
    back = door.consent(begun["authorize_url"])
    door.wire.fail("POST", "/2/oauth2/token", fault)
    reply = complete(desk.admin, begun, **back)
    assert (reply.status, reply.code) == (503, "network-unavailable"), reply
    assert door.wire.asked("POST", "/2/oauth2/token") == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"network": "x", "base_url": "https://evil.example"}, "/base_url"),
        ({"network": "mastodon"}, "/base_url"),
        ({"network": "bluesky"}, "/network"),
        ({"network": "x", "origin": "https://evil.example"}, "/origin"),
        ({"network": "x", "origin": "https://app.acme.test.evil.example"}, "/origin"),
        ({"network": "x", "origin": "https://app.acme.test/"}, "/origin"),
    ],
)
def test_what_cannot_begin_says_why(desk: Desk, door: Entrance, body: dict[str, str], pointer: str) -> None:
    reply = desk.admin.post("/v1/connections", body)
    assert (reply.status, reply.code) == (422, "incomplete-login"), reply
    assert reply.json["errors"][0]["pointer"] == pointer
    assert door.wire.seen == []


@pytest.mark.parametrize(
    "server", ["https://169.254.169.254", "http://127.0.0.1:1", "file:///etc/passwd", "https://a@b"]
)
def test_no_server_of_ours_is_called_for_a_mastodon(desk: Desk, door: Entrance, server: str) -> None:
    reply = desk.admin.post("/v1/connections", {"network": "mastodon", "base_url": server})
    assert reply.status == 422, reply


def test_a_network_that_the_stage_is_not_registered_with_says_so(
    desk: Desk, door: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socialflow.publishing.networks.apps._document", lambda _arn: {})
    reply = desk.admin.post("/v1/connections", {"network": "x"})
    assert (reply.status, reply.code) == (409, "network-not-set-up")
    assert "Who runs this stage" in reply.json["detail"]


def test_no_secret_is_shown_logged_or_audited(desk: Desk, door: Entrance, capfd: pytest.CaptureFixture[str]) -> None:
    begun = begin(door, desk.admin, "mastodon")
    back = door.consent(begun["authorize_url"])
    reply = complete(desk.admin, begun, **back)
    assert reply.status == 200
    known = {*door.tokens, back["code"], back["state"]}
    told = capfd.readouterr().out + reply.text + str(desk.owner.execute("SELECT * FROM t_acme.audit_log").fetchall())
    assert not [secret for secret in known if secret in told]


def test_an_independent_mastodon_server_registers_us(desk: Desk, door: Entrance) -> None:
    begun = begin(door, desk.admin, "mastodon", base_url=desk.mastodon.url)
    assert begun["authorize_url"].startswith(f"{desk.mastodon.url}/oauth/authorize?")
