"""Put a spec into the rows of an experiment."""

from typing import Any, TypeVar

from django.db import models

from controlplane.problems.errors import FieldProblem, InvalidInput
from experiments.models import Experiment, Metric, Plan, PlanMetric, Stage, Variant
from experiments.plan.as_written import ROWS
from experiments.plan.spec import ExperimentSpec, VariantSpec
from routing.models import Backend, Endpoint
from routing.table import BasisPoints

Row = TypeVar("Row", bound=models.Model)


def fields_of(spec: ExperimentSpec) -> dict[str, Any]:
    """What the experiment's own row holds of it, but for its key. Raises `InvalidInput` when there is no endpoint."""
    return {
        "name": spec.name,
        "hypothesis": spec.hypothesis,
        "kind": spec.kind,
        "endpoint": _find(Endpoint, "endpoint", spec.endpoint),
        "traffic": BasisPoints.of_percent(spec.traffic),
        "audience": list(spec.audience),
        "guard": spec.guard.model_dump() if spec.guard else None,
    }


def write_parts(experiment: Experiment, spec: ExperimentSpec) -> None:
    """Give an experiment that has none its variants and its plan. Raises `InvalidInput` when what they name is not."""
    _write_variant(experiment, "control", spec.control, is_control=True)
    for index, candidate in enumerate(spec.candidates):
        _write_variant(experiment, f"candidates.{index}", candidate, is_control=False)
    _write_plan(experiment, spec)


def remove_parts(experiment: Experiment) -> None:
    """Take a draft's variants and plan away."""
    experiment.variants.all().delete()
    Plan.objects.filter(experiment=experiment).delete()


def _write_variant(experiment: Experiment, field: str, spec: VariantSpec, *, is_control: bool) -> None:
    backend = _find(Backend, f"{field}.backend", spec.backend)
    if backend.is_over:
        detail = f"The backend {backend.key} is retired; restore it first."
        raise invalid("backend-retired", f"{field}.backend", detail)
    own = spec.model_dump(mode="json", exclude={"backend"})
    Variant.objects.create(experiment=experiment, is_control=is_control, backend=backend, **own)


def _write_plan(experiment: Experiment, spec: ExperimentSpec) -> None:
    settings: dict[str, Any] = spec.plan.model_dump(mode="json", exclude=ROWS)
    plan = Plan.objects.create(experiment=experiment, **settings)
    for position, stage in enumerate(spec.plan.stages):
        coverage = BasisPoints.of_percent(stage.coverage)
        own = stage.model_dump(mode="json", exclude={"coverage"})
        Stage.objects.create(plan=plan, position=position, coverage=coverage, **own)
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
        raise invalid("not-found", field, f"There is no {model._meta.verbose_name} called {key}.")
    return found


def invalid(code: str, field: str, message: str) -> InvalidInput:
    """The refusal of one field."""
    problems = (FieldProblem(field, message),)
    return InvalidInput(code, message, next_step=f"Correct `{field}`.", problems=problems)
