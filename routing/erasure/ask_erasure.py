"""Ask that a unit be erased."""

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.reasons import stated
from controlplane.audit.record import record
from controlplane.models import Right
from routing.models import Erasure


def ask_erasure(unit: int, *, actor: Actor, reason: str) -> Erasure:
    """Have a unit's rows taken out of the lake. One that is asked for and not done yet is asked for once.

    Raises `NotAllowed`, and `InvalidInput` without a reason.
    """
    actor.require(Right.ADMIN)
    why = stated(reason, "An erasure")
    with transaction.atomic():
        asked = {"asked_at": timezone.now(), "by": actor.name, "reason": why}
        erasure, is_new = Erasure.objects.get_or_create(unit=unit, done_at=None, defaults=asked)
        if is_new:
            record(actor, "erase", "unit", str(unit), reason=why)
    return erasure
