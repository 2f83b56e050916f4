"""Unit tests know no network: a test that opens a connection fails and says where to."""

import socket
from typing import NoReturn

import pytest


class NetworkInUnitTestError(RuntimeError):
    """A unit test reached for the network. Tests that need a service lie in tests/integration or tests/contracts."""


def _refuse(_self: socket.socket, address: object) -> NoReturn:
    raise NetworkInUnitTestError(f"A unit test wanted to connect to {address}.")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", _refuse)
    monkeypatch.setattr(socket.socket, "bind", _refuse)
