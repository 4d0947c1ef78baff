"""Stop the ramp where it is."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from experiments.actions.transition import Transition, move
from experiments.models import Experiment, State


def pause(experiment: Experiment, *, actor: Actor, reason: str = "", at: datetime | None = None) -> None:
    """Keep traffic as it is and decide nothing but a halt. Raises `NotAllowed` and `Conflict`."""
    at = at or timezone.now()
    changes = {"state": State.PAUSED, "paused_at": at, "state_reason": reason}
    with transaction.atomic():
        move(experiment, Transition("pause", (State.RUNNING,), changes, reason, at=at), actor=actor)
