"""Whose clock is off that of Redis, which all processes share."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from django.utils import timezone

from controlplane.storage.redis_connections import get_redis, glance_at_redis
from routing import redis_keys

OFF_BY = timedelta(seconds=5)
TOLD_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """Of which process it is, on which machine, and how far it is ahead of that of Redis, below zero behind it."""

    process: str
    machine: str
    ahead: timedelta


def note_clock() -> None:
    """Tell of the clock of this worker while it is off. Raises `redis.RedisError`."""
    client, machine = get_redis(), socket.gethostname()
    ahead, told = _asked(client)
    if abs(ahead) > OFF_BY:
        client.hset(redis_keys.CLOCKS, machine, str(ahead.total_seconds()))
        client.expire(redis_keys.CLOCKS, TOLD_FOR)
    elif machine in told:
        client.hdel(redis_keys.CLOCKS, machine)


def clocks_off() -> Iterator[Clock]:
    """Those of workers that were off within the last minute, and that of this process. Raises `redis.RedisError`."""
    ahead, told = _asked(glance_at_redis())
    if abs(ahead) > OFF_BY:
        yield Clock("web app", socket.gethostname(), ahead)
    yield from (Clock("worker", machine, timedelta(seconds=float(off))) for machine, off in sorted(told.items()))


def _asked(client: redis.Redis) -> tuple[timedelta, dict[str, str]]:
    """How far this process is ahead at least, however long the answer took, and what workers told."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hgetall(redis_keys.CLOCKS)
        before = timezone.now()
        (seconds, microseconds), told = pipeline.execute()
        after = timezone.now()
    there = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    return max(before - there, timedelta()) + min(after - there, timedelta()), told
