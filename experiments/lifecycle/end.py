"""What all endings share: the range of users goes back, and the ledger says why."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import Actor
from experiments.decide.types import Decision
from experiments.lifecycle.append_decision import append_decision
from experiments.lifecycle.lease import Lease
from experiments.lifecycle.transition import Transition, move, refuse_brake_from, repeatable
from experiments.models import Analysis, Experiment, State
from routing.allocation.allocate import remove
from routing.publishing.pull import pull
from routing.publishing.waiting_orders import Order, Verb


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
    brake: bool = False,
) -> None:
    """Move to an end state, as of now unless told otherwise. Publish afterwards."""
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
        verb, reason = decision.kind.value, decision.reason
        transition = Transition(verb, allowed, fields, reason, at=at, lease=lease, brake=brake)
        move(experiment, transition, actor=actor)
        append_decision(experiment, decision, actor=actor, analysis=analysis, at=at)
        remove(experiment.key)


def end_as_brake(
    experiment: Experiment,
    decision: Decision,
    *,
    state: State,
    allowed: tuple[State, ...],
    actor: Actor,
    analysis: Analysis | None,
    at: datetime | None = None,
    lease: Lease | None = None,
) -> None:
    """End an experiment by giving its users back, and publish that, whatever the database holds.

    A halt does so wherever others moved the experiment meanwhile; being inconclusive is decided on what was read.
    Raises `NotAllowed`, `Conflict`, and as `pull` does.
    """
    refuse_brake_from(experiment, decision.kind.value, allowed, actor)
    order = Order(
        verb=Verb(decision.kind.value),
        subject=experiment.key,
        actor=actor.name,
        role=actor.role,
        reason=decision.reason,
        code=decision.code,
        variant=decision.variant,
        at=at or timezone.now(),
    )
    work = partial(
        end,
        experiment,
        decision,
        state=state,
        allowed=allowed,
        actor=actor,
        analysis=analysis,
        at=order.at,
        lease=lease,
        brake=order.verb is Verb.HALT,
    )
    pull(order, repeatable(experiment, work), f"{experiment.key} {state}: {decision.reason}")
