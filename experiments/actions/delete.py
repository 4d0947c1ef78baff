"""Throw a draft away."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from experiments.models import Experiment, State


def delete(experiment: Experiment, *, actor: Actor) -> None:
    """Delete a draft. Raises `NotAllowed`, and `Conflict` once it has started: what happened is kept."""
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        if experiment.state != State.DRAFT:
            raise Conflict(
                "not-a-draft",
                f"Experiment {experiment.key} has started, and its history is kept.",
                next_step="Halt it if it should not run any longer.",
            )
        record(actor, "delete", "experiment", experiment.key, before={"state": experiment.state})
        experiment.delete()
