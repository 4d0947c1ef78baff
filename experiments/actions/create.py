"""Write an experiment down as a draft."""

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import InvalidInput
from controlplane.storage.races import insert
from experiments.metrics.idle_guards import refuse_idle_guards
from experiments.models import Experiment
from experiments.plan.spec import ExperimentSpec
from experiments.plan.write_down import fields_of, invalid, write_parts
from routing.resources.changing import changing


def create(spec: ExperimentSpec, *, actor: Actor) -> Experiment:
    """Create a draft with its variants and plan.

    Raises `NotAllowed`; `InvalidInput` when the key is taken, a named thing does not exist, or a guardrail would guard
    nothing; `Conflict` when one of the first two has just become so.
    """
    actor.require(Right.PLAN, endpoint=spec.endpoint)
    if Experiment.objects.filter(key=spec.key).exists():
        raise invalid("key-taken", "key", f"There is an experiment called {spec.key} already.")
    with changing():
        experiment = Experiment(key=spec.key, created_by=actor.name, **fields_of(spec))
        insert(experiment)
        write_parts(experiment, spec)
        refuse_idle_guards(experiment, InvalidInput)
        record(actor, "create", "experiment", experiment.key, after=spec.model_dump(mode="json"))
    return experiment
