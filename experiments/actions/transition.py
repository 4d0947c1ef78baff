"""The one way in which an experiment's state changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from experiments.actions.lease import Lease
from experiments.models import Experiment, State
from routing.actions.publish import publish


@dataclass(frozen=True, slots=True)
class Transition:
    """A verb, the states it may start from, and the fields it sets; `at` is when, now unless told otherwise.

    With a `lease`, only as long as that counts: what a worker decided is worth nothing once another took over.
    """

    verb: str
    allowed: tuple[State, ...]
    changes: Mapping[str, Any]
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    lease: Lease | None = None


def move(experiment: Experiment, transition: Transition, *, actor: Actor) -> None:
    """Apply a transition by compare-and-swap on state, stage and their times, and append its audit event.

    Call it inside a transaction. Raises `NotAllowed`, and `Conflict` when the state does not permit the verb or when
    somebody else moved the experiment first.
    """
    actor.require(Role.OPERATOR)
    if experiment.state not in transition.allowed:
        raise _not_now(experiment, transition)
    before = {"state": experiment.state, "stage_index": experiment.stage_index}
    # An experiment that was resumed and paused again meanwhile is in the same state, but not as it was read.
    since = {"stage_entered_at": experiment.stage_entered_at, "paused_at": experiment.paused_at}
    fence = transition.lease.fence if transition.lease else {}
    changed = Experiment.objects.filter(pk=experiment.pk, **before, **since, **fence).update(**transition.changes)
    if changed != 1:
        raise _overtaken(experiment, transition)
    experiment.refresh_from_db()
    after = {"state": experiment.state, "stage_index": experiment.stage_index}
    record(
        actor,
        transition.verb,
        "experiment",
        experiment.key,
        before=before,
        after=after,
        reason=transition.reason,
        evidence=transition.evidence,
        at=transition.at,
    )


def publish_after_commit(cause: str) -> None:
    """Publish the routing table once the change is safe in the database."""
    transaction.on_commit(lambda: _publish(cause))


def _publish(cause: str) -> None:
    publish(cause)


def _not_now(experiment: Experiment, transition: Transition) -> Conflict:
    allowed = " or ".join(transition.allowed)
    return Conflict(
        "wrong-state",
        f"Experiment {experiment.key} is {experiment.state}; {transition.verb} needs it to be {allowed}.",
        next_step="Look at its decisions to see what happened to it.",
    )


def _overtaken(experiment: Experiment, transition: Transition) -> Conflict:
    return Conflict(
        "overtaken",
        f"Experiment {experiment.key} was changed by somebody else before this {transition.verb}.",
        next_step="Read its state again and decide anew.",
    )
