"""When jobs are sent, by a clock that nobody sets; and none while it waits already.

No message has a time after which it counts no more: that would be a time by the clock of beat's machine, and a worker
whose clock is ahead of it would discard every tick.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import Any

import redis
from celery import beat
from celery.schedules import schedule

from controlplane.settings.queues import waiting

TIMEOUT_SECONDS = 3.0

_BEGUN_AT = datetime.now(UTC)
_BEGUN = monotonic()


def every(seconds: float) -> schedule:
    """So often, also when the machine's clock is set meanwhile: set back, it would keep all jobs from being sent."""
    return schedule(timedelta(seconds=seconds), nowfun=_now)


def _now() -> datetime:
    return _BEGUN_AT + timedelta(seconds=monotonic() - _BEGUN)


class Scheduler(beat.Scheduler):
    """Keeps nothing in a file. While no worker takes a job, one of it waits, and not one more at each of its times."""

    def apply_async(self, entry: beat.ScheduleEntry, *sent: Any, **options: Any) -> Any:
        """Send the job of an entry if none of it waits. Raises `redis.RedisError`, which is logged by who calls."""
        if waiting(self._redis, str(entry.task)):
            return None
        return super().apply_async(entry, *sent, **options)

    @cached_property
    def _redis(self) -> redis.Redis:
        return redis.Redis.from_url(
            self.app.conf.broker_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
