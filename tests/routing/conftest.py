"""A real Valkey for the tests of this folder, empty at the start of each."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.servers.processes import RunningValkey, run_valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    """One server for all tests of the session."""
    with run_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def redis(valkey: RunningValkey) -> Iterator[Redis]:
    """A client of the emptied server."""
    with Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def lake_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a new lake may be made."""
    return str(tmp_path_factory.mktemp("lake") / "lake")
