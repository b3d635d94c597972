"""One stack for the whole session, in a folder of its own: a developer's `.local/` is never touched."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra_cdk.local.ports import free_port
from infra_cdk.local.state import State
from tests.e2e.gate import Gate, gate_before
from tests.e2e.stack import LocalStack, running

# Long enough that a person's part survives a restart, short enough to be waited for.
REVIEW_TTL_S = 120
PREPARE_LEAD_S = 5
GATES = 4


@pytest.fixture(scope="session")
def gate_ports() -> tuple[int, ...]:
    """Where the gates stand; the stack must allow their addresses before it starts."""
    ports: set[int] = set()
    while len(ports) < GATES:
        ports.add(free_port(ports))
    return tuple(ports)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, gate_ports: tuple[int, ...]) -> Iterator[LocalStack]:
    """The whole stack, ready. A test that kills it brings it up again."""
    state = State.at(Path(tmp_path_factory.mktemp("stack")))
    mastodon = f"127.0.0.1:{state.ports()['mastodon']}"
    settings = {
        "review_ttl": str(REVIEW_TTL_S),
        "prepare_lead": str(PREPARE_LEAD_S),
        "egress_allowed_hosts": ",".join([mastodon, *(f"127.0.0.1:{port}" for port in gate_ports)]),
    }
    with running(state, settings) as made:
        yield made


@pytest.fixture(scope="session")
def gates(stack: LocalStack, gate_ports: tuple[int, ...]) -> Iterator[tuple[Gate, ...]]:
    """Gates in front of the stack's Mastodon server: connect an account with a gate's address to make use of it."""
    with ExitStack() as opened:
        yield tuple(opened.enter_context(gate_before(stack.mastodon, port)) for port in gate_ports)


@pytest.fixture(scope="session")
def gate(gates: tuple[Gate, ...]) -> Gate:
    """One of the gates."""
    return gates[0]
