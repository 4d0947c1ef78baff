"""What all endings share: the range of users goes back, and the ledger says why."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from experiments.actions.append_decision import append_decision
from experiments.actions.transition import Transition, move, publish_after_commit
from experiments.decide.types import Decision
from experiments.models import Analysis, Experiment, State
from routing.actions.place import remove


def end(
    experiment: Experiment,
    decision: Decision,
    *,
    state: State,
    allowed: tuple[State, ...],
    actor: Actor,
    analysis: Analysis | None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Move to an end state. Call it inside a transaction."""
    fields = {
        "state": state,
        "state_reason": decision.reason,
        "ended_at": timezone.now(),
        "paused_at": None,
        "next_tick_at": None,
        **(changes or {}),
    }
    with transaction.atomic():
        move(experiment, Transition(decision.kind.value, allowed, fields, decision.reason), actor=actor)
        append_decision(experiment, decision, actor=actor, analysis=analysis)
        remove(experiment.key)
        publish_after_commit(f"{experiment.key} {state}: {decision.reason}")
