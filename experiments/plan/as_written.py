"""Stored experiments as people wrote them down: what POST takes, to be changed, copied and kept in files."""

from typing import Any

from controlplane.storage.legible_columns import Broken
from experiments.models import Experiment, Plan, PlanMetric, Stage, Variant
from experiments.plan.spec import MetricSpec, PlanSpec, StageSpec, VariantSpec
from routing.table import BasisPoints

ROWS = {"stages", "metrics"}


def as_written(experiment: Experiment) -> dict[str, Any]:
    """Its `ExperimentSpec` as plain data, every field of it.

    What makes no sense in the database, or is missing, stays so here, for `read_spec` to refuse.
    """
    variants = in_order(experiment)
    return {
        **{name: getattr(experiment, name) for name in ("key", "name", "hypothesis", "kind")},
        "endpoint": experiment.endpoint.key,
        "traffic": BasisPoints(experiment.traffic).percent,
        "audience": _content(experiment.audience),
        "control": next((_variant(variant) for variant in variants if variant.is_control), None),
        "candidates": [_variant(variant) for variant in variants if not variant.is_control],
        "plan": _plan(plan) if (plan := getattr(experiment, "plan", None)) else None,
        "guard": _content(experiment.guard),
    }


def in_order(experiment: Experiment) -> list[Variant]:
    """Its variants in the order in which they were written down."""
    return sorted(experiment.variants.all(), key=lambda variant: variant.pk)


def _variant(variant: Variant) -> dict[str, Any]:
    values = {name: _content(getattr(variant, name)) for name in VariantSpec.model_fields}
    return {**values, "backend": variant.backend.key}


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "stages": [_stage(stage) for stage in plan.stages.all()],
        "metrics": [_metric(metric) for metric in plan.metrics.all() if not metric.by_default],
        **{name: _content(getattr(plan, name)) for name in PlanSpec.model_fields if name not in ROWS},
    }


def _stage(stage: Stage) -> dict[str, Any]:
    values = {name: getattr(stage, name) for name in StageSpec.model_fields}
    return {**values, "coverage": BasisPoints(stage.coverage).percent}


def _metric(plan_metric: PlanMetric) -> dict[str, Any]:
    values = {name: getattr(plan_metric, name) for name in MetricSpec.model_fields}
    return {**values, "metric": plan_metric.metric.key}


def _content(value: object) -> object:
    return value.content if isinstance(value, Broken) else value
