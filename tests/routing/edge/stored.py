"""What an edge has brought to Redis."""

import json
from typing import Any, cast

from redis import Redis

from routing import redis_keys

EDGE = "edge-1"


def stored_rows(redis: Redis, edge: str = EDGE) -> list[dict[str, Any]]:
    """The rows of all batches in the stream, in order."""
    return _rows(_entries(redis, edge))


def stored_ids(redis: Redis, edge: str = EDGE) -> list[str]:
    """The request ids of all rows in the stream, in order."""
    return [row["request_id"] for row in stored_rows(redis, edge)]


def collect_all(redis: Redis, edge: str = EDGE) -> list[str]:
    """Do what the collector does: take all rows, say so, and trim; returns the request ids."""
    entries = _entries(redis, edge)
    last = entries[-1][0].decode()
    segment, end = last.split("-")
    redis.hset(redis_keys.COLLECTED, redis_keys.requests(edge), last)
    redis.xtrim(redis_keys.requests(edge), minid=f"{segment}-{int(end) + 1}", approximate=False)
    return [row["request_id"] for row in _rows(entries)]


def _entries(redis: Redis, edge: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(redis_keys.requests(edge)))


def _rows(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[dict[str, Any]]:
    return [row for _, fields in entries for row in json.loads(fields[b"rows"])]
