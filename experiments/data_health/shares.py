"""Of the requests of the last hours, how many have no unit, no outcome or no count of tokens: by endpoint and arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
from pydantic import TypeAdapter, ValidationError
from redis import Redis

from controlplane.web.shares import percent
from experiments.evidence.measures import ANSWERED
from routing import redis_keys
from routing.lake.reading import Reading, read_lake

LATELY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ShareLine:
    """Requests of an endpoint, or of one arm of an experiment on it, and how many of them lack something; tokens are
    lacked by answers alone.
    """

    endpoint: str
    experiment: str
    variant: str
    requests: int
    without_unit: int
    without_usage: int
    without_outcome: int

    @property
    def shares(self) -> tuple[tuple[str, str], ...]:
        """Of what each lacks, in words."""
        counts = (self.without_unit, self.without_usage, self.without_outcome)
        names = ("Without user", "Without tokens", "Without outcome")
        return tuple((name, percent(count / self.requests)) for name, count in zip(names, counts, strict=True))


@dataclass(frozen=True, slots=True)
class Shares:
    """All lines of the `LATELY` before a moment."""

    at: datetime
    lines: tuple[ShareLine, ...]


_SHARES = TypeAdapter(Shares)


def count_shares(lake_url: str, now: datetime) -> Shares:
    """Count them. Raises `Unavailable`; starts threads."""
    since = now - LATELY
    with read_lake(lake_url) as reading:
        rows = _counted(reading, since)
    lines = [ShareLine(**{**row, **{name: row[name] or "" for name in ("experiment", "variant")}}) for row in rows]
    return Shares(now, tuple(sorted(lines, key=lambda line: (line.endpoint, line.experiment, line.variant))))


def _counted(reading: Reading, since: datetime) -> list[Mapping[str, Any]]:
    requests = reading.requests.filter(
        nw.col("day") >= since.date(), nw.col("time") >= since, ~nw.col("shadow"), ~nw.col("forced")
    )
    outcomes = reading.outcomes.filter(nw.col("day") >= since.date())
    named = outcomes.filter(~nw.col("request_id").is_null()).select("request_id").unique()
    units = outcomes.filter(nw.col("request_id").is_null()).select("unit").unique()
    known = requests.join(named.with_columns(told=nw.lit(1)), on="request_id", how="left").join(
        units.with_columns(told_of_unit=nw.lit(1)), on="unit", how="left"
    )
    # A row stands for others where an endpoint keeps a share of its users alone.
    one = 1.0 / nw.col("kept_share").fill_null(1.0)
    is_answer = nw.col("result").is_in([result.value for result in ANSWERED]).fill_null(value=False)
    without_usage = nw.col("prompt_tokens").is_null() | nw.col("completion_tokens").is_null()
    without_outcome = nw.col("told").is_null() & nw.col("told_of_unit").is_null()
    counted = known.select(
        "endpoint",
        "experiment",
        "variant",
        requests=one,
        without_unit=nw.when(nw.col("unit").is_null()).then(one).otherwise(0.0),
        without_usage=nw.when(is_answer & without_usage).then(one).otherwise(0.0),
        without_outcome=nw.when(without_outcome).then(one).otherwise(0.0),
    )
    sums = (
        nw.col(name).sum().round().cast(nw.Int64)
        for name in ("requests", "without_unit", "without_usage", "without_outcome")
    )
    return list(counted.group_by("endpoint", "experiment", "variant").agg(*sums).collect("pyarrow").rows(named=True))


def note_shares(redis: Redis, found: Shares) -> None:
    """Keep what was counted last. Raises `RedisError`."""
    redis.set(redis_keys.SHARES, _SHARES.dump_json(found))


def last_shares(redis: Redis) -> Shares | None:
    """What was counted last; None before, and where it is of a release that told something else."""
    told = redis.get(redis_keys.SHARES)
    try:
        return None if told is None else _SHARES.validate_json(told)
    except ValidationError:
        return None
