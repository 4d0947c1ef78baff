"""Note that a worker went through its tick."""

from datetime import datetime

import structlog
from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from controlplane.storage.redis_connections import get_redis, write_anyway
from routing import redis_keys
from routing.models import Tick

log = structlog.get_logger(__name__)

THE_ROW = 1


def note_tick(moment: datetime) -> None:
    """Keep when the last tick ended: in the database, by its clock, or, while that takes no writes, in Redis.

    Raises `redis.RedisError` when neither takes it.
    """
    try:
        with transaction.atomic():
            Tick.objects.update_or_create(pk=THE_ROW, defaults={"at": Now()})
    except DatabaseError as error:
        log.warning("a tick is noted in Redis alone", reason=str(error))
        client = get_redis()
        write_anyway(client, lambda: client.set(redis_keys.TICKED, moment.isoformat()))
