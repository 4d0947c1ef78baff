"""Tells Redis every second, and whenever that changes, that this edge lives and what it serves."""

from datetime import UTC, datetime
from threading import Event
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from routing import redis_keys
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.outages import repeat
from routing.edge.state.status import EdgeStatus

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 10


class HeartbeatLoop:
    """Writes one edge's hash, which expires when the edge falls silent."""

    def __init__(self, redis: Redis, status: EdgeStatus, cuts: Cuts, *, edge: str, zone: str, labels: str = "") -> None:
        self._redis = redis
        self._status = status
        self._cuts = cuts
        self._edge = edge
        self._zone = zone
        self._labels = labels

    def run(self, stop: Event) -> None:
        """Beat until stopped."""
        repeat(self.step, what="the heartbeat", failures=(RedisError,), stop=stop)

    def step(self) -> float:
        """Beat once; returns the seconds to wait before the next one.

        Raises:
            RedisError: Redis does not answer.

        """
        key = redis_keys.edge(self._edge)
        with self._redis.pipeline() as pipeline:
            pipeline.sadd(redis_keys.EDGES, self._edge)
            pipeline.hset(key, mapping=self._beat())
            pipeline.expire(key, SILENCE_SECONDS)
            pipeline.execute()
        return BEAT_SECONDS

    def _beat(self) -> dict[Any, str | int]:
        status = self._status
        error = status.envoy_error or status.table_error or status.disk_error
        return {
            "name": self._edge,
            "zone": self._zone,
            "labels": self._labels,
            "applied_version": status.served_version,
            "applied_at": status.served_since.isoformat() if status.served_since else "",
            "seen_at": datetime.now(UTC).isoformat(),
            "healthy": "0" if error else "1",
            "error": error,
            "spooled_bytes": status.spooled_bytes,
            "cuts": self._cuts.to_json(),
            "loads": status.loads,
            "losses": status.losses,
            "compared_until": status.compared_until,
        }
