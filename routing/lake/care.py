"""What the caretaker found last, told in Redis to whoever asks."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis

from routing import redis_keys
from routing.lake.schema import LakeTable
from routing.lake.tidying import TableState


class Care(BaseModel):
    """How a table was once it was in order: when that was, and how many seconds it took."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    seconds: float
    state: TableState


def tell_care(redis: Redis, table: LakeTable, state: TableState, at: datetime, took: timedelta) -> None:
    """Replace what was told before."""
    care = Care(at=at, seconds=round(took.total_seconds(), 3), state=state)
    redis.hset(redis_keys.TIDIED, table.name, care.model_dump_json())


def last_care(redis: Redis, table: LakeTable) -> Care | None:
    """What was told last; None before, and where it is of a release that told something else."""
    told = redis.hget(redis_keys.TIDIED, table.name)
    try:
        return None if told is None else Care.model_validate_json(told)
    except ValidationError:
        return None
