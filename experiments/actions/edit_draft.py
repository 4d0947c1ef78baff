"""Change a draft."""

from collections.abc import Mapping
from typing import Any

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Conflict, InvalidInput
from controlplane.storage.versions import locked, renamed, swap
from experiments.metrics.idle_guards import refuse_idle_guards
from experiments.models import Experiment, State
from experiments.plan.as_written import as_written
from experiments.plan.spec import ExperimentSpec, read_spec
from experiments.plan.write_down import fields_of, remove_parts, write_parts
from routing.resources.changing import changing


def edit_draft(experiment: Experiment, changes: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> bool:
    """Put these fields of a spec in the place of a draft's own; with `version`, only when that is its present one.

    Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` when it is no draft any more; `InvalidInput` for all that
    keeps a spec from being created. Then nothing is saved. What changes nothing leaves no trace. Returns whether
    anything is other than it was.
    """
    actor.require(Right.PLAN, endpoint=experiment.endpoint.key)
    with changing():
        present = locked(experiment, version=version)
        spec = changed_spec(present, changes)
        actor.require(Right.PLAN, endpoint=spec.endpoint)
        before, after = as_written(present), spec.model_dump(mode="json")
        if before == after:
            return False
        swap(present, fields_of(spec))
        remove_parts(present)
        write_parts(present, spec)
        refuse_idle_guards(present, InvalidInput)
        record(actor, "edit", "experiment", present.key, before=before, after=after)
    return True


def changed_spec(experiment: Experiment, changes: Mapping[str, Any]) -> ExperimentSpec:
    """What a draft is with these fields in the place of its own. Raises `Conflict` and `InvalidInput`."""
    if experiment.state != State.DRAFT:
        raise Conflict(
            "not-a-draft",
            f"Experiment {experiment.key} has started, so its plan is frozen.",
            next_step="Create a new experiment with the changes.",
        )
    spec = read_spec({**as_written(experiment), **changes})
    if spec.key != experiment.key:
        raise renamed(experiment)
    return spec
