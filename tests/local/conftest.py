"""Fixtures: servers to meet over sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.local.server import Server


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers of one's own."""
    with ExitStack() as servers:

        def one(*arguments: str | Path) -> Server:
            server = Server(*map(str, arguments))
            servers.callback(server.close)
            return server

        yield one


@pytest.fixture(scope="session")
def _shared() -> Iterator[Server]:
    server = Server("--admin", "--seconds", "0.05")
    yield server
    server.close()


@pytest.fixture
def server(_shared: Server) -> Iterator[Server]:
    """A quick server with its back door open; shared, and without faults again afterwards."""
    yield _shared
    _shared.back_door("DELETE", "faults")
    _shared.back_door("POST", "settings", {"seconds": 0.05, "capacity": None, "rate": None})
