"""Reads of when a collector last moved what edges recorded into the lake."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

import redis

from controlplane.storage.redis_connections import glance_at_redis
from routing import redis_keys
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.models import RoutingTable

SILENT_AFTER = timedelta(seconds=30)


def uncollected_since(newest: RoutingTable | None, edges: Iterable[str], now: datetime) -> datetime | None:
    """Since when no collector goes through its steps; None while one does, or where that cannot be told.

    Where none ever did, something has to wait for one, since the first routing table at the latest. `newest` is the
    newest table, read `with_ticks`.
    """
    if newest is None:
        return None
    try:
        client = glance_at_redis()
        noted = [_moment(text) for text in client.hmget(redis_keys.COLLECTOR, REQUESTS.name, OUTCOMES.name)]
        known = [moment for moment in noted if moment is not None]
        if len(known) < len(noted) and not _anything_waits(client, edges):
            return None
    except redis.RedisError:
        return None
    begun: datetime = getattr(newest, "begun_at", newest.created_at)
    last = min(known, default=begun)
    return last if now - last > SILENT_AFTER else None


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _anything_waits(client: redis.Redis, edges: Iterable[str]) -> bool:
    """Whether a stream holds what is not collected yet: a collector takes out what is."""
    alive = cast("set[str]", client.smembers(redis_keys.EDGES))
    collected = cast("list[str]", client.hkeys(redis_keys.COLLECTED))
    streams = {redis_keys.OUTCOMES, *collected, *(redis_keys.requests(edge) for edge in {*alive, *edges})}
    return any(client.xlen(stream) for stream in streams)
