"""Carry out the erasures that were asked for, each by one worker at a time."""

from datetime import datetime, timedelta

import redis
import structlog
from deltalake.exceptions import DeltaError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pyarrow import ArrowException

from controlplane.audit.actors import SLUICE
from controlplane.audit.record import record
from controlplane.problems.errors import SluiceError
from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis
from routing.lake.erasing import erase
from routing.lake.streams import forget_rejected
from routing.models import Erasure

log = structlog.get_logger(__name__)

CLAIM = timedelta(hours=1)


def carry_out_all(now: datetime | None = None) -> None:
    """All that are due; one that fails is tried again the next time, and keeps no other from its turn."""
    for erasure in Erasure.objects.filter(done_at=None).order_by("asked_at"):
        carry_out(erasure, now or timezone.now())


def carry_out(erasure: Erasure, now: datetime) -> bool:
    """Erase a unit, unless another worker is at it; whether it is done. Starts threads."""
    open_one = Erasure.objects.filter(pk=erasure.pk, done_at=None)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not open_one.filter(free).update(claimed_until=now + CLAIM):
        return False
    try:
        forget_rejected(get_redis(), erasure.unit)
        erased = erase(get_environment().lake_url, erasure.unit)
    except (DeltaError, OSError, ArrowException, SluiceError, redis.RedisError) as error:
        log.warning("erasure postponed", unit=erasure.unit, reason=str(error))
        open_one.update(claimed_until=None, problem=str(error) or type(error).__name__)
        return False
    with transaction.atomic():
        rows = {"requests": erased.requests, "outcomes": erased.outcomes}
        if open_one.update(done_at=timezone.now(), claimed_until=None, problem="", **rows):
            record(SLUICE, "erased", "unit", str(erasure.unit), after=rows)
    return True
