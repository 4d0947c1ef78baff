"""What the control plane connects to while it is tested in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from controlplane.storage.redis_connections import get_redis, glance_at_redis
from tests.servers.processes import RunningValkey


@contextmanager
def using_redis(server: RunningValkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Have everything that asks for Redis get a client of this server."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        monkeypatch.setattr("controlplane.storage.redis_connections._client", lambda **_: client)
        _forget_clients()
        yield client
    _forget_clients()


def _forget_clients() -> None:
    for cached in (get_redis, glance_at_redis):
        cached.cache_clear()
