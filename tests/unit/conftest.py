"""A unit test opens no socket: what needs one is an integration test, or stands here with its reason."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

ON_LOOPBACK = {
    "publishing/test_egress.py": "the way out is held against servers that misbehave",
    "local/test_state.py": "which ports are free is the system's to say",
}


@pytest.fixture(autouse=True)
def no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the network for the time of a test."""
    if request.path.relative_to(request.config.rootpath / "tests" / "unit").as_posix() in ON_LOOPBACK:
        socket_allow_hosts(["127.0.0.1", "::1"])
    else:
        disable_socket(allow_unix_socket=True)  # an event loop has a pair of them
    yield
    enable_socket()
