"""A real Valkey for exposures."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.servers.processes import RunningValkey, run_valkey


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    with run_valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def queue(valkey: RunningValkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Where exposures are queued, empty at first."""
    with Redis.from_url(valkey.url, decode_responses=True) as redis:
        redis.flushdb()
        monkeypatch.setattr("routing.ofrep.exposures.get_redis", lambda: redis)
        yield redis
