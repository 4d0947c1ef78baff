"""Reads of when a worker last went through its tick."""

from datetime import datetime, timedelta

import redis
from django.db.models import QuerySet, Subquery

from controlplane.settings import get_environment
from controlplane.storage.redis_connections import glance_at_redis
from routing import redis_keys
from routing.models import RoutingTable, Tick

SILENT_TICKS = 10
SILENT_AT_LEAST = timedelta(seconds=20)
BEGUN_AFTER = timedelta(minutes=2)
"""So long an installation may take from its first routing table until its first tick."""


def with_ticks(tables: QuerySet[RoutingTable]) -> QuerySet[RoutingTable]:
    """Tables that tell in the same query when the last tick was, `ticked_at`, and when the first table, `begun_at`."""
    first = RoutingTable.objects.order_by("version").values("created_at")[:1]
    return tables.annotate(ticked_at=Subquery(Tick.objects.values("at")[:1]), begun_at=Subquery(first))


def silent_since(newest: RoutingTable | None, now: datetime) -> datetime | None:
    """Since when no worker ticks; None while one does, and before an installation has begun.

    A tick of a time that is still to come is from before the clock was set back, and says nothing of now.
    `newest` is the newest table, read `with_ticks`.
    """
    if newest is None:
        return None
    noted: datetime | None = getattr(newest, "ticked_at", None)
    begun: datetime = getattr(newest, "begun_at", newest.created_at)
    patience = max(SILENT_AT_LEAST, SILENT_TICKS * timedelta(seconds=get_environment().tick_seconds))
    if noted is not None and abs(now - noted) <= patience:
        return None
    last = min((moment for moment in (noted, _told()) if moment), key=lambda moment: abs(now - moment), default=None)
    if last is not None:
        return min(last, now) if abs(now - last) > patience else None
    return begun if now - begun > BEGUN_AFTER else None


def _told() -> datetime | None:
    """What was noted in Redis while the database could not be written."""
    try:
        return datetime.fromisoformat(str(glance_at_redis().get(redis_keys.TICKED)))
    except (redis.RedisError, ValueError):
        return None
