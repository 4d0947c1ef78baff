"""Turn the kill switch on: give every user the endpoints' own backends."""

from django.db import transaction

from controlplane.audit.actors import Actor
from controlplane.audit.reasons import stated
from controlplane.audit.record import record
from controlplane.models import Right
from routing.models import Endpoint, Stop
from routing.publishing.pull import pull
from routing.publishing.waiting_orders import Order, Verb


def stop_experiments(endpoint: Endpoint | None, *, actor: Actor, reason: str) -> Stop:
    """Take the experiments and shadows of an endpoint, or of all of them, out of the published table.

    The experiments stay as they are and keep their users' buckets. Where the switch is on already, the stop that is
    there stays. Raises `NotAllowed`, `InvalidInput` without a reason, and as `pull` does.
    """
    actor.require(Right.HALT, endpoint=endpoint.key if endpoint else None)
    reason = stated(reason, "The kill switch")
    scope = endpoint.key if endpoint else ""
    order = Order(verb=Verb.STOP, subject=scope, actor=actor.name, role=actor.role, reason=reason)
    cause = f"{actor.name} stopped the experiments on {scope or 'all endpoints'}: {reason}"
    stops: list[Stop] = []
    pull(order, lambda: stops.append(record_stop(endpoint, order)), cause)
    return stops[-1]


def record_stop(endpoint: Endpoint | None, order: Order) -> Stop:
    """The stop that is there, or a new one with its audit event."""
    with transaction.atomic():
        stop, new = Stop.objects.get_or_create(
            endpoint=endpoint,
            ended_at=None,
            defaults={"since": order.at, "by": order.actor, "reason": order.reason},
        )
        if new:
            after = {"on": True}
            record(order.by(), order.verb, "kill-switch", stop.scope, after=after, reason=order.reason, at=order.at)
    return stop
