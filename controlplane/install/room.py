"""Looks after the room on the disk of the data folder, apart from all that may stand still without it."""

import redis
import structlog

from controlplane.storage.redis_connections import glance_at_redis, persist_again
from controlplane.storage.reserve import get_reserve

log = structlog.get_logger(__name__)


def keep_room() -> None:
    """Set the reserve aside once there is plenty of room, and have Valkey go on writing to the disk."""
    if get_reserve().keep():
        try:
            persist_again(glance_at_redis())
        except redis.RedisError as error:
            log.warning("valkey cannot be looked after", reason=str(error))
