"""Throw a draft away."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from controlplane.storage.races import beside_others
from controlplane.storage.versions import locked
from experiments.models import Experiment, State


def delete(experiment: Experiment, *, actor: Actor, version: int | None = None) -> None:
    """Delete a draft; with `version`, only when that is its present one.

    Raises `NotAllowed`, `Missing`, `Outdated`, and `Conflict` once it has started: what happened is kept.
    """
    actor.require(Right.PLAN, endpoint=experiment.endpoint.key)
    with beside_others():
        present = locked(experiment, version=version)
        if present.state != State.DRAFT:
            raise Conflict(
                "not-a-draft",
                f"Experiment {experiment.key} has started, and its history is kept.",
                next_step="Halt it if it should not run any longer.",
            )
        record(actor, "delete", "experiment", experiment.key, before={"state": present.state})
        present.delete()
