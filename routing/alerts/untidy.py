"""Reads of what keeps the lake's tables from being in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import redis

from controlplane.storage.redis_connections import glance_at_redis
from routing.lake.care import CareFailure, last_failure
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable

FAILS_FOR = timedelta(minutes=2)
"""What fails for less than that is tried again, and is no news."""


def untidy_tables(now: datetime) -> Iterator[tuple[LakeTable, CareFailure]]:
    """The tables that could not be kept in order for a while; none where Redis does not answer."""
    try:
        client = glance_at_redis()
        found = [(table, last_failure(client, table)) for table in (REQUESTS, OUTCOMES)]
    except redis.RedisError:
        return
    yield from ((table, failure) for table, failure in found if failure and now - failure.since > FAILS_FOR)
