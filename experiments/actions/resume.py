"""Go on after a pause."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from experiments.lifecycle.transition import Transition, move
from experiments.models import Experiment, Pause, State


def resume(experiment: Experiment, *, actor: Actor, reason: str = "", at: datetime | None = None) -> None:
    """Let the ramp go on; the time that it was paused does not count as soaking. Raises `NotAllowed` and `Conflict`."""
    at = at or timezone.now()
    changes = {"state": State.RUNNING, "paused_at": None, "state_reason": reason}
    with transaction.atomic():
        paused_at = Experiment.objects.select_for_update().values_list("paused_at", flat=True).get(pk=experiment.pk)
        move(experiment, Transition("resume", (State.PAUSED,), changes, reason, at=at), actor=actor)
        if paused_at is not None:
            Pause.objects.create(experiment=experiment, since=paused_at, ended_at=max(paused_at, at))
