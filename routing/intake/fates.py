"""What becomes of an event that comes in, and how many of each there were on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import cast

from redis import Redis

from routing import redis_keys

KEPT = timedelta(days=40)


class Fate(StrEnum):
    """What became of an event: each has one."""

    ON_TIME = "on_time"
    AHEAD = "ahead"
    LATE = "late"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"
    ERASED = "erased"
    REFUSED_AHEAD = "refused_ahead"
    REFUSED_OLD = "refused_old"
    REFUSED = "refused"


TAKEN = (Fate.ON_TIME, Fate.AHEAD, Fate.LATE, Fate.OUT_OF_ORDER)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many events of each fate came in on one day of UTC."""

    day: date
    counts: Mapping[Fate, int]


def read_counts(redis: Redis, days: int, now: datetime) -> list[DayCounts]:
    """The counts of so many days up to today, the newest first. Raises `RedisError`."""
    wanted = [now.astimezone(UTC).date() - timedelta(days=back) for back in range(days)]
    with redis.pipeline(transaction=False) as pipeline:
        for day in wanted:
            pipeline.hgetall(redis_keys.outcome_counts(day))
        answers = cast("list[dict[str | bytes, str | bytes]]", pipeline.execute())
    return [DayCounts(day, fate_counts(answer)) for day, answer in zip(wanted, answers, strict=True)]


def fate_counts(answer: Mapping[str, str] | Mapping[str | bytes, str | bytes]) -> dict[Fate, int]:
    """A hash of counts as Redis gives it; what it does not hold is 0, and so is what is no number."""
    texts = {_text(name): _text(value) for name, value in answer.items()}
    return {fate: int(told) if (told := texts.get(fate, "")).isdecimal() else 0 for fate in Fate}


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
