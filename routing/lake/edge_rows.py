"""What the collector tells in Redis of each edge's rows: how new they are, and which are missing in between."""

from datetime import datetime
from typing import TypeVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis

from routing import redis_keys

Told = TypeVar("Told", bound=BaseModel)


class EdgeRows(BaseModel):
    """The newest request of an edge that is in the lake, and when it was collected."""

    model_config = ConfigDict(frozen=True)

    newest: datetime
    collected_at: datetime


class Gaps(BaseModel):
    """How often batches of an edge were gone before the collector had them, and when that was seen."""

    model_config = ConfigDict(frozen=True)

    count: int
    since: datetime
    until: datetime


def tell_rows(redis: Redis, requests: pa.Table, at: datetime) -> None:
    """Tell of the edges that these requests are of. Raises `RedisError`."""
    if not requests.num_rows:
        return
    newest = requests.select(["edge", "time"]).group_by("edge").aggregate([("time", "max")]).to_pylist()
    known = {edge: rows.newest for edge, rows in edge_rows(redis).items()}
    told = {
        row["edge"]: EdgeRows(newest=max(row["time_max"], known.get(row["edge"], row["time_max"])), collected_at=at)
        for row in newest
    }
    redis.hset(redis_keys.EDGE_ROWS, mapping={edge: rows.model_dump_json() for edge, rows in told.items()})


def edge_rows(redis: Redis) -> dict[str, EdgeRows]:
    """What was told last, by edge; without what is of a release that told something else. Raises `RedisError`."""
    return _read(redis, redis_keys.EDGE_ROWS, EdgeRows)


def tell_gap(redis: Redis, edge: str, at: datetime) -> None:
    """Tell that batches of an edge are missing before one that came. Raises `RedisError`."""
    known = gaps(redis).get(edge)
    found = Gaps(count=known.count + 1 if known else 1, since=known.since if known else at, until=at)
    redis.hset(redis_keys.GAPS, edge, found.model_dump_json())


def gaps(redis: Redis) -> dict[str, Gaps]:
    """All that are known, by edge. Raises `RedisError`."""
    return _read(redis, redis_keys.GAPS, Gaps)


def _read(redis: Redis, key: str, shape: type[Told]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for name, text in redis.hgetall(key).items():
        try:
            found[name.decode(errors="replace") if isinstance(name, bytes) else name] = shape.model_validate_json(text)
        except ValidationError:
            continue
    return found
