"""Follows the current routing table in Redis and brings Envoy onto it."""

from collections.abc import Callable
from threading import Event

import structlog
from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from routing import redis_keys
from routing.edge.envoy.calls import EnvoyAwayError
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.state.outages import repeat
from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier, NotYetError, TableRefusedError
from routing.publishing.redis_table import TableTold, current_table, to_version
from routing.table import Table, TableUnreadableError, problems

log = structlog.get_logger()

# A message that is lost costs this and the time that it takes to apply the table: together less than a second.
POLL_SECONDS = 0.5
ENVOY_AWAY_SECONDS = 0.1
MOST_TOLD = 3


class Follower:
    """Level-triggered: each step compares what is wanted with what Envoy serves, and does what is missing."""

    def __init__(
        self, redis: Redis, envoy: EnvoyAdmin, applier: Applier, status: EdgeStatus, *, confirm: Callable[[], object]
    ) -> None:
        """`confirm` tells Redis what is served; somebody may be waiting for that."""
        self._confirm = confirm
        self._redis = redis
        self._envoy = envoy
        self._applier = applier
        self._status = status
        self._wanted = applier.applied
        self._told: Table | None = None
        self._refused_version = 0
        self._messages: PubSub | None = None

    def run(self, stop: Event) -> None:
        """Step twice a second, and at once when a table is published."""
        repeat(self.step, what="following the table", failures=(RedisError,), stop=stop)
        self._unsubscribe()

    def step(self) -> float:
        """One look at Redis and at Envoy, then the wait for the next message; returns the seconds still to wait.

        Raises:
            RedisError: Redis could not be asked; Envoy is looked after all the same.

        """
        try:
            self._subscribe()
            self._look_for_table()
        except RedisError:
            self._unsubscribe()
            self._look_after_envoy()
            raise
        if not self._look_after_envoy():
            return ENVOY_AWAY_SECONDS
        self._await_message()
        return 0.0

    def _look_for_table(self) -> None:
        version = to_version(self._redis.hget(redis_keys.TABLE, "version"))
        served = self._wanted.version
        if version >= served and version not in (self._refused_version, self._told and self._told.version):
            self._consider(current_table(self._redis))
        elif 0 < version < served:
            self._status.table_error = f"Redis offers table {version}; this edge has served {served} already."
        elif version == served:
            self._tell_hindrances(self._told or self._wanted)

    def _consider(self, told: TableTold) -> None:
        try:
            table = told.read(self._wanted.version)
            found = problems(table)
        except TableUnreadableError as error:
            found = (error.problem,)
        if found:
            self._refuse(told.version, f"{found[0].detail} {found[0].next_step}")
        else:
            self._told = self._wanted = table

    def _tell_hindrances(self, table: Table) -> None:
        found = self._applier.hindrances(table)[:MOST_TOLD]
        told = " ".join(f"{problem.detail} {problem.next_step}" for problem in found)
        if told and told != self._status.table_error:
            log.error("backends cannot be called", version=table.version, reason=told)
        self._status.table_error = told

    def _see_what_can_be_called(self) -> None:
        if self._told and self._told.version == self._wanted.version != self._refused_version:
            self._wanted = self._applier.callable_here(self._told)

    def _look_after_envoy(self) -> bool:
        """Bring Envoy onto the wanted table unless it serves it; False when it has to be looked at again soon."""
        self._see_what_can_be_called()
        try:
            if not self._applier.serves(self._wanted):
                self._applier.apply(self._wanted)
                log.info("table applied", version=self._wanted.version)
            self._applier.renew_secrets()
        except (EnvoyAwayError, NotYetError, OSError) as error:
            self._status.envoy_error = str(error)
            return False
        except TableRefusedError as error:
            self._refuse(self._wanted.version, str(error))
            self._wanted = self._applier.applied
            return True
        if self._status.note_served(self._wanted.version):
            self._confirm()
        return True

    def _refuse(self, version: int, reason: str) -> None:
        log.error("table refused", version=version, reason=reason)
        self._refused_version = version
        self._status.table_error = f"Table {version} is not served. {reason}"

    def _subscribe(self) -> None:
        if self._messages is None:
            self._messages = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._messages.subscribe(redis_keys.TABLE_PUBLISHED)

    def _unsubscribe(self) -> None:
        if self._messages is not None:
            self._messages.close()
        self._messages = None

    def _await_message(self) -> None:
        try:
            if self._messages is not None:
                self._messages.get_message(timeout=POLL_SECONDS)
        except RedisError:
            self._unsubscribe()
            raise
