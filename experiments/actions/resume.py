"""Go on after a pause."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from experiments.actions.transition import Transition, move
from experiments.models import Experiment, State
from routing.stops import stopped_seconds


def resume(experiment: Experiment, *, actor: Actor, reason: str = "") -> None:
    """Let the ramp go on; the time that it was paused does not count as soaking. Raises `NotAllowed` and `Conflict`."""
    now = timezone.now()
    paused_at, entered_at = experiment.paused_at or now, experiment.stage_entered_at or now
    # The new moment of entry is later than stops before the pause, so these are counted here.
    stopped = timedelta(seconds=stopped_seconds(experiment.endpoint_id, entered_at, paused_at))
    changes = {
        "state": State.RUNNING,
        "paused_at": None,
        "state_reason": reason,
        "stage_entered_at": entered_at + stopped + (now - paused_at),
    }
    with transaction.atomic():
        move(experiment, Transition("resume", (State.PAUSED,), changes, reason), actor=actor)
