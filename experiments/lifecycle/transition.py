"""The one way in which an experiment's state changes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
from django.db import transaction

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from controlplane.storage.races import locked
from controlplane.storage.redis_connections import glance_at_redis
from experiments.lifecycle.lease import Lease
from experiments.lifecycle.promoted import promoted_already
from experiments.models import Experiment, State
from experiments.models.experiment import LIVE_STATES
from routing.models import Split
from routing.publishing import waiting_orders
from routing.publishing.publish import publish
from routing.publishing.waiting_orders import Verb

LOOK = "Its decisions say what happened to it."
OFF = "its candidates get no users any more."
RIGHTS = {
    Verb.HALT: Right.HALT,
    Verb.PAUSE: Right.HALT,
    "promote": Right.PROMOTE,
}
"""What other verbs than those of the right `start` need."""

COMPARED = ("version", "state", "stage_index", "stage_entered_at", "paused_at")
GIVING_USERS = ("advance", "promote")
"""Verbs that give a candidate more users. The kill switch, while the database has not taken it, comes before them."""

BRAKED = (*COMPARED, "promoted_variant", "promoted_audience")


@dataclass(frozen=True, slots=True)
class Transition:
    """A verb, the states it may start from, and the fields it sets; `at` is when, now unless told otherwise.

    With a `lease`, only as long as that counts: what a worker decided is worth nothing once another took over. A
    `brake` starts from what the experiment is by the time it holds the row, whoever else moved it meanwhile.
    """

    verb: str
    allowed: tuple[State, ...]
    changes: Mapping[str, Any]
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    lease: Lease | None = None
    brake: bool = False


def move(experiment: Experiment, transition: Transition, *, actor: Actor) -> None:
    """Apply a transition by compare-and-swap on version, state, stage and their times, and append its audit event.

    Call it inside a transaction. Raises `NotAllowed`, and `Conflict` when the state does not permit the verb or when
    somebody else moved the experiment first; a brake is refused only where there is nothing left to take out.
    """
    if transition.brake:
        _catch_up(experiment, transition)
    refuse_from(experiment, transition.verb, transition.allowed, actor)
    if transition.verb != Verb.HALT:
        refuse_beside_orders(experiment, transition.verb)
    before = {"state": experiment.state, "stage_index": experiment.stage_index}
    fence = transition.lease.fence if transition.lease else {}
    # Who holds the row need not compare, nor could it where a column makes no sense.
    read = {} if transition.brake else _swapped(experiment)
    as_read = Experiment.objects.filter(pk=experiment.pk, **read, **fence)
    changed = as_read.update(**transition.changes)
    if changed != 1:
        raise _overtaken(experiment, transition.verb)
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


def repeatable(experiment: Experiment, work: Callable[[], object]) -> Callable[[], None]:
    """Work that moves an experiment and may be called again when it failed: each time from the experiment as read."""
    read = _swapped(experiment)

    def attempt() -> None:
        for name, value in read.items():
            setattr(experiment, name, value)
        work()

    return attempt


def right_of(verb: str) -> Right:
    """Who starts what lies still needs another right than who stops it, or gives it to everybody."""
    return RIGHTS.get(verb, Right.START)


def refuse_from(experiment: Experiment, verb: str, allowed: Sequence[State], actor: Actor) -> None:
    """Raise `NotAllowed`, or `Conflict` when the state that was read does not permit the verb."""
    actor.require(right_of(verb), endpoint=experiment.endpoint.key)
    if experiment.state == State.PROMOTED and verb in (Verb.HALT, Verb.PAUSE):
        raise promoted_already(experiment)
    if experiment.state not in allowed and not _is_halt_of_who_has_users(experiment, verb):
        raise Conflict(
            "wrong-state",
            f"Experiment {experiment.key} is {experiment.state}; {verb} needs it to be {' or '.join(allowed)}.",
            next_step=LOOK,
        )


def _is_halt_of_who_has_users(experiment: Experiment, verb: str) -> bool:
    """Whatever the state says, a split gives candidates users; one that this release does not know may do so."""
    if verb != Verb.HALT:
        return False
    return experiment.state not in State.values or Split.objects.filter(experiment=experiment.key).exists()


def refuse_brake_from(experiment: Experiment, verb: str, allowed: Sequence[State], actor: Actor) -> None:
    """Raise `NotAllowed`, or `Conflict` when the state does not permit the brake; looked at anew where it seems so."""
    if experiment.state not in allowed:
        experiment.refresh_from_db(fields=BRAKED)
    refuse_from(experiment, verb, allowed, actor)


def refuse_beside_orders(experiment: Experiment, verb: str) -> None:
    """A brake that edges were told of, and the database was not yet, comes before everything else.

    Raises `Conflict`.
    """
    with suppress(redis.RedisError):
        for order in waiting_orders.waiting(glance_at_redis()):
            braked = order.concerns(experiment.key) and order.verb != verb
            if braked or (verb in GIVING_USERS and order.stops(experiment.endpoint.key)):
                raise _overtaken(experiment, verb)


def publish_after_commit(cause: str) -> None:
    """Publish the routing table once the change is safe in the database."""
    transaction.on_commit(lambda: _publish(cause))


def _publish(cause: str) -> None:
    publish(cause)


def _swapped(experiment: Experiment) -> dict[str, Any]:
    """The fields of which nobody may have moved one since they were read: what starts is the draft that was seen.

    An experiment that was resumed and paused again meanwhile is in the same state, but not as it was read.
    """
    return {name: getattr(experiment, name) for name in COMPARED}


def _catch_up(experiment: Experiment, transition: Transition) -> None:
    """Lock the row and go on from what it says. Raises `Conflict` when somebody ended the experiment meanwhile."""
    read = experiment.state
    locked(experiment)
    experiment.refresh_from_db(fields=BRAKED)
    if read in transition.allowed and experiment.state not in transition.allowed:
        raise _too_late(experiment, transition.verb)


def _too_late(experiment: Experiment, verb: str) -> Conflict:
    """A brake that finds no candidate left to take out."""
    if experiment.state == State.PROMOTED:
        return promoted_already(experiment)
    return Conflict(
        "overtaken",
        f"Experiment {experiment.key} is {experiment.state} by now: somebody was faster than this {verb}.",
        next_step=LOOK if experiment.state in LIVE_STATES else f"Nothing is left to do: {OFF}",
    )


def _overtaken(experiment: Experiment, verb: str) -> Conflict:
    return Conflict(
        "overtaken",
        f"Experiment {experiment.key} was changed by somebody else before this {verb}.",
        next_step="Read its state again and decide anew.",
    )
