"""Reads of when a worker last went through its tick."""

from datetime import datetime, timedelta

import redis

from controlplane.settings import get_environment
from controlplane.storage import glance_at_redis
from routing import keys
from routing.models import RoutingTable, Tick

SILENT_TICKS = 10
SILENT_AT_LEAST = timedelta(seconds=20)
BEGUN_AFTER = timedelta(minutes=2)
"""So long an installation may take from its first routing table until its first tick."""


def silent_since(now: datetime) -> datetime | None:
    """Since when no worker ticks; None while one does, and before an installation has begun."""
    patience = max(SILENT_AT_LEAST, SILENT_TICKS * timedelta(seconds=get_environment().tick_seconds))
    noted = Tick.objects.values_list("at", flat=True).first()
    if noted is not None and now - noted <= patience:
        return None
    last = max((moment for moment in (noted, _told()) if moment is not None), default=None)
    if last is not None:
        return last if now - last > patience else None
    begun = RoutingTable.objects.order_by("version").values_list("created_at", flat=True).first()
    return begun if begun is not None and now - begun > BEGUN_AFTER else None


def _told() -> datetime | None:
    """What was noted in Redis while the database could not be written."""
    try:
        return datetime.fromisoformat(str(glance_at_redis().get(keys.TICKED)))
    except (redis.RedisError, ValueError):
        return None
