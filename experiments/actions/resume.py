"""Go on after a pause."""

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from experiments.actions.transition import Transition, move
from experiments.models import Experiment, State


def resume(experiment: Experiment, *, actor: Actor, reason: str = "") -> None:
    """Let the ramp go on; the time that it was paused does not count as soaking. Raises `NotAllowed` and `Conflict`."""
    paused_for = timezone.now() - (experiment.paused_at or timezone.now())
    changes = {
        "state": State.RUNNING,
        "paused_at": None,
        "state_reason": reason,
        "stage_entered_at": (experiment.stage_entered_at or timezone.now()) + paused_for,
    }
    with transaction.atomic():
        move(experiment, Transition("resume", (State.PAUSED,), changes, reason), actor=actor)
