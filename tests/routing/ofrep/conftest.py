"""A real Valkey for exposures."""

import pytest
from redis import Redis


@pytest.fixture
def queue(redis_server: Redis) -> Redis:
    """Where exposures are queued, empty at first."""
    return redis_server
