"""Write an experiment down as a draft."""

from typing import Any, TypeVar

from django.db import models

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.storage.races import insert
from experiments.metrics.idle_guards import refuse_idle_guards
from experiments.models import Experiment, Metric, Plan, PlanMetric, Stage, Variant
from experiments.plan.spec import ExperimentSpec, VariantSpec
from routing.models import Backend, Endpoint
from routing.resources.changing import changing
from routing.table import BasisPoints

Row = TypeVar("Row", bound=models.Model)


def create(spec: ExperimentSpec, *, actor: Actor) -> Experiment:
    """Create a draft with its variants and plan.

    Raises `NotAllowed`; `InvalidInput` when the key is taken, a named thing does not exist, or a guardrail would guard
    nothing; `Conflict` when one of the first two has just become so.
    """
    actor.require(Role.OPERATOR)
    if Experiment.objects.filter(key=spec.key).exists():
        raise _invalid("key-taken", "key", f"There is an experiment called {spec.key} already.")
    with changing():
        experiment = Experiment(
            key=spec.key,
            name=spec.name,
            hypothesis=spec.hypothesis,
            kind=spec.kind,
            endpoint=_find(Endpoint, "endpoint", spec.endpoint),
            traffic=BasisPoints.of_percent(spec.traffic),
            audience=list(spec.audience),
            guard=spec.guard.model_dump() if spec.guard else None,
            created_by=actor.name,
        )
        insert(experiment)
        _create_variants(experiment, spec)
        _create_plan(experiment, spec)
        refuse_idle_guards(experiment, InvalidInput)
        record(actor, "create", "experiment", experiment.key, after=spec.model_dump(mode="json"))
    return experiment


def _create_variants(experiment: Experiment, spec: ExperimentSpec) -> None:
    _create_variant(experiment, "control", spec.control, is_control=True)
    for index, candidate in enumerate(spec.candidates):
        _create_variant(experiment, f"candidates.{index}", candidate, is_control=False)


def _create_variant(experiment: Experiment, field: str, spec: VariantSpec, *, is_control: bool) -> None:
    backend = _find(Backend, f"{field}.backend", spec.backend)
    if backend.is_over:
        detail = f"The backend {backend.key} is retired; restore it first."
        raise _invalid("backend-retired", f"{field}.backend", detail)
    Variant.objects.create(
        experiment=experiment,
        key=spec.key,
        is_control=is_control,
        backend=backend,
        weight=spec.weight,
        headers=spec.headers,
        query=spec.query,
    )


def _create_plan(experiment: Experiment, spec: ExperimentSpec) -> None:
    settings: dict[str, Any] = spec.plan.model_dump(mode="json", exclude={"stages", "metrics"})
    plan = Plan.objects.create(experiment=experiment, **settings)
    for position, stage in enumerate(spec.plan.stages):
        coverage = BasisPoints.of_percent(stage.coverage)
        Stage.objects.create(plan=plan, position=position, coverage=coverage, soak_seconds=stage.soak_seconds)
    listed = len(spec.plan.metrics)
    for position, metric in enumerate((*spec.plan.metrics, *spec.plan.default_guardrails)):
        PlanMetric.objects.create(
            plan=plan,
            position=position,
            metric=_find(Metric, f"plan.metrics.{position}.metric", metric.metric),
            by_default=position >= listed,
            **metric.model_dump(mode="json", exclude={"metric"}),
        )


def _find(model: type[Row], field: str, key: str) -> Row:
    found = model._default_manager.filter(key=key).first()
    if found is None:
        raise _invalid("not-found", field, f"There is no {model._meta.verbose_name} called {key}.")
    return found


def _invalid(code: str, field: str, message: str) -> InvalidInput:
    problems = (FieldProblem(field, message),)
    return InvalidInput(code, message, next_step=f"Correct `{field}`.", problems=problems)
