"""The network is closed while a unit test runs."""

import socket

import pytest
from pytest_socket import SocketBlockedError


def test_a_unit_test_opens_no_socket() -> None:
    with pytest.warns(UserWarning, match=r"socket\.socket"), pytest.raises(SocketBlockedError):
        socket.socket()


def test_a_unit_test_looks_up_no_name() -> None:
    with pytest.warns(UserWarning, match="getaddrinfo"), pytest.raises(SocketBlockedError):
        socket.getaddrinfo("issuer.test", 443)
