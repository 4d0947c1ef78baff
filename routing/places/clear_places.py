"""Remove what somebody else wrote in the place of something of ours: it stops whoever reads there, for ever.

What is of another kind holds nothing that Sluice kept, so that nothing more is lost than was already. All that reads
these places goes on from one that is empty, as it does behind a Redis that lost its data.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis

from routing import redis_keys
from routing.redis_keys import Kind

TOLD_FOR = timedelta(hours=1)

FOR_EVER = -1
"""What the server says of a key that does not expire."""

log = structlog.get_logger(__name__)


class Cleared(BaseModel):
    """What lay in a place, where something of another kind belongs, and when it was removed."""

    model_config = ConfigDict(frozen=True)

    key: str
    found: str
    kept: str
    at: datetime


def clear_places(redis: Redis, places: Iterable[tuple[str, Kind]]) -> list[Cleared]:
    """Remove what does not belong in these places, and tell of it. Raises `RedisError`."""
    wanted = dict(places)
    with redis.pipeline(transaction=False) as pipeline:
        for key in wanted:
            pipeline.type(key)
            pipeline.ttl(key)
        answers = pipeline.execute()
    now = datetime.now(UTC)
    found = zip(wanted.items(), map(_text, answers[::2]), answers[1::2], strict=True)
    cleared = [
        Cleared(key=key, found=kind, kept=belongs, at=now)
        for (key, belongs), kind, expires in found
        if kind != "none" and not _fits(belongs, kind, expires)
    ]
    for one in cleared:
        log.error("what lay in the place of something else is removed", key=one.key, found=one.found, kept=one.kept)
        redis.delete(one.key)
    _tell(redis, cleared)
    return cleared


def cleared_lately(redis: Redis, now: datetime) -> list[Cleared]:
    """What was removed within the last hour, the newest of each place. Raises `RedisError`."""
    found = (_read(text) for text in redis.hvals(redis_keys.CLEARED))
    return [one for one in found if one is not None and now - one.at < TOLD_FOR]


def _fits(belongs: Kind, found: str, expires: int) -> bool:
    if belongs is Kind.LEASE:
        return found == Kind.STRING and expires != FOR_EVER
    return found == belongs


def _tell(redis: Redis, cleared: Iterable[Cleared]) -> None:
    told: dict[Any, Any] = {one.key: one.model_dump_json() for one in cleared}
    if told:
        redis.hset(redis_keys.CLEARED, mapping=told)
        redis.expire(redis_keys.CLEARED, TOLD_FOR)


def _read(text: str | bytes) -> Cleared | None:
    try:
        return Cleared.model_validate_json(text)
    except ValidationError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
