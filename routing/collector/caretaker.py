"""The caretaker: keeps the lake's tables in order, beside the collectors and without holding them up.

It works every few seconds, and tells in Redis what it found and did. A second one beside it, on another host, does
nothing twice: a lock keeps them apart most of the time, and the lake itself refuses what the lock does not.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event

import structlog
from deltalake.exceptions import DeltaError
from pyarrow import ArrowException
from redis import Redis
from redis.exceptions import LockError, RedisError

from routing import redis_keys
from routing.lake.care import forget_failure, tell_care, tell_failure
from routing.lake.delta_tables import Superseded
from routing.lake.schema import LakeTable
from routing.lake.tidying import Retention, merge, tidy

log = structlog.get_logger()

LOOK_SECONDS = 15.0
TIDY_SECONDS = 300.0
LOCK_SECONDS = 600


class Caretaker:
    """Keeps tables in order, each by its own retention."""

    def __init__(self, redis: Redis, lake_url: str, retention: Mapping[LakeTable, Retention]) -> None:
        self._redis = redis
        self._lake_url = lake_url
        self._retention = retention
        self._next: dict[LakeTable, datetime] = {}

    def run(self, stop: Event) -> None:
        """Look at each table every few seconds until stopped."""
        while not stop.wait(LOOK_SECONDS):
            for table in self._retention:
                self.look(table)

    def look(self, table: LakeTable) -> None:
        """Merge what is due; all else when its time has come, and what fails when it comes again."""
        now = datetime.now(UTC)
        is_time = now >= self._next.get(table, now)
        try:
            with self._redis.lock(redis_keys.tidying(table.name), timeout=LOCK_SECONDS, blocking=False):
                if is_time:
                    self._tidy(table, now)
                else:
                    merge(self._lake_url, table, now)
        except LockError:
            return
        except (RedisError, DeltaError, OSError, ArrowException, Superseded) as error:
            log.warning("tidying of the lake postponed", table=table.name, reason=str(error))
            self._tell_failure(table, error, now)
        else:
            if is_time:
                self._next[table] = now + timedelta(seconds=TIDY_SECONDS)

    def _tell_failure(self, table: LakeTable, error: Exception, now: datetime) -> None:
        """Another's being faster is none."""
        with suppress(RedisError):
            if not isinstance(error, RedisError | Superseded):
                tell_failure(self._redis, table, str(error), now)

    def _tidy(self, table: LakeTable, now: datetime) -> None:
        state = tidy(self._lake_url, table, self._retention[table], now)
        forget_failure(self._redis, table)
        if state is not None:
            tell_care(self._redis, table, state, now, datetime.now(UTC) - now)
