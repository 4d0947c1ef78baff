"""Go to the next stage of the plan."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.problems.errors import Conflict
from experiments.decide.types import Decision
from experiments.lifecycle.append_decision import append_decision
from experiments.lifecycle.lease import Lease
from experiments.lifecycle.transition import Transition, move, publish_after_commit
from experiments.models import Analysis, Experiment, State
from routing.allocation.allocate import widen


def advance(
    experiment: Experiment,
    decision: Decision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """Widen the coverage to the next stage's. Raises `NotAllowed` and `Conflict`."""
    at = at or timezone.now()
    stage = experiment.plan.stages.filter(position=experiment.stage_index + 1).first()
    if stage is None:
        raise Conflict(
            "last-stage",
            f"Experiment {experiment.key} is on its last stage.",
            next_step="Wait for its verdict.",
        )
    changes = {
        "stage_index": stage.position,
        "stage_entered_at": at,
        "state_reason": decision.reason,
    }
    with transaction.atomic():
        transition = Transition("advance", (State.RUNNING,), changes, decision.reason, at=at, lease=lease)
        move(experiment, transition, actor=actor)
        append_decision(experiment, decision, actor=actor, analysis=analysis, at=at)
        widen(experiment.key, stage=stage.position, coverage=stage.coverage)
        publish_after_commit(f"{experiment.key} advanced to stage {stage.position + 1}")
