"""A real Valkey, and model servers, for the tests of the edge."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.servers.model_servers import ModelServer, run_model_server
from tests.servers.processes import RunningValkey, run_valkey


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    with run_valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def redis(valkey: RunningValkey) -> Iterator[Redis]:
    with Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="package")
def stable() -> Iterator[ModelServer]:
    with run_model_server("stable") as server:
        yield server


@pytest.fixture(scope="package")
def candidate() -> Iterator[ModelServer]:
    with run_model_server("candidate") as server:
        yield server
