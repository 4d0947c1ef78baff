"""Stop the ramp where it is."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from experiments.lifecycle.transition import Transition, move, refuse_brake_from, repeatable
from experiments.models import Experiment, State
from routing.publishing.pull import pull
from routing.publishing.waiting_orders import Order, Verb

ALLOWED = (State.RUNNING,)


def pause(experiment: Experiment, *, actor: Actor, reason: str = "", at: datetime | None = None) -> None:
    """Keep traffic as it is, on whatever stage it is by then, and decide nothing but a halt.

    Raises `NotAllowed`, `Conflict`, and as `pull` does.
    """
    refuse_brake_from(experiment, Verb.PAUSE, ALLOWED, actor)
    at = at or timezone.now()
    order = Order(verb=Verb.PAUSE, subject=experiment.key, actor=actor.name, role=actor.role, reason=reason, at=at)
    work = partial(record_pause, experiment, order)
    pull(order, repeatable(experiment, work), f"{actor.name} paused {experiment.key}")


def record_pause(experiment: Experiment, order: Order) -> None:
    """Move to paused, as of the order. Raises `Conflict`."""
    changes = {"state": State.PAUSED, "paused_at": order.at, "state_reason": order.reason}
    with transaction.atomic():
        transition = Transition("pause", ALLOWED, changes, order.reason, at=order.at, brake=True)
        move(experiment, transition, actor=order.by())
