"""What an edge has brought to Redis."""

import json
from typing import Any, cast

from redis import Redis

from routing import keys

EDGE = "edge-1"


def stored_rows(redis: Redis, edge: str = EDGE) -> list[dict[str, Any]]:
    """The rows of all batches in the stream, in order."""
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(keys.requests(edge)))
    return [row for _, fields in entries for row in json.loads(fields[b"rows"])]


def stored_ids(redis: Redis, edge: str = EDGE) -> list[str]:
    """The request ids of all rows in the stream, in order."""
    return [row["request_id"] for row in stored_rows(redis, edge)]


def collect_all(redis: Redis, edge: str = EDGE) -> list[str]:
    """Do what the collector does: take all rows, say so, and trim; returns the request ids."""
    ids = stored_ids(redis, edge)
    last = redis.xinfo_stream(keys.requests(edge))["last-generated-id"]
    redis.hset(keys.COLLECTED, keys.requests(edge), last)
    redis.xtrim(keys.requests(edge), maxlen=0, approximate=False)
    return ids
