"""Connections to Redis or Valkey."""

from functools import cache

import redis

from controlplane.settings import get_environment

REDIS_TIMEOUT_SECONDS = 3.0


@cache
def get_redis() -> redis.Redis:
    """The client of this process; it connects on first use and again after each loss."""
    return redis.Redis.from_url(
        get_environment().redis_url,
        decode_responses=True,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
    )
