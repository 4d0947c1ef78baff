"""One server that says what it is told to, and an edge before it, for all files."""

from collections.abc import Iterator

import pytest

from tests.routing.envoy.answers.edge import run_edge_of_kinds
from tests.servers.broken_servers import BrokenServer, end, run_broken_server
from tests.servers.envoys import RunningEnvoy


@pytest.fixture(scope="session")
def server() -> Iterator[BrokenServer]:
    with run_broken_server(end) as running:
        yield running


@pytest.fixture(scope="session")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: BrokenServer) -> Iterator[RunningEnvoy]:
    with run_edge_of_kinds(tmp_path_factory.mktemp("edge"), server.address) as running:
        yield running
