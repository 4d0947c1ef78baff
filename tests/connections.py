"""What the control plane connects to while it is tested in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis, glance_at_redis
from tests.servers.processes import RunningValkey
from tests.waiting import PATIENCE_SECONDS

NOWHERE = "redis://127.0.0.1:1/0"
"""A Redis that is not there."""


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    """Have everything in this process go by these settings, by their names without `SLUICE_`, until the block ends."""
    with pytest.MonkeyPatch.context() as variables:
        for name, value in settings.items():
            variables.setenv(f"SLUICE_{name.upper()}", value)
        _forget()
        yield
    _forget()


@contextmanager
def using_redis(server: RunningValkey) -> Iterator[Redis]:
    """Have everything that asks for Redis get a client of this server, which is given the time of tests."""
    patience = f"socket_timeout={PATIENCE_SECONDS}&socket_connect_timeout={PATIENCE_SECONDS}"
    with environment(redis_url=f"{server.url}?{patience}"):
        yield get_redis()


def _forget() -> None:
    for cached in (get_redis, glance_at_redis):
        if cached.cache_info().currsize:
            cached().close()
    for kept in (get_environment, get_redis, glance_at_redis):
        kept.cache_clear()
