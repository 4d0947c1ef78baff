"""Freeze the plan and put the experiment on its first stage."""

from datetime import datetime

from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.problems.errors import Conflict, InvalidInput
from experiments.lifecycle.transition import Transition, move, publish_after_commit
from experiments.metrics.idle_guards import refuse_idle_guards
from experiments.metrics.keep_meaning import keep_meaning
from experiments.models import Experiment, Plan, State
from experiments.plan.as_written import as_written
from experiments.plan.spec import read_spec
from routing.allocation.allocate import Share, place
from routing.resources.changing import changing


def start(experiment: Experiment, *, actor: Actor, reason: str = "", at: datetime | None = None) -> None:
    """Start a draft.

    Raises `NotAllowed`, `Conflict` when it is no draft, could not be written down like this any more, a guardrail
    would guard nothing or its endpoint has no free traffic, `InvalidInput` when edges could not serve it. Then
    nothing has changed.
    """
    at = at or timezone.now()
    changes = {"state": State.RUNNING, "started_at": at, "stage_entered_at": at, "next_tick_at": at}
    with changing(experiment.endpoint):
        move(experiment, Transition("start", (State.DRAFT,), changes, reason, at=at), actor=actor)
        keep_meaning(experiment.plan)
        _refuse_outgrown(experiment)
        refuse_idle_guards(experiment, Conflict)
        Plan.objects.filter(experiment=experiment).update(frozen_at=at)
        _place(experiment)
        publish_after_commit(f"{actor.name} started {experiment.key}")


def _refuse_outgrown(experiment: Experiment) -> None:
    """Drafts outlive releases: what a later one does not take any more is no plan to start by. Raises `Conflict`."""
    try:
        read_spec(as_written(experiment))
    except InvalidInput as error:
        next_step = "Change the draft where `problems` says, and start it then."
        raise Conflict(error.code, error.detail, next_step=next_step, problems=error.problems) from error


def _place(experiment: Experiment) -> None:
    variants = experiment.variants.select_related("backend")
    place(
        experiment.endpoint,
        experiment.key,
        [
            Share(variant.key, variant.backend.key, variant.weight, variant.headers, variant.query)
            for variant in variants
        ],
        traffic=experiment.traffic,
        stage=0,
        coverage=experiment.plan.stages.get(position=0).coverage,
        audience=experiment.audience,
        guard=experiment.guard,
    )
