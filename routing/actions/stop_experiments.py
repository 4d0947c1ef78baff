"""Turn the kill switch on: give every user the endpoints' own backends."""

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.models import Role
from controlplane.reasons import stated
from routing.actions.publish import publish
from routing.models import Endpoint, Stop


def stop_experiments(endpoint: Endpoint | None, *, actor: Actor, reason: str) -> Stop:
    """Take the experiments and shadows of an endpoint, or of all of them, out of the published table.

    The experiments stay as they are and keep their users' buckets. Where the switch is on already, the stop that is
    there stays. Raises `NotAllowed`, and `InvalidInput` without a reason.
    """
    actor.require(Role.OPERATOR)
    reason = stated(reason, "The kill switch")
    with transaction.atomic():
        stop, new = Stop.objects.get_or_create(
            endpoint=endpoint,
            ended_at=None,
            defaults={"since": timezone.now(), "by": actor.name, "reason": reason},
        )
        if new:
            record(actor, "stop-experiments", "kill-switch", stop.scope, after={"on": True}, reason=reason)
    publish(f"{actor.name} stopped the experiments on {stop.scope}: {reason}")
    return stop
