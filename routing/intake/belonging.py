"""What the outcomes of the last day belong to, as the lake has it: an experiment, none, or nothing that is known.

An outcome cannot be held against requests when it comes, as these come by another way and in their own time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import narwhals as nw
from pydantic import TypeAdapter, ValidationError
from redis import Redis

from routing import redis_keys
from routing.lake.reading import Frame, read_lake

LATELY = timedelta(days=1)
REQUESTS_SINCE = timedelta(days=8)
IN_EXPERIMENT, IN_NONE = 2, 1


@dataclass(frozen=True, slots=True)
class Belonging:
    """How many outcomes that came in during the day before `at` are of which requests and units.

    Known are those with a request in the 8 days before `at`.
    """

    at: datetime
    in_experiment: int
    in_none: int
    unknown_request: int
    unknown_unit: int


_BELONGING = TypeAdapter(Belonging)


def count_belonging(lake_url: str, now: datetime) -> Belonging:
    """Hold the day's outcomes against requests. Raises `Unavailable`; starts threads."""
    with read_lake(lake_url) as reading:
        outcomes = reading.outcomes.filter(
            nw.col("day") >= (now - LATELY).date(), nw.col("received_at") > now - LATELY, nw.col("received_at") <= now
        )
        since = now - REQUESTS_SINCE
        requests = reading.requests.filter(nw.col("day") >= since.date(), nw.col("time") >= since)
        of_requests = outcomes.filter(~nw.col("request_id").is_null()).select(owner=nw.col("request_id"))
        of_units = outcomes.filter(nw.col("request_id").is_null()).select(owner=nw.col("unit"))
        by_request = _counts(of_requests, requests.select("experiment", owner=nw.col("request_id")))
        by_unit = _counts(of_units, requests.select("experiment", owner=nw.col("unit")))
    return Belonging(
        now,
        by_request[IN_EXPERIMENT] + by_unit[IN_EXPERIMENT],
        by_request[IN_NONE] + by_unit[IN_NONE],
        by_request[0],
        by_unit[0],
    )


def note_belonging(redis: Redis, found: Belonging) -> None:
    """Keep what was counted last, for who asks. Raises `RedisError`."""
    redis.set(redis_keys.BELONGING, _BELONGING.dump_json(found))


def last_belonging(redis: Redis) -> Belonging | None:
    """What was counted last; None where nothing was yet, or none that can be read. Raises `RedisError`."""
    text = redis.get(redis_keys.BELONGING)
    try:
        return None if text is None else _BELONGING.validate_json(text)
    except ValidationError:
        return None


def _counts(outcomes: Frame, requests: Frame) -> list[int]:
    """How many outcomes have an owner that is unknown, in no experiment, or in one."""
    place = nw.when(nw.col("experiment").is_null()).then(nw.lit(IN_NONE)).otherwise(nw.lit(IN_EXPERIMENT))
    owners = (
        requests.join(outcomes.select("owner"), on="owner", how="semi")
        .group_by("owner")
        .agg(place.max().alias("place"))
    )
    placed = outcomes.join(owners, on="owner", how="left").with_columns(place=nw.col("place").fill_null(0))
    rows = placed.group_by("place").agg(nw.len().alias("count")).collect("pyarrow").rows()
    found = {int(where): int(count) for where, count in rows}
    return [found.get(where, 0) for where in (0, IN_NONE, IN_EXPERIMENT)]
