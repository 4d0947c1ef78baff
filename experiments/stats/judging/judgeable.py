"""Whether a plan can be judged at all."""

import math

from experiments.stats.core.errors import InvalidPlan, require
from experiments.stats.core.types import JudgePlan, MetricPlan
from experiments.stats.health.sample_ratio import check_shares


def check_plan(plan: JudgePlan) -> None:
    """Refuse a plan that no data could answer.

    Raises:
        InvalidPlan: `shares-sum`, `control-unknown`, `metric-twice`, `plan-range` or `metric-range`.

    """
    check_shares(plan.shares)
    require(plan.shares.get(plan.control, 0.0) > 0.0, lambda: _control_unknown(plan))
    keys = [metric.key for metric in plan.metrics]
    require(len(set(keys)) == len(keys), lambda: _metric_twice(keys))
    for name in ("alpha", "halt_alpha", "power"):
        _check_probability(name, getattr(plan, name))
    require(plan.looks >= 1, lambda: _out_of_range("plan-range", "looks", plan.looks))
    for metric in plan.metrics:
        _check_metric(metric)


def _check_probability(name: str, value: float) -> None:
    require(0.0 < value < 1.0, lambda: _out_of_range("plan-range", name, value))


def _check_metric(metric: MetricPlan) -> None:
    margin, effect = metric.margin, metric.minimum_effect
    require(
        math.isfinite(margin) and margin >= 0.0,
        lambda: _out_of_range("metric-range", f"The margin of {metric.key}", margin),
    )
    require(
        math.isfinite(effect) and effect > 0.0,
        lambda: _out_of_range("metric-range", f"The minimum effect of {metric.key}", effect),
    )


def _control_unknown(plan: JudgePlan) -> InvalidPlan:
    return InvalidPlan(
        "control-unknown",
        f"The control “{plan.control}” has no share of the units.",
        next_step="Give the control a share above 0.",
    )


def _metric_twice(keys: list[str]) -> InvalidPlan:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    return InvalidPlan("metric-twice", f"The plan names {', '.join(twice)} twice.", next_step="Name each metric once.")


def _out_of_range(code: str, name: str, value: float) -> InvalidPlan:
    return InvalidPlan(
        code,
        f"{name} is {value}.",
        next_step="Give alpha, halt_alpha and power values between 0 and 1, at least one look, margins from 0, "
        "and minimum effects above 0.",
    )
