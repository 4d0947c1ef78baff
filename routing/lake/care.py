"""What the caretaker found last, told in Redis to whoever asks."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis

from routing import redis_keys
from routing.lake.schema import LakeTable
from routing.lake.tidying import TableState

LONGEST_REASON = 500


class Care(BaseModel):
    """How a table was once it was in order: when that was, and how many seconds it took."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    seconds: float
    state: TableState


class CareFailure(BaseModel):
    """Since when a table cannot be kept in order, and why."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    at: datetime
    reason: str


def tell_care(redis: Redis, table: LakeTable, state: TableState, at: datetime, took: timedelta) -> None:
    """Replace what was told before."""
    care = Care(at=at, seconds=round(took.total_seconds(), 3), state=state)
    redis.hset(redis_keys.TIDIED, table.name, care.model_dump_json())


def tell_failure(redis: Redis, table: LakeTable, reason: str, at: datetime) -> None:
    """Replace the reason that was told before, but for since when it fails."""
    known = last_failure(redis, table)
    failure = CareFailure(since=known.since if known else at, at=at, reason=reason[:LONGEST_REASON])
    redis.hset(redis_keys.UNTIDIED, table.name, failure.model_dump_json())


def forget_failure(redis: Redis, table: LakeTable) -> None:
    """It is in order again."""
    redis.hdel(redis_keys.UNTIDIED, table.name)


def last_failure(redis: Redis, table: LakeTable) -> CareFailure | None:
    """What keeps a table from being in order; None where nothing does."""
    told = redis.hget(redis_keys.UNTIDIED, table.name)
    try:
        return None if told is None else CareFailure.model_validate_json(told)
    except ValidationError:
        return None


def last_care(redis: Redis, table: LakeTable) -> Care | None:
    """What was told last; None before, and where it is of a release that told something else."""
    told = redis.hget(redis_keys.TIDIED, table.name)
    try:
        return None if told is None else Care.model_validate_json(told)
    except ValidationError:
        return None
