"""Which networks a stack has, by what somebody asks for, and what follows from it."""

from pathlib import Path

import pytest

from infra_cdk.local import background, networks, servers, synth
from infra_cdk.local.demo.proof import NETWORKS
from infra_cdk.local.process import LocalError
from infra_cdk.local.state import PORTS, State, write_json


@pytest.mark.parametrize("text", ["bluesky", "bluesky,mastodon", " bluesky , bluesky ", "mastodon bluesky"])
def test_what_is_asked_for_comes_once_after_what_is_always_there(text: str) -> None:
    assert networks.asked_for(text) == ("mastodon", "bluesky")


@pytest.mark.parametrize("text", ["", " , ", "mastodon"])
def test_without_a_wish_there_is_mastodon(text: str) -> None:
    assert networks.asked_for(text) == ("mastodon",)


@pytest.mark.parametrize("text", ["blusky", "Bluesky", "bluesky;x", "bluesky,--set", "bluesky/../x"])
def test_an_unknown_network_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(LocalError, match=r"no network '.+' on this machine: NETWORKS may name mastodon, bluesky"):
        networks.asked_for(text)


def test_every_network_can_be_started_connected_shown_and_proved() -> None:
    names = set(networks.asked_for("bluesky"))
    assert names == set(networks.SERVERS) == set(networks.LOGINS) == set(networks.PUBLIC) == set(NETWORKS)


def _state(home: Path) -> State:
    """A stack whose ports are chosen, so that none is looked for."""
    write_json(home / "ports.json", {name: 20_000 + each for each, name in enumerate(PORTS)})
    return State.at(home)


def test_only_the_networks_of_the_stack_are_told_and_reachable(tmp_path: Path) -> None:
    state = _state(tmp_path)
    ports = state.ports()

    assert state.addresses(["mastodon"])["networks"] == {"mastodon": f"http://127.0.0.1:{ports['mastodon']}"}
    both = ("mastodon", "bluesky")
    assert set(state.addresses(both)["networks"]) == set(both)
    hosts = [f"127.0.0.1:{ports[name]}" for name in both]
    assert synth.settings(state, both)["egress_allowed_hosts"].split(",") == hosts
    assert synth.settings(state, both[:1])["egress_allowed_hosts"].split(",") == hosts[:1]


def test_a_running_stack_without_a_wanted_network_says_how_to_get_it(tmp_path: Path) -> None:
    stack = _state(tmp_path).addresses(["mastodon"])

    background.check_networks(stack, ["mastodon"])
    with pytest.raises(LocalError, match=r"without bluesky: .*`make down`, then `make up NETWORKS=bluesky`"):
        background.check_networks(stack, ["mastodon", "bluesky"])


def test_a_server_that_is_not_installed_says_how_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PDS", tmp_path)

    with pytest.raises(LocalError, match="not installed: start the stack with `make up NETWORKS=bluesky`"):
        servers.bluesky(State.at(tmp_path / "home"))
