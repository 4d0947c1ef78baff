"""What all endings share: the range of users goes back, and the ledger says why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from controlplane.actors import Actor
from experiments.actions.append_decision import append_decision
from experiments.actions.lease import Lease
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
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """Move to an end state, as of now unless told otherwise. Call it inside a transaction."""
    at = at or timezone.now()
    fields = {
        "state": state,
        "state_reason": decision.reason,
        "ended_at": at,
        "paused_at": None,
        "next_tick_at": None,
        **(changes or {}),
    }
    with transaction.atomic():
        transition = Transition(decision.kind.value, allowed, fields, decision.reason, at=at, lease=lease)
        move(experiment, transition, actor=actor)
        append_decision(experiment, decision, actor=actor, analysis=analysis, at=at)
        remove(experiment.key)
        publish_after_commit(f"{experiment.key} {state}: {decision.reason}")
